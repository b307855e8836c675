//! One receiver's congestion control, put together.

use std::time::{Duration, Instant};

use weir_wire::rtcp::TransportCc;

use crate::{
    acked::AckedRate,
    alr::Alr,
    delay::{Aimd, Arrived, DelaySignal, Input, Rise, Trendline, Usage},
    feedback::{Listener, Tracker},
    history::Verdict,
    limits::{BLIND_BPS, FEEDBACK_AGE, HOUSEKEEPING, SILENCE, SILENCE_FACTOR, SILENCE_STEP},
    loss::LossControl,
    pacer::Pacer,
    probe::{Control, Found, Measure, Probe, Situation},
    reports::Reports,
    values::{Counters, Estimate, LegConfig, Limit, SentKind, Stats},
};

/// A round trip until one is known, microseconds.
const FIRST_RTT_US: i64 = 100_000;
/// Longest round trip believed.
const MAX_RTT_US: i64 = 3_000_000;
/// A leg that sent nothing for this long is idle.
const IDLE_US: i64 = 2_000_000;

/// One receiver's congestion control.
#[derive(Debug)]
pub struct Leg {
    base: Instant,
    config: LegConfig,
    /// Made when the leg negotiates transport-wide feedback.
    tracker: Option<Box<Tracker>>,
    inner: Inner,
    aimd: Aimd,
    reports: Reports,
    probes: Control,
    pacer: Pacer,
    wanted: f64,
    estimate: Estimate,
    rtt_us: i64,
    rtt_us_reported: Option<i64>,
    /// Last news of transport-wide feedback.
    feedback_us: Option<i64>,
    sent_us: Option<i64>,
    /// First packet sent since any news.
    unanswered_us: Option<i64>,
    media_us: Option<i64>,
    /// Ceiling while nothing comes back.
    silence: Option<(f64, i64)>,
    housekeeping_us: i64,
    counters: Counters,
}

/// What listens to feedback.
#[derive(Debug)]
struct Inner {
    signal: Trendline,
    overused: bool,
    rise: Rise,
    acked: AckedRate,
    alr: Alr,
    loss: LossControl,
    measure: Measure,
    /// Last result of the current feedback.
    result: Option<Found>,
}

impl Listener for Inner {
    fn arrived(&mut self, now_us: i64, packets: &[Arrived]) {
        for packet in packets {
            self.acked.on_packet(packet.arrival_us, packet.bytes);
            self.signal.on_packet(now_us, packet);
            self.rise.on_packet(packet);
            self.overused |= self.signal.usage() == Usage::Over;
            if packet.cluster != 0
                && let Some(found) = self.measure.on_packet(packet)
            {
                self.result = Some(found);
            }
        }
    }

    fn judged(&mut self, verdict: Verdict) {
        self.loss.on_packet(verdict.sent_us, verdict.bytes, verdict.lost);
    }

    fn found(&mut self) {
        self.loss.on_late();
    }
}

impl Leg {
    /// A leg that knows nothing yet. Call [`Self::enable_feedback`] once transport-wide feedback is
    /// negotiated; without it the leg relies on REMB and receiver reports.
    #[must_use]
    pub fn new(now: Instant, config: LegConfig) -> Self {
        let start = config.start_bps.clamp(config.min_bps, config.max_bps.max(config.min_bps));
        let (min, max) = (config.min_bps as f64, config.max_bps.max(config.min_bps) as f64);
        let bps = start as f64;
        Self {
            base: now,
            config,
            tracker: None,
            inner: Inner {
                signal: Trendline::default(),
                overused: false,
                rise: Rise::default(),
                acked: AckedRate::default(),
                alr: Alr::new(0, bps),
                loss: LossControl::new(),
                measure: Measure::default(),
                result: None,
            },
            aimd: Aimd::new(0, bps, min, max),
            reports: Reports::new(0, bps),
            probes: Control::new(0),
            pacer: Pacer::new(now, bps),
            wanted: 0.0,
            estimate: Estimate { bps: start, limit: Limit::Delay },
            rtt_us: FIRST_RTT_US,
            rtt_us_reported: None,
            feedback_us: None,
            sent_us: None,
            unanswered_us: None,
            media_us: None,
            silence: None,
            housekeeping_us: 0,
            counters: Counters::default(),
        }
    }

