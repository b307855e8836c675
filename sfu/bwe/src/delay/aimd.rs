//! What the rate does: multiplicative far from the known capacity, additive near it, down to below
//! the measured throughput on overuse (libwebrtc `AimdRateControl`, `LinkCapacityEstimator`).

use super::Usage;

/// What is left of the throughput after overuse, and what is taken off in addition.
const BETA: f64 = 0.85;
const EXTRA_BACKOFF_BPS: f64 = 5_000.0;
/// In an application-limited region the throughput says nothing of the capacity: at most halve.
const APP_LIMITED_BACKOFF: f64 = 0.5;
/// A rising queue that lets through less than this part of the rate is a fall of the capacity.
const FALLEN: f64 = 0.8;
/// For a while after that one measure after the other counts: the first ones see the time before too.
const FALLING_US: i64 = 1_000_000;
const AGAIN: f64 = 1.1;
/// The rate is at least this part of what arrives, while no overuse was seen for so long.
const ARRIVES: f64 = 0.9;
const SETTLED_US: i64 = 1_000_000;
/// Growth per second.
const GROWTH: f64 = 1.08;
/// Least growth, bit/s per second.
const MIN_GROWTH_BPS: f64 = 1_000.0;
/// The rate never exceeds this multiple of the throughput by growing.
const AHEAD: f64 = 1.5;
const AHEAD_BPS: f64 = 10_000.0;
/// After a probe has found the path full, the rate keeps to this multiple of what it found, or of the
/// throughput if that is more, for a while: nothing is known beyond.
const CEILING: f64 = 1.10;
const AHEAD_FULL: f64 = 1.15;
const CEILING_US: i64 = 15_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hold,
    Increase,
}

/// News for [`Aimd::update`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    pub(crate) usage: Usage,
    /// bit/s.
    pub(crate) acked: Option<f64>,
    /// The same within the last moment, bit/s.
    pub(crate) delivered: Option<f64>,
    /// What the path carries by a queue that stands, bit/s, and whether it has just risen.
    pub(crate) carried: Option<(f64, bool)>,
    /// Result of a probe, bit/s, and whether the path carries no more.
    pub(crate) probe: Option<(f64, bool)>,
    pub(crate) rtt_us: i64,
    pub(crate) app_limited: bool,
    /// Little is sent at the moment.
    pub(crate) idling: bool,
    /// A probe is or was at the bottleneck: the queue may be its.
    pub(crate) probing: bool,
}

#[derive(Debug)]
pub(crate) struct Aimd {
    bps: f64,
    limits: (f64, f64),
    state: State,
    capacity: Capacity,
    changed_us: i64,
    decreased_us: Option<i64>,
    /// When the capacity was seen to fall.
    fell_us: Option<i64>,
    /// Result of the probe under way.
    probed: Option<f64>,
    /// What a probe found to be all, bit/s, and until when to keep to it.
    ceiling: Option<(f64, i64)>,
}

impl Aimd {
    pub(crate) fn new(now_us: i64, start: f64, min: f64, max: f64) -> Self {
        Self {
            bps: start,
            limits: (min, max),
            state: State::Hold,
            capacity: Capacity::default(),
            changed_us: now_us,
            decreased_us: None,
            fell_us: None,
            probed: None,
            ceiling: None,
        }
    }

    pub(crate) fn bps(&self) -> f64 {
        self.bps
    }

    /// Sets the rate from outside.
    pub(crate) fn set(&mut self, now_us: i64, bps: f64) {
        self.bps = bps.clamp(self.limits.0, self.limits.1);
        self.changed_us = now_us;
    }

    /// The capacity has just been seen to fall.
    pub(crate) fn fell(&self, now_us: i64) -> bool {
        self.fell_us == Some(now_us)
    }

    /// True if overuse lowered the rate.
    pub(crate) fn update(&mut self, now_us: i64, input: Input) -> bool {
        if !input.probing {
            self.probed = None;
        } else if input.probe.is_some() {
            self.probed = input.probe.map(|(bps, _)| bps);
        }
        let falling = self.fell_us.is_some_and(|at| now_us.saturating_sub(at) < FALLING_US);
        let part = if falling { AGAIN } else { FALLEN };
        if let Some((carried, true)) = input.carried
            && carried < part * self.bps
        {
            if !falling {
                self.fell_us = Some(now_us);
            }
            self.capacity = Capacity::default();
            self.capacity.add(carried);
            self.set(now_us, BETA * carried - EXTRA_BACKOFF_BPS);
            self.state = State::Hold;
            self.decreased_us = Some(now_us);
            return true;
        }
        match input.usage {
            Usage::Over => return self.decrease(now_us, input),
            Usage::Under => self.state = State::Hold,
            Usage::Normal => {
                if self.state == State::Hold {
                    self.changed_us = now_us;
                    self.state = State::Increase;
                }
            }
        }
        if let Some((probe, full)) = input.probe {
            if full {
                self.ceiling = Some((CEILING * probe, now_us.saturating_add(CEILING_US)));
            } else if self.ceiling.is_some_and(|(ceiling, _)| probe > ceiling) {
                self.ceiling = None;
            }
            // Probes only raise: jitter may stretch a cluster, overuse is seen by itself.
            if probe > self.bps {
                self.set(now_us, probe);
            }
        } else if self.state == State::Increase {
            self.increase(now_us, input);
        }
        false
    }

