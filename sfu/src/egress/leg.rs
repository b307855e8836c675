//! One receiver's path: its congestion control, where feedback was negotiated, and the transport-wide
//! numbers of what is sent on it.

use crate::limits;
use std::time::{Duration, Instant};
use weir_bwe::limits::START_BPS;
use weir_bwe::{LegConfig, Probe, SentKind};
use weir_sfu_api::{ExtensionKind, MediaSection};
use weir_wire::rtcp::TransportCc;

/// Id and value of the transport-wide extension of one packet.
pub(crate) type Number = (u8, u16);

/// A receiver's path. Without negotiated feedback it knows nothing and bounds nothing.
#[derive(Debug, Default)]
pub(crate) struct Leg {
    control: Option<Box<Control>>,
    /// REMB was negotiated.
    remb: bool,
    /// A screen is shown.
    screen: bool,
}

#[derive(Debug)]
struct Control {
    path: weir_bwe::Leg,
    /// Transport-wide feedback was negotiated.
    numbered: bool,
    /// Of the next packet: one space for all streams of the peer.
    next: u16,
    last_cluster: u8,
    probes: u64,
    /// When the estimate was shared last, and its value then.
    shared: Option<(Instant, u64)>,
    wanted_bps: u64,
    allocated_bps: u64,
    audio: Meter,
    /// When video first left, until the path has shown what it carries.
    video_since: Option<Instant>,
    proven: bool,
    /// When the estimate fell below what was given away.
    fell: Option<Instant>,
}

/// Bits per second over a second or more.
#[derive(Debug, Default)]
struct Meter {
    since: Option<Instant>,
    bytes: u64,
    bps: u64,
}

/// What a peer's path looks like, for its statistics.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    pub(crate) estimate_bps: u64,
    pub(crate) wanted_bps: u64,
    pub(crate) allocated_bps: u64,
    pub(crate) probes: u64,
}