    /// Transport-wide feedback is negotiated: makes the history (24 kB).
    pub fn enable_feedback(&mut self) {
        if self.tracker.is_none() {
            self.tracker = Some(Box::new(Tracker::new()));
        }
    }

    /// A packet leaves with this transport-wide sequence number (of no meaning without feedback).
    /// `bytes`: UDP payload and, as the owner counts it, overhead. Allocates nothing. Does not
    /// touch the pacer's budget.
    pub fn on_sent(&mut self, now: Instant, transport_seq: u16, bytes: u32, kind: SentKind) {
        let now_us = self.us(now);
        let size = u16::try_from(bytes).unwrap_or(u16::MAX);
        let cluster = match kind {
            SentKind::Probe { cluster } => cluster,
            // What else leaves meanwhile shares the bottleneck with the cluster.
            SentKind::Media | SentKind::Padding => self.probes.under_way().unwrap_or(0),
        };
        if cluster != 0 {
            self.probes.on_sent(now_us, cluster, size, self.rtt_us);
        }
        if let Some(tracker) = &mut self.tracker {
            tracker.sent(now_us, transport_seq, size, cluster);
        }
        // Silence is only while there is something to answer to.
        if self.sent_us.is_none_or(|at| now_us.saturating_sub(at) > us(SILENCE)) {
            self.unanswered_us = None;
        }
        self.sent_us = Some(now_us);
        self.unanswered_us.get_or_insert(now_us);
        // Padding is not the application's need.
        let need = if kind == SentKind::Media {
            self.media_us = Some(now_us);
            f64::from(size)
        } else {
            0.0
        };
        self.inner.alr.on_sent(now_us, need);
    }

    /// Transport-wide feedback of the receiver. The estimate, if it changed.
    pub fn on_feedback(&mut self, now: Instant, feedback: &TransportCc<'_>) -> Option<Estimate> {
        let now_us = self.us(now);
        let tracker = self.tracker.as_mut()?;
        self.inner.overused = false;
        self.inner.result = None;
        let counters = &mut self.counters;
        let Some(sent_us) = tracker.on_feedback(now_us, feedback, counters, &mut self.inner) else {
            self.counters.useless = self.counters.useless.saturating_add(1);
            return None;
        };
        self.feedback_us = Some(now_us);
        self.unanswered_us = None;
        if let Some((silent, _)) = self.silence.take() {
            // The path may have changed: from what was thought safe, upwards.
            self.aimd.set(now_us, silent);
            self.probes.hurry();
        }
        self.on_round_trip(now_us.saturating_sub(sent_us));
        let max = self.config.max_bps as f64;
        let probe = self
            .inner
            .result
            // What the path loses by itself is no sign of its end.
            .map(|found| found.lossless(self.inner.loss.inherent()))
            .filter(|found| self.probes.enough(found.cluster, found.bytes))
            .filter(|_| self.inner.loss.trusts_probes(now_us))
            .map(|found| Found { bps: found.bps.min(max), ..found });
        let usage = if self.inner.overused { Usage::Over } else { self.inner.signal.usage() };
        let acked = self.inner.acked.bps();
        let lowered = self.aimd.update(
            now_us,
            Input {
                usage,
                acked,
                delivered: self.inner.acked.recent_bps(),
                carried: self.inner.rise.carried(self.inner.signal.held_up_us()),
                probe: probe.map(|found| (found.bps, found.full)),
                rtt_us: self.rtt_us,
                app_limited: self.inner.alr.active(),
                idling: self.inner.alr.idling(),
                probing: self.probes.disturbs(now_us),
            },
        );
        if lowered {
            self.counters.overuses = self.counters.overuses.saturating_add(1);
        }
        if self.aimd.fell(now_us) {
            self.inner.loss.on_fall(now_us, self.rtt_us);
        }
        if let Some(found) = probe {
            self.inner.loss.on_probe(now_us, found.bps);
        }
        self.inner.loss.update(now_us, self.aimd.bps(), acked, self.rtt_us);
        let changed = self.combine(now, now_us);
        if let Some(found) = probe {
            let situation = self.situation(now_us);
            self.probes.on_result(now_us, found.cluster, found.bps, situation);
        }
        changed
    }

    /// REMB of the receiver: a cap, and without transport-wide feedback the estimate itself.
    pub fn on_remb(&mut self, now: Instant, bps: u64) -> Option<Estimate> {
        let now_us = self.us(now);
        self.reports.on_remb(now_us, bps.clamp(self.config.min_bps, self.config.max_bps) as f64);
        self.heard();
        self.combine(now, now_us)
    }