    fn increase(&mut self, now_us: i64, input: Input) {
        let Some(acked) = input.acked else { return };
        if self.capacity.bounds().is_some_and(|(_, upper)| acked > upper) {
            self.capacity = Capacity::default();
        }
        // What arrives without a queue is carried, whatever was thought before.
        let settled = self.decreased_us.is_none_or(|at| now_us.saturating_sub(at) > SETTLED_US);
        if settled && ARRIVES * acked > self.bps {
            self.set(now_us, ARRIVES * acked);
        }
        let limit = if input.app_limited { self.bps } else { AHEAD * acked + AHEAD_BPS };
        let limit = match self.ceiling {
            Some((ceiling, until)) if now_us < until => limit.min(ceiling.max(AHEAD_FULL * acked)),
            _ => limit,
        };
        let passed_s = (now_us.saturating_sub(self.changed_us).max(0) as f64 / 1e6).min(1.0);
        self.changed_us = now_us;
        if self.bps >= limit {
            return;
        }
        let more = if self.capacity.estimate.is_some() {
            // One packet per two response times.
            let frame_bits = self.bps / 30.0;
            let packet_bits = frame_bits / (frame_bits / (8.0 * 1_200.0)).ceil().max(1.0);
            let response_s = 2.0 * (input.rtt_us as f64 / 1e6 + 0.1);
            (packet_bits / response_s).max(4_000.0) * passed_s
        } else {
            (self.bps * (GROWTH.powf(passed_s) - 1.0)).max(MIN_GROWTH_BPS * passed_s)
        };
        self.bps = (self.bps + more).min(limit).clamp(self.limits.0, self.limits.1);
    }

    fn decrease(&mut self, now_us: i64, input: Input) -> bool {
        let since = now_us.saturating_sub(self.decreased_us.unwrap_or(i64::MIN / 2));
        let interval = input.rtt_us.clamp(10_000, 200_000);
        // What came while the queue stood is the path's; a mean knows the time before too.
        let through = input.carried.map(|(carried, _)| carried);
        let Some(acked) = through.map_or(input.delivered, |carried| {
            input.delivered.map(|delivered| delivered.max(carried))
        }) else {
            // Overuse before any throughput is known.
            if since < 200_000 {
                return false;
            }
            self.decreased_us = Some(now_us);
            self.set(now_us, self.bps / 2.0);
            return true;
        };
        if input.probing {
            // The queue may be the cluster's, which tells better what the path carries.
            let lowered = self.probed.filter(|probed| *probed < self.bps);
            if let Some(probed) = lowered {
                self.set(now_us, probed);
                self.decreased_us = Some(now_us);
            }
            self.state = State::Hold;
            return lowered.is_some();
        }
        if since < interval && acked >= 0.5 * self.bps {
            return false;
        }
        let mut lower = BETA * acked - EXTRA_BACKOFF_BPS;
        if input.idling {
            if since < interval {
                return false;
            }
            lower = lower.max(APP_LIMITED_BACKOFF * self.bps);
        } else {
            if lower > self.bps
                && let Some(capacity) = self.capacity.estimate
            {
                lower = BETA * capacity;
            }
            if self.capacity.bounds().is_some_and(|(below, _)| acked < below) {
                self.capacity = Capacity::default();
            }
            self.capacity.add(acked);
        }
        let lowered = lower < self.bps;
        if lowered {
            self.bps = lower.clamp(self.limits.0, self.limits.1);
        }
        self.state = State::Hold;
        self.changed_us = now_us;
        self.decreased_us = Some(now_us);
        lowered
    }
}

/// Mean and spread of the throughput at overuse, kbit/s.
#[derive(Debug)]
struct Capacity {
    estimate: Option<f64>,
    deviation: f64,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { estimate: None, deviation: 0.4 }
    }
}

impl Capacity {
    fn add(&mut self, sample: f64) {
        const ALPHA: f64 = 0.05;
        let mean = self.estimate.map_or(sample, |mean| (1.0 - ALPHA) * mean + ALPHA * sample);
        self.estimate = Some(mean);
        let (mean, sample) = (mean / 1e3, sample / 1e3);
        let error = mean - sample;
        let spread = error * error / mean.max(1.0);
        self.deviation = ((1.0 - ALPHA) * self.deviation + ALPHA * spread).clamp(0.4, 2.5);
    }

    /// Three deviations around the mean, bit/s.
    fn bounds(&self) -> Option<(f64, f64)> {
        self.estimate.map(|mean| {
            let margin = 3.0 * (self.deviation * mean / 1e3).sqrt() * 1e3;
            ((mean - margin).max(0.0), mean + margin)
        })
    }
}
