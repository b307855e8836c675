//! When to probe, and how high (after libwebrtc `ProbeController`).

use super::Probe;

/// The first two clusters, as multiples of the start rate.
const FIRST: [f64; 2] = [3.0, 6.0];
/// Later clusters, as a multiple of the estimate.
const STEP: f64 = 2.0;
/// A cluster that arrived at this share of its rate is followed by a higher one.
const FURTHER: f64 = 0.7;
/// A cluster is measured when this share of it arrived.
const RECEIVED: f64 = 0.8;
/// A cluster lasts at least this long: five ticks of the pacer.
const CLUSTER_US: i64 = 25_000;
/// Beside one round trip, how long a cluster's queue shows in the delay.
const TRACE_US: i64 = 500_000;
/// Least bytes and packets of a cluster.
const CLUSTER_BYTES: f64 = 3_000.0;
const CLUSTER_PACKETS: u32 = 5;
/// A cluster that could not be sent within this time is given up.
const CLUSTER_MAX_US: i64 = 250_000;
/// Wait for a cluster's feedback, beside one round trip.
const RESULT_US: i64 = 500_000;
/// Portions of a cluster leave at the pacer's tick.
const TICK_US: i64 = 5_000;
/// Between probes: at first and after a drop, growing with each that brought nothing, up to so much
/// that the top layer is back within 10 s.
const INTERVAL_US: f64 = 2_500_000.0;
const INTERVAL_GROWTH: f64 = 1.5;
const MAX_INTERVAL_US: f64 = 6_000_000.0;
/// Between probes when more is wanted than before, or a path answers again.
const HURRY_US: f64 = 500_000.0;
/// A probe that lifts the estimate by this factor brought something.
const GAIN: f64 = 1.2;
/// A fall below this share of the estimate is a drop.
const DROP: f64 = 0.66;
/// The estimate stays this long in memory for comparison.
const BEFORE_DROP_US: i64 = 5_000_000;
/// Probes go this far beyond what is wanted, so that noise does not leave the estimate below.
const BEYOND: f64 = 1.10;

/// What decides over probes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    /// bit/s.
    pub(crate) estimate: f64,
    pub(crate) wanted: f64,
    pub(crate) max: f64,
    pub(crate) rtt_us: i64,
    /// Neither overuse nor fresh loss nor silence, and media flows.
    pub(crate) allowed: bool,
    /// The receiver has reported arrivals.
    pub(crate) feedback: bool,
}

#[derive(Debug, Clone, Copy)]
struct Cluster {
    id: u8,
    bps: f64,
    bytes: f64,
    /// None until the first bytes are sent.
    started_us: Option<i64>,
    made_us: i64,
    sent: f64,
    packets: u32,
    /// It tries all that is wanted: nothing higher follows it.
    top: bool,
}

#[derive(Debug)]
pub(crate) struct Control {
    active: Option<Cluster>,
    queued: Option<f64>,
    next_id: u8,
    begun: bool,
    /// The cluster that was sent and whose result is awaited, and until when.
    awaited: Option<(Cluster, i64)>,
    last_us: i64,
    /// The largest estimate of late and when it was.
    high: (f64, i64),
    interval_us: f64,
    /// What was wanted when the last cluster began, bit/s.
    aimed: f64,
    /// A probe is due before its turn.
    hurried: bool,
    /// The estimate when the last periodic probe began.
    before: f64,
    /// When the last cluster was sent, and when its traces are gone.
    sent_us: Option<(i64, i64)>,
}

impl Control {
    pub(crate) fn new(now_us: i64) -> Self {
        Self {
            active: None,
            queued: None,
            next_id: 1,
            begun: false,
            awaited: None,
            last_us: now_us,
            high: (0.0, now_us),
            interval_us: INTERVAL_US,
            aimed: 0.0,
            hurried: false,
            before: 0.0,
            sent_us: None,
        }
    }

    /// Notes the estimate, to see drops.
    pub(crate) fn on_estimate(&mut self, now_us: i64, bps: f64) {
        if bps >= self.high.0 || now_us.saturating_sub(self.high.1) > BEFORE_DROP_US {
            self.high = (bps, now_us);
        } else if bps < DROP * self.high.0 {
            self.interval_us = INTERVAL_US;
            self.before = 0.0;
            self.high = (bps, now_us);
            // What is on its way was meant for another path.
            self.active = None;
            self.queued = None;
            self.last_us = now_us;
        }
    }

    /// A cluster's own queue may still be at the bottleneck, or its delay on the way back.
    pub(crate) fn disturbs(&self, now_us: i64) -> bool {
        self.active.is_some_and(|cluster| cluster.started_us.is_some())
            || self.sent_us.is_some_and(|(from, until)| (from..=until).contains(&now_us))
    }

    /// Whether `bytes` of the cluster are enough to believe its rate.
    pub(crate) fn enough(&self, id: u8, bytes: f64) -> bool {
        // Of a cluster of long ago the measure has all there will be.
        self.active.is_none_or(|cluster| cluster.id != id)
            && self
                .awaited
                .is_none_or(|(cluster, _)| cluster.id != id || bytes >= RECEIVED * cluster.sent)
    }