    /// The worst report block of a receiver report (RFC 3550 6.4.1): fraction lost, of 256, and the
    /// round trip if it could be told.
    pub fn on_receiver_report(
        &mut self,
        now: Instant,
        fraction_lost: u8,
        rtt: Option<Duration>,
    ) -> Option<Estimate> {
        let now_us = self.us(now);
        if let Some(rtt) = rtt {
            self.on_rtt(rtt);
        }
        let sending = self.media_us.is_some_and(|at| now_us.saturating_sub(at) < IDLE_US);
        let lost = f64::from(fraction_lost) / 256.0;
        self.reports.on_report(now_us, lost, self.rtt_us, sending);
        self.heard();
        self.combine(now, now_us)
    }

    /// A round trip measured elsewhere.
    pub fn on_rtt(&mut self, rtt: Duration) {
        let rtt_us = i64::try_from(rtt.as_micros()).unwrap_or(MAX_RTT_US);
        self.rtt_us_reported = Some(rtt_us.clamp(1_000, MAX_RTT_US));
        self.rtt_us = self.rtt_us_reported.unwrap_or(FIRST_RTT_US);
    }

    /// What the allocator would send if it could, bit/s: probing goes on up to here.
    pub fn set_wanted(&mut self, bps: u64) {
        self.wanted = bps.min(self.config.max_bps) as f64;
    }

