//! Loss-based half: is the loss ours, or the path's own?
//!
//! The model is that of libwebrtc's `LossBasedBweV2`: what is sent above a bandwidth is lost, and of
//! the rest an inherent share. At one sending rate the two explain the same loss, so where V2 leans
//! on biases, this asks the network: it sends less for a moment and looks whether the loss goes
//! away. Loss that stays is the path's own and costs nothing more for a while.

/// A window of observation: at least this long and this many packets, or twice this long.
const WINDOW_US: i64 = 250_000;
const WINDOW_PACKETS: f64 = 20.0;
/// Weight of the past at each new window: a mean of about the last four.
const KEEP: f64 = 0.75;
/// Loss above the path's own that is tolerated, and its standard deviations on top.
const TOLERATED: f64 = 0.02;
const SIGMAS: f64 = 2.5;
/// Loss is looked into when it lasts so many windows, or is so heavy.
const LOSSY_WINDOWS: u8 = 2;
const HEAVY: f64 = 0.30;
/// Losses side by side are one event: a burst. It takes so many of late to look into them.
const EVENTS: f64 = 2.0;
/// What is left of the rate while testing.
const TEST_FACTOR: f64 = 0.75;
/// Of loss that is ours this share remains while testing, of the path's own all.
const REMAINS: f64 = 0.2;
/// The logarithms of the odds of the two at which a test ends (Wald's sequential test): it is wrong
/// about once in forty. Or after this time, by what is likelier then.
const OWN: f64 = 3.0;
const OURS: f64 = -3.5;
const TEST_US: i64 = 4_000_000;
/// Packets that show how much is lost.
const TEST_PACKETS: f64 = 30.0;
/// Most that is believed to be the path's own.
const MAX_INHERENT: f64 = 0.18;
/// How long a test's result is trusted.
const TRUST_US: i64 = 60_000_000;
/// Growth per second of a limited rate without much loss.
const GROWTH: f64 = 1.10;
/// Near a rate at which there was loss before, and how near and how long ago that counts.
const GROWTH_NEAR: f64 = 1.01;
const NEAR: f64 = 0.90;
const REMEMBER_US: i64 = 30_000_000;
/// Loss that was ours so soon after a probe raised the rate: the probe was wrong (a policer lets
/// short clusters through). Probes are not believed for a while, twice as long each time.
const BLAME_US: i64 = 6_000_000;
const DISTRUST_US: i64 = 8_000_000;
const MAX_DISTRUST_US: i64 = 64_000_000;
/// What is left of the rate that arrived, after loss that was ours.
const BACK: f64 = 0.92;
/// A limited rate stays within this multiple of what arrives.
const AHEAD: f64 = 1.5;

/// Sums over packets.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    packets: f64,
    lost: f64,
    /// Losses after a packet that was not lost.
    events: f64,
    bytes: f64,
    first_us: Option<i64>,
    last_us: i64,
}

impl Window {
    fn add(&mut self, sent_us: i64, bytes: u16, lost: bool, event: bool) {
        self.packets += 1.0;
        self.lost += f64::from(u8::from(lost));
        self.events += f64::from(u8::from(event));
        self.bytes += f64::from(bytes);
        self.first_us.get_or_insert(sent_us);
        self.last_us = sent_us;
    }

    fn duration_us(&self) -> i64 {
        self.first_us.map_or(0, |first| self.last_us.saturating_sub(first))
    }

    fn ratio(&self) -> f64 {
        if self.packets > 0.0 { self.lost / self.packets } else { 0.0 }
    }
}

/// How it was when a test began.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// Share lost, and of how many packets that is known.
    loss: f64,
    packets: f64,
    /// Estimate, and what arrived, bit/s.
    bps: f64,
    arrived: f64,
}