impl Leg {
    /// Follows what the slots negotiated: transport-wide feedback, else REMB, else nothing.
    pub(crate) fn negotiate<'a>(
        &mut self,
        now: Instant,
        sections: impl Iterator<Item = &'a MediaSection>,
    ) {
        let (mut numbered, mut remb) = (false, false);
        for section in sections {
            numbered |= section.extensions.id(ExtensionKind::TransportCc).is_some();
            remb |= section.payload_types.iter().any(|pt| pt.feedback.remb);
        }
        self.remb = remb;
        if !numbered {
            // A receiver that may send REMB is known by the first one.
            if !remb {
                self.control = None;
            }
            return;
        }
        let control = self.control.get_or_insert_with(|| Box::new(Control::new(now)));
        control.numbered = true;
        control.path.enable_feedback();
    }

    /// The transport-wide number of the next packet in this m-line, where it has one.
    pub(crate) fn next_number(&self, section: &MediaSection) -> Option<Number> {
        let control = self.control.as_ref()?;
        Some((section.extensions.id(ExtensionKind::TransportCc)?, control.next))
    }

    /// A packet of `bytes` left, under `number`, as part of probe `cluster` or of none (0).
    pub(crate) fn sent(
        &mut self,
        now: Instant,
        number: Option<Number>,
        bytes: usize,
        cluster: u8,
        audio: bool,
    ) {
        let Some(control) = self.control.as_mut() else { return };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if cluster == 0 {
            control.path.pacer().consume(now, bytes);
        } else if cluster != control.last_cluster {
            control.last_cluster = cluster;
            control.probes = control.probes.wrapping_add(1);
        }
        if !audio {
            control.video_since.get_or_insert(now);
        } else {
            control.audio.bytes = control.audio.bytes.saturating_add(u64::from(bytes));
        }
        if let Some((_, number)) = number {
            control.next = number.wrapping_add(1);
            let kind = if cluster == 0 { SentKind::Media } else { SentKind::Probe { cluster } };
            control.path.on_sent(now, number, bytes, kind);
        } else if !control.numbered {
            control.path.on_sent(now, 0, bytes, SentKind::Media);
        }
    }

    /// Whether the pacing budget lets a packet leave now.
    pub(crate) fn may_send(&mut self, now: Instant) -> bool {
        self.control.as_mut().is_none_or(|control| control.path.pacer().budget(now) > 0)
    }

    /// What is due of a probe.
    pub(crate) fn probe(&self, now: Instant) -> Option<Probe> {
        self.control.as_ref()?.path.probe(now)
    }

    /// When to look at what waits.
    pub(crate) fn next_tick(&mut self, now: Instant) -> Option<Instant> {
        match self.control.as_mut() {
            Some(control) => Some(control.path.pacer().next_tick(now)),
            None => now.checked_add(limits::PACER_TICK),
        }
    }

    /// When congestion control wants to look, never at once.
    pub(crate) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let (at, _) = self.control.as_ref()?.path.next_timeout(now)?;
        Some(at.max(now.checked_add(limits::PACER_TICK)?))
    }

    /// Whether the estimate is still a guess: the first probes take a moment. A fall is no guess.
    pub(crate) fn is_unproven(&mut self, now: Instant) -> bool {
        let Some(control) = self.control.as_mut() else { return true };
        let since = control.video_since.unwrap_or(now);
        let over = now.saturating_duration_since(since) >= limits::UNPROVEN;
        let fell = control.path.estimate_bps() < START_BPS / 4 * 3;
        control.proven |= over || fell;
        !control.proven
    }

    /// Whether what leaves is to be shared fairly among slots: where it may have to wait.
    pub(crate) fn is_bounded(&self) -> bool {
        self.control.is_some()
    }

    /// A screen is shown, or none.
    pub(crate) fn set_screen(&mut self, now: Instant, screen: bool) {
        if self.screen != screen
            && let Some(control) = self.control.as_mut()
        {
            control.path.pacer().set_steady(now, screen);
            self.screen = screen;
        }
    }

    /// Video bytes that may wait in all.
    pub(crate) fn queue_bytes(&self) -> usize {
        self.queue_bytes_in(if self.screen {
            limits::QUEUE_TIME_SCREEN
        } else {
            limits::QUEUE_TIME
        })
    }

    /// Video bytes of one slot that may wait.
    pub(crate) fn slot_bytes(&self, screen: bool) -> usize {
        self.queue_bytes_in(if screen { limits::QUEUE_TIME_SCREEN } else { limits::QUEUE_TIME })
    }

    fn queue_bytes_in(&self, time: Duration) -> usize {
        let Some(control) = self.control.as_ref() else { return usize::MAX };
        if !control.proven {
            return limits::QUEUE_UNPROVEN;
        }
        let bps = u128::from(control.path.estimate_bps());
        let bytes = bps.saturating_mul(time.as_millis()) / 8_000;
        usize::try_from(bytes).unwrap_or(usize::MAX).max(limits::QUEUE_LEAST)
    }

    /// Time at the pacing rate for `bytes` that wait.
    pub(crate) fn drain_time(&mut self, bytes: usize) -> Duration {
        let control = self.control.as_mut();
        control.map_or(Duration::ZERO, |control| control.path.pacer().drain_time(bytes))
    }

    /// The estimate, bit/s; `None` where nothing tells of the path.
    pub(crate) fn estimate(&self) -> Option<u64> {
        Some(self.control.as_ref()?.path.estimate_bps())
    }

    /// Feedback came; false where it told of nothing that was sent.
    pub(crate) fn on_feedback(&mut self, now: Instant, feedback: &TransportCc<'_>) -> bool {
        let Some(control) = self.control.as_mut() else { return false };
        let before = control.path.counters();
        control.path.on_feedback(now, feedback);
        let after = control.path.counters();
        (before.useless, before.unknown, before.too_long)
            == (after.useless, after.unknown, after.too_long)
    }

    /// The receiver's own limit.
    pub(crate) fn on_remb(&mut self, now: Instant, bps: u64) {
        if self.control.is_none() && !self.remb {
            return;
        }
        self.control.get_or_insert_with(|| Box::new(Control::new(now))).path.on_remb(now, bps);
    }

    /// The worst block of a receiver report.
    pub(crate) fn on_report(&mut self, now: Instant, lost: u8, rtt_us: Option<u64>) {
        if let Some(control) = self.control.as_mut() {
            control.path.on_receiver_report(now, lost, rtt_us.map(Duration::from_micros));
        }
    }

    /// The peer's address changed.
    pub(crate) fn on_new_path(&mut self, now: Instant) {
        if let Some(control) = self.control.as_mut() {
            control.path.on_new_path(now);
        }
    }

    /// Time passes.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(control) = self.control.as_mut() {
            control.path.handle_timeout(now);
        }
    }

    /// What is left of the estimate beside audio, for video to share.
    pub(crate) fn video_budget(&mut self, now: Instant) -> Option<u64> {
        let control = self.control.as_mut()?;
        control.audio.measure(now);
        let mut bps = control.path.estimate_bps();
        // Where little was sent the estimate falls in halves; what arrives tells the new capacity.
        let halved =
            control.shared.is_some_and(|(_, before)| bps < before.saturating_sub(before / 3));
        if halved && control.fell == Some(now) {
            let acked = control.path.stats().acked_bps.unwrap_or(bps);
            bps = bps.min(acked.saturating_sub(acked >> 3));
        }
        Some(bps.saturating_sub(control.audio.bps))
    }

    /// No sound flows: without a picture nothing would, and the path could not be probed.
    pub(crate) fn is_silent(&self) -> bool {
        self.control.as_ref().is_none_or(|control| control.audio.bps == 0)
    }

    /// The estimate was shared: so much would be of use, so much is given to video.
    pub(crate) fn on_shared(&mut self, now: Instant, wanted_bps: u64, allocated_bps: u64) {
        let Some(control) = self.control.as_mut() else { return };
        control.shared = Some((now, control.path.estimate_bps()));
        control.wanted_bps = wanted_bps;
        control.allocated_bps = allocated_bps;
        // With the headroom that going up takes, and some for noise.
        let goal = wanted_bps.saturating_add(wanted_bps >> 2).saturating_add(control.audio.bps);
        control.path.set_wanted(goal);
    }

    /// When to share the estimate again: at once when it fell much, soon when it changed, else after
    /// a while. `None` where there is none.
    pub(crate) fn share_at(&mut self, now: Instant, changed: bool) -> Option<Instant> {
        let control = self.control.as_mut()?;
        let Some((at, before)) = control.shared else { return Some(now) };
        let estimate = control.path.estimate_bps();
        let (allocated, audio) = (control.allocated_bps, control.audio.bps);
        let fell = estimate < before.saturating_sub(before >> 3)
            && estimate < allocated.saturating_add(audio);
        if fell {
            control.fell = Some(now);
            return Some(now);
        }
        let moved = estimate.abs_diff(before) > before >> 5;
        let wait = if changed || moved || !control.proven {
            limits::SHARE_INTERVAL
        } else {
            limits::SHARE_AGAIN
        };
        at.checked_add(wait)
    }

    /// The path carries much less than a moment ago: what is not needed any more must not fill it.
    pub(crate) fn is_squeezed(&self, now: Instant) -> bool {
        let fell = self.control.as_ref().and_then(|control| control.fell);
        fell.is_some_and(|at| now.saturating_duration_since(at) < limits::SQUEEZED)
    }

    /// For statistics.
    pub(crate) fn look(&self) -> Look {
        self.control.as_ref().map_or_else(Look::default, |control| Look {
            estimate_bps: control.path.estimate_bps(),
            wanted_bps: control.wanted_bps,
            allocated_bps: control.allocated_bps,
            probes: control.probes,
        })
    }
}

impl Control {
    fn new(now: Instant) -> Self {
        Self {
            path: weir_bwe::Leg::new(now, LegConfig::default()),
            numbered: false,
            next: 0,
            last_cluster: 0,
            probes: 0,
            shared: None,
            wanted_bps: 0,
            allocated_bps: 0,
            audio: Meter::default(),
            video_since: None,
            proven: false,
            fell: None,
        }
    }
}

impl Meter {
    fn measure(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= Duration::from_secs(1) {
            let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
            self.bps = self.bytes.saturating_mul(8_000).checked_div(ms).unwrap_or(0);
            self.bytes = 0;
            self.since = Some(now);
        }
    }
}