    /// A cluster arrived at `bps`.
    pub(crate) fn on_result(&mut self, now_us: i64, id: u8, bps: f64, situation: Situation) {
        let Some((cluster, _)) = self.awaited.filter(|(cluster, _)| cluster.id == id) else {
            return;
        };
        self.awaited = None;
        self.last_us = now_us;
        let further = bps >= FURTHER * cluster.bps && !cluster.top;
        if further && situation.allowed && self.active.is_none() {
            self.start(now_us, STEP * bps, situation);
        }
    }

    /// What was known of the path is old: the next probe comes soon.
    pub(crate) fn hurry(&mut self) {
        self.hurried = true;
        self.interval_us = INTERVAL_US;
    }

    /// Starts a probe if it is time.
    pub(crate) fn process(&mut self, now_us: i64, situation: Situation) {
        if let Some(cluster) = self.active
            && now_us.saturating_sub(cluster.started_us.unwrap_or(cluster.made_us)) > CLUSTER_MAX_US
        {
            self.finish(now_us, situation.rtt_us);
        }
        if self.awaited.is_some_and(|(_, until)| now_us > until) {
            self.awaited = None;
        }
        if self.active.is_some() || !situation.allowed {
            return;
        }
        if let Some(bps) = self.queued.take() {
            self.start(now_us, bps, situation);
            return;
        }
        if self.awaited.is_some() || situation.wanted <= situation.estimate {
            return;
        }
        if !self.begun {
            self.begun = true;
            let [first, second] = FIRST.map(|factor| factor * situation.estimate);
            self.start(now_us, first, situation);
            if situation.wanted > first {
                self.queued = Some(second);
            }
            return;
        }
        let waited_us = now_us.saturating_sub(self.last_us) as f64;
        // Somebody new is to be shown: not at the leisure of a steady meeting.
        let hurried = self.hurried || situation.wanted > GAIN * self.aimed;
        let wait_us = if hurried { HURRY_US } else { self.interval_us };
        if situation.feedback && waited_us >= wait_us {
            self.hurried = false;
            self.interval_us = if situation.estimate >= GAIN * self.before {
                INTERVAL_US
            } else {
                (self.interval_us * INTERVAL_GROWTH).min(MAX_INTERVAL_US)
            };
            self.before = situation.estimate;
            self.start(now_us, STEP * situation.estimate, situation);
        }
    }

    fn start(&mut self, now_us: i64, bps: f64, situation: Situation) {
        let most = (BEYOND * situation.wanted).min(situation.max);
        if situation.wanted <= situation.estimate || most <= situation.estimate {
            return;
        }
        let bps = bps.min(most);
        self.aimed = situation.wanted;
        self.active = Some(Cluster {
            id: self.next_id,
            bps,
            bytes: (bps * CLUSTER_US as f64 / 8e6).max(CLUSTER_BYTES),
            started_us: None,
            made_us: now_us,
            sent: 0.0,
            packets: 0,
            top: bps >= most,
        });
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        self.last_us = now_us;
    }

    /// What is due of the active cluster.
    pub(crate) fn due(&self, now_us: i64) -> Option<Probe> {
        let cluster = self.active?;
        let passed_us = now_us.saturating_sub(cluster.started_us.unwrap_or(now_us)).max(0);
        // The portion of the tick that begins now.
        let until_us = passed_us.saturating_add(TICK_US) as f64;
        let due = (cluster.bps * until_us / 8e6) - cluster.sent;
        (due >= 1.0).then_some(Probe {
            cluster: cluster.id,
            rate_bps: cluster.bps as u64,
            bytes: due as u32,
        })
    }

    /// When the next portion is due.
    pub(crate) fn next_due_us(&self, now_us: i64) -> Option<i64> {
        // Never at once: an owner who cannot send it now must not be woken in a loop.
        let soonest = now_us.saturating_add(1_000);
        self.active.map(|cluster| match cluster.started_us {
            Some(started) => {
                let ahead_us = (cluster.sent * 8e6 / cluster.bps) as i64;
                started.saturating_add(ahead_us).saturating_sub(TICK_US).max(soonest)
            }
            None => soonest,
        })
    }

    /// The cluster under way: whatever is sent now is part of it.
    pub(crate) fn under_way(&self) -> Option<u8> {
        self.active.filter(|cluster| cluster.started_us.is_some()).map(|cluster| cluster.id)
    }

    /// Counts a packet of the cluster, if it is the active one.
    pub(crate) fn on_sent(&mut self, now_us: i64, id: u8, bytes: u16, rtt_us: i64) {
        let Some(cluster) = self.active.as_mut().filter(|cluster| cluster.id == id) else {
            return;
        };
        cluster.started_us.get_or_insert(now_us);
        cluster.sent += f64::from(bytes);
        cluster.packets = cluster.packets.saturating_add(1);
        if cluster.sent >= cluster.bytes && cluster.packets >= CLUSTER_PACKETS {
            self.finish(now_us, rtt_us);
        }
    }

    fn finish(&mut self, now_us: i64, rtt_us: i64) {
        let Some(cluster) = self.active.take() else { return };
        self.last_us = now_us;
        if cluster.packets > 0 {
            let until = now_us.saturating_add(rtt_us).saturating_add(RESULT_US);
            self.awaited = Some((cluster, until));
            let gone = now_us.saturating_add(rtt_us).saturating_add(TRACE_US);
            self.sent_us = Some((cluster.started_us.unwrap_or(now_us), gone));
        }
    }
}