impl Before {
    /// Logarithm of the odds that the loss is the path's own, by what was seen since.
    fn odds(&self, seen: &Window, inherent: f64) -> f64 {
        // A test begins where there is much loss, also by chance: it was rather less.
        let sigma = (self.loss * (1.0 - self.loss) / self.packets.max(1.0)).sqrt();
        let own = (self.loss - sigma).clamp(0.5 * self.loss, 0.5).max(0.005);
        let ours = (REMAINS * own).max(inherent.min(0.7 * own));
        seen.lost * (own / ours).ln()
            + (seen.packets - seen.lost) * ((1.0 - own) / (1.0 - ours)).ln()
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Loss limits nothing.
    Free,
    /// Sending less since then, to see whether the loss stays.
    Testing {
        /// The first packet that counts as evidence was sent at or after this.
        from_us: i64,
        seen: Window,
        before: Before,
    },
    /// The loss was ours; growing from a rate that passed.
    Limited,
}

#[derive(Debug)]
pub(crate) struct LossControl {
    state: State,
    window: Window,
    /// Discounted packets and losses of past windows.
    packets: f64,
    lost: f64,
    events: f64,
    /// The last packet was lost.
    was_lost: bool,
    /// Windows in a row with too much loss.
    lossy: u8,
    bps: f64,
    /// The path's own loss and when it was tested.
    inherent: f64,
    tested_us: i64,
    grown_us: i64,
    /// What arrived while too much was sent, and when.
    passed: Option<(f64, i64)>,
    /// What was sent before this does not count.
    heed_us: i64,
    /// When a probe raised the rate.
    raised_us: Option<i64>,
    /// How long probes are not believed, and until when.
    distrust: (i64, i64),
}

impl LossControl {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Free,
            window: Window::default(),
            packets: 0.0,
            lost: 0.0,
            events: 0.0,
            was_lost: false,
            lossy: 0,
            bps: f64::INFINITY,
            inherent: 0.0,
            tested_us: 0,
            grown_us: 0,
            passed: None,
            heed_us: i64::MIN,
            raised_us: None,
            distrust: (0, i64::MIN),
        }
    }

    /// bit/s; infinite where loss limits nothing.
    pub(crate) fn bps(&self) -> f64 {
        self.bps
    }

    /// Share of packets lost of late.
    pub(crate) fn ratio(&self) -> f64 {
        if self.packets > 0.0 { self.lost / self.packets } else { 0.0 }
    }

    /// The path's own loss as far as known, 0 to 0.18.
    pub(crate) fn inherent(&self) -> f64 {
        self.inherent
    }

    pub(crate) fn testing(&self) -> bool {
        matches!(self.state, State::Testing { .. })
    }

    /// The delay told of a fall of the capacity: what was lost before it was heeded is no news.
    pub(crate) fn on_fall(&mut self, now_us: i64, rtt_us: i64) {
        self.heed_us = now_us.saturating_add(rtt_us.clamp(20_000, 200_000));
        self.window = Window::default();
    }

    /// A packet that had counted as lost came after all.
    pub(crate) fn on_late(&mut self) {
        if self.window.lost >= 1.0 {
            self.window.lost -= 1.0;
        } else {
            self.lost = (self.lost - 1.0).max(0.0);
        }
    }

    /// A judged packet, in the order of sending.
    pub(crate) fn on_packet(&mut self, sent_us: i64, bytes: u16, lost: bool) {
        if sent_us < self.heed_us {
            return;
        }
        let event = !std::mem::replace(&mut self.was_lost, lost) && lost;
        self.window.add(sent_us, bytes, lost, event);
        if let State::Testing { from_us, seen, .. } = &mut self.state
            && sent_us >= *from_us
        {
            seen.add(sent_us, bytes, lost, event);
        }
    }

    /// Probes have not been wrong of late.
    pub(crate) fn trusts_probes(&self, now_us: i64) -> bool {
        now_us >= self.distrust.1
    }

    /// A probe cluster arrived at `bps`.
    pub(crate) fn on_probe(&mut self, now_us: i64, bps: f64) {
        self.raised_us = Some(now_us);
        if matches!(self.state, State::Limited) && self.excess() <= 0.0 && bps > self.bps {
            self.bps = bps;
            self.passed = None;
        }
    }

    /// After each feedback. `estimate` is what the other half allows, `acked` what arrives.
    pub(crate) fn update(&mut self, now_us: i64, estimate: f64, acked: Option<f64>, rtt_us: i64) {
        let full = self.window.duration_us() >= WINDOW_US
            && (self.window.packets >= WINDOW_PACKETS
                || self.window.duration_us() >= WINDOW_US.saturating_mul(2));
        if full {
            let lossy = self.window.ratio() > self.inherent + TOLERATED && self.window.events > 0.0;
            self.lossy = if lossy { self.lossy.saturating_add(1) } else { 0 };
            self.packets = self.packets * KEEP + self.window.packets;
            self.lost = self.lost * KEEP + self.window.lost;
            self.events = self.events * KEEP + self.window.events;
            self.window = Window::default();
        }
        match self.state {
            State::Testing { from_us, seen, before } => {
                let odds = before.odds(&seen, self.inherent);
                let late = now_us.saturating_sub(from_us) > TEST_US;
                let enough = seen.packets >= TEST_PACKETS;
                if odds < OURS || (odds > OWN || late) && enough {
                    self.conclude(now_us, &seen, before, odds > 0.0);
                }
            }
            State::Free | State::Limited if full => {
                // A burst of losses passes by itself.
                let lasts = self.lossy >= LOSSY_WINDOWS && self.events >= EVENTS;
                let lasts = lasts || self.ratio() > HEAVY;
                if self.excess() > 0.0 && lasts {
                    self.test(now_us, estimate.min(self.bps), acked, rtt_us);
                } else if matches!(self.state, State::Limited) {
                    self.grow(now_us, estimate, acked);
                }
            }
            State::Free | State::Limited => {}
        }
    }

    /// Loss above what is tolerated, chance considered; not positive if there is none.
    fn excess(&self) -> f64 {
        let expected = self.inherent + TOLERATED;
        let sigma = (expected * (1.0 - expected) / self.packets.max(1.0)).sqrt();
        self.ratio() - expected - SIGMAS * sigma
    }

    fn test(&mut self, now_us: i64, estimate: f64, acked: Option<f64>, rtt_us: i64) {
        let loss = self.ratio();
        let arrives = acked.unwrap_or(estimate).min(estimate);
        // What arrives passes for sure, or nearly.
        self.bps = if loss > MAX_INHERENT {
            (arrives * 0.95).min(estimate)
        } else {
            (estimate * TEST_FACTOR).max(arrives * TEST_FACTOR)
        };
        self.state = State::Testing {
            // What is on the way, and in the pacer, was sent at the old rate.
            from_us: now_us.saturating_add(rtt_us.clamp(20_000, 500_000)).saturating_add(100_000),
            seen: Window::default(),
            before: Before { loss, packets: self.packets, bps: estimate, arrived: arrives },
        };
    }

    fn conclude(&mut self, now_us: i64, seen: &Window, before: Before, own: bool) {
        // Start afresh: what was seen before the test belongs to another rate.
        self.packets = seen.packets;
        self.lost = seen.lost;
        self.events = seen.events;
        self.window = Window::default();
        self.lossy = 0;
        self.tested_us = now_us;
        self.grown_us = now_us;
        let Before { bps, arrived, .. } = before;
        let stayed = seen.ratio();
        let sigma = (stayed * (1.0 - stayed) / seen.packets.max(1.0)).sqrt();
        if own && stayed - sigma <= MAX_INHERENT {
            // Both have seen it.
            self.packets += before.packets;
            self.lost += before.loss * before.packets;
            self.inherent = self.ratio().min(MAX_INHERENT);
            self.bps = bps;
            self.state = State::Limited;
        } else {
            self.inherent = stayed.min(self.inherent.max(TOLERATED));
            self.bps = self.bps.max(BACK * arrived);
            self.passed = Some((arrived, now_us));
            if self.raised_us.take().is_some_and(|at| now_us.saturating_sub(at) < BLAME_US) {
                let time = self.distrust.0.saturating_mul(2).clamp(DISTRUST_US, MAX_DISTRUST_US);
                self.distrust = (time, now_us.saturating_add(time));
            }
            self.state = State::Limited;
        }
    }

    fn grow(&mut self, now_us: i64, estimate: f64, acked: Option<f64>) {
        if now_us.saturating_sub(self.tested_us) > TRUST_US {
            self.inherent = self.inherent.min(self.ratio());
            self.tested_us = now_us;
        }
        let passed_s = (now_us.saturating_sub(self.grown_us).max(0) as f64 / 1e6).min(1.0);
        self.grown_us = now_us;
        let most = acked.map_or(f64::INFINITY, |acked| AHEAD * acked + 10_000.0);
        self.passed = self.passed.filter(|(_, at)| now_us.saturating_sub(*at) < REMEMBER_US);
        let near = self.passed.is_some_and(|(bps, _)| self.bps > NEAR * bps);
        let grown = self.bps * if near { GROWTH_NEAR } else { GROWTH }.powf(passed_s);
        self.bps = grown.min(most).max(self.bps);
        if self.bps >= estimate && self.passed.is_none() {
            self.bps = f64::INFINITY;
            self.state = State::Free;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 packets a second, of which so many per mille are lost before and while a test goes on: the
    /// rate after it, of 1,000,000.
    fn tested(seed: u64, before: u64, during: u64) -> f64 {
        let (mut control, mut random, mut tested) = (LossControl::new(), seed, false);
        for n in 0..6_000_i64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            let share = if control.testing() { during } else { before };
            let lost = (random >> 33) % 1_000 < share;
            control.on_packet(n * 16_667, 1_000, lost);
            if n % 6 == 5 {
                control.update(n * 16_667, 1e6, Some(5e5), 50_000);
            }
            tested |= control.testing();
            if tested && !control.testing() {
                return control.bps();
            }
        }
        f64::INFINITY
    }

    #[test]
    fn the_path_s_own_loss_is_told_from_ours() {
        for (before, during, own) in [(50, 50, true), (100, 100, true), (80, 5, false)] {
            let right = |seed: &u64| (tested(*seed, before, during) >= 1e6) == own;
            let share = (0..400).filter(right).count();
            assert!(share >= 380, "{before} {during}: {share}");
        }
    }

    #[test]
    fn a_burst_of_losses_is_not_looked_into() {
        let mut control = LossControl::new();
        for n in 0..1_000_i64 {
            control.on_packet(n * 5_000, 1_000, n % 500 >= 490);
            control.update(n * 5_000, 1e6, Some(5e5), 50_000);
            assert!(!control.testing(), "{n}");
        }
    }
}