    /// Time passes. Call when [`Self::next_timeout`] says; the estimate, if it changed.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Estimate> {
        let now_us = self.us(now);
        if now_us < self.housekeeping_us {
            return None;
        }
        self.housekeeping_us = now_us.saturating_add(us(HOUSEKEEPING));
        self.inner.alr.on_sent(now_us, 0.0);
        self.watch_silence(now_us);
        let changed = self.combine(now, now_us);
        let situation = self.situation(now_us);
        self.probes.process(now_us, situation);
        changed
    }

    /// When to call [`Self::handle_timeout`] and look at [`Self::probe`], and why. `None` while
    /// nothing is sent: call again after the next packet.
    #[must_use]
    pub fn next_timeout(&self, now: Instant) -> Option<(Instant, &'static str)> {
        let now_us = self.us(now);
        if let Some(at) = self.probes.next_due_us(now_us) {
            return Some((self.instant(at), "probe"));
        }
        let idle = self.media_us.is_none_or(|at| now_us.saturating_sub(at) >= IDLE_US);
        (!idle).then(|| (self.instant(self.housekeeping_us), "congestion control"))
    }

    /// What to send now of a probe, if anything, after media that may leave anyway: media that waits
    /// for the pacer first, then padding, with [`SentKind::Probe`] and beside the pacer's budget.
    /// Ask again at [`Self::next_timeout`]. Who has nothing to pad with sends nothing: it lapses.
    #[must_use]
    pub fn probe(&self, now: Instant) -> Option<Probe> {
        self.tracker.as_ref()?;
        self.probes.due(self.us(now))
    }

    /// bit/s that may be sent, media, retransmissions and padding together. Never infinite.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// [`Estimate::bps`].
    #[must_use]
    pub fn estimate_bps(&self) -> u64 {
        self.estimate.bps
    }

    /// The budget of what leaves when.
    pub fn pacer(&mut self) -> &mut Pacer {
        &mut self.pacer
    }

    /// Counts over the leg's life.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// A look inside.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let loss_bps = self.inner.loss.bps();
        Stats {
            acked_bps: self.inner.acked.bps().map(|bps| bps as u64),
            delay_bps: self.aimd.bps() as u64,
            loss_bps: loss_bps.is_finite().then_some(loss_bps as u64),
            loss: self.inner.loss.ratio(),
            rtt: Duration::from_micros(self.rtt_us.unsigned_abs()),
            app_limited: self.inner.alr.active(),
            overusing: self.inner.signal.usage() == Usage::Over,
        }
    }

    /// The path changed (another network, ICE restart): starts over, at most at the start rate.
    pub fn on_new_path(&mut self, now: Instant) {
        let mut config = self.config;
        config.start_bps = config.start_bps.min(self.estimate.bps);
        let mut fresh = Self::new(now, config);
        if self.tracker.is_some() {
            fresh.enable_feedback();
        }
        fresh.wanted = self.wanted;
        fresh.counters = self.counters;
        fresh.config = self.config;
        *self = fresh;
    }

    fn on_round_trip(&mut self, measured_us: i64) {
        // Contains the receiver's wait before it reports; reports of its own know better.
        let measured_us = measured_us.clamp(1_000, MAX_RTT_US);
        if self.rtt_us_reported.is_none() {
            self.rtt_us = if self.rtt_us == FIRST_RTT_US {
                measured_us
            } else {
                self.rtt_us.saturating_mul(7).saturating_add(measured_us) >> 3
            };
        }
    }

    /// A report came that is not transport-wide feedback.
    fn heard(&mut self) {
        if self.feedback_us.is_none() || self.tracker.is_none() {
            self.unanswered_us = None;
        }
    }

    fn watch_silence(&mut self, now_us: i64) {
        let Some(since) = self.unanswered_us else { return };
        let patience = us(SILENCE).saturating_add(self.rtt_us);
        if now_us.saturating_sub(since) < patience {
            return;
        }
        if self.reports_only(now_us) && self.reports.rate(now_us).is_some() {
            return;
        }
        let (bps, at) = self.silence.unwrap_or((self.estimate.bps as f64, i64::MIN / 2));
        if now_us.saturating_sub(at) >= us(SILENCE_STEP) {
            let floor = BLIND_BPS.clamp(self.config.min_bps, self.config.max_bps) as f64;
            self.silence = Some(((bps * SILENCE_FACTOR).max(floor.min(bps)), now_us));
        }
    }

    /// No transport-wide feedback, or none of late.
    fn reports_only(&self, now_us: i64) -> bool {
        let age = us(FEEDBACK_AGE);
        self.tracker.is_none()
            || match self.feedback_us {
                Some(_) => self.unanswered_us.is_some_and(|at| now_us.saturating_sub(at) > age),
                None => true,
            }
    }

    fn combine(&mut self, now: Instant, now_us: i64) -> Option<Estimate> {
        let (mut bps, mut limit) = (self.aimd.bps(), Limit::Delay);
        let mut lower = |other: f64, reason: Limit| {
            if other < bps {
                (bps, limit) = (other, reason);
            }
        };
        if self.reports_only(now_us) {
            if let Some(rate) = self.reports.rate(now_us) {
                (bps, limit) = (rate, Limit::Reports);
                self.silence = None;
                self.aimd.set(now_us, rate);
            }
        } else {
            lower(self.inner.loss.bps(), Limit::Loss);
            if let Some(remb) = self.reports.remb(now_us) {
                lower(remb, Limit::Remb);
            }
        }
        if let Some((silent, _)) = self.silence
            && silent < bps
        {
            (bps, limit) = (silent, Limit::Silence);
        }
        if limit != Limit::Reports {
            self.reports.rebase(now_us, bps);
        }
        let bps = (bps as u64).clamp(self.config.min_bps, self.config.max_bps);
        let estimate = Estimate { bps, limit };
        if estimate == self.estimate {
            return None;
        }
        self.estimate = estimate;
        self.inner.alr.set_target(bps as f64);
        self.pacer.set_estimate(now, bps as f64);
        self.probes.on_estimate(now_us, bps as f64);
        Some(estimate)
    }

    fn situation(&self, now_us: i64) -> Situation {
        let flows = self.media_us.is_some_and(|at| now_us.saturating_sub(at) < IDLE_US);
        let unanswered = self.unanswered_us.map_or(0, |at| now_us.saturating_sub(at));
        let max = self.config.max_bps as f64;
        Situation {
            estimate: self.estimate.bps as f64,
            wanted: self.wanted,
            max: self.reports.remb(now_us).map_or(max, |remb| remb.min(max)),
            rtt_us: self.rtt_us,
            allowed: flows
                && self.tracker.is_some()
                && self.silence.is_none()
                && unanswered < us(SILENCE)
                && self.inner.signal.usage() != Usage::Over
                && !self.inner.loss.testing()
                && self.inner.loss.trusts_probes(now_us),
            feedback: self.feedback_us.is_some(),
        }
    }

    fn us(&self, now: Instant) -> i64 {
        us(now.saturating_duration_since(self.base))
    }

    fn instant(&self, at_us: i64) -> Instant {
        let since = Duration::from_micros(u64::try_from(at_us).unwrap_or(0));
        self.base.checked_add(since).unwrap_or(self.base)
    }
}

fn us(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
