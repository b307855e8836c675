//! The slope of the queueing delay over the last groups, against a threshold that adapts to jitter
//! (libwebrtc `TrendlineEstimator`).

use super::{Arrived, DelaySignal, Usage, inter_arrival::InterArrival, standing::Standing};

/// Groups in the regression.
const WINDOW: usize = 20;
const SMOOTHING: f64 = 0.9;
const GAIN: f64 = 4.0;
/// Groups that count at most in the trend.
const MAX_DELTAS: f64 = 60.0;
/// ms.
const FIRST_THRESHOLD: f64 = 12.5;
const THRESHOLDS: (f64, f64) = (6.0, 600.0);
/// Per ms.
const K_UP: f64 = 0.0087;
const K_DOWN: f64 = 0.039;
/// A trend further than this above the threshold does not move it, ms.
const MAX_ADAPT: f64 = 15.0;
/// Jitter may account for so much of a trend, per ms of it.
const HELD_UP: f64 = 0.1;
/// Overuse must last this long, ms.
const OVERUSE_MS: f64 = 10.0;

#[derive(Debug)]
pub(crate) struct Trendline {
    groups: InterArrival,
    standing: Standing,
    /// Pairs of (arrival time, smoothed delay) in ms, a ring.
    points: [(f64, f64); WINDOW],
    filled: usize,
    next: usize,
    first_arrival_us: Option<i64>,
    deltas: f64,
    accumulated_ms: f64,
    smoothed_ms: f64,
    previous_trend: f64,
    threshold: f64,
    updated_us: Option<i64>,
    over_ms: Option<f64>,
    over_count: u32,
    usage: Usage,
}

impl Default for Trendline {
    fn default() -> Self {
        Self {
            groups: InterArrival::default(),
            standing: Standing::default(),
            points: [(0.0, 0.0); WINDOW],
            filled: 0,
            next: 0,
            first_arrival_us: None,
            deltas: 0.0,
            accumulated_ms: 0.0,
            smoothed_ms: 0.0,
            previous_trend: 0.0,
            threshold: FIRST_THRESHOLD,
            updated_us: None,
            over_ms: None,
            over_count: 0,
            usage: Usage::Normal,
        }
    }
}

impl DelaySignal for Trendline {
    fn on_packet(&mut self, now_us: i64, packet: &Arrived) {
        self.standing.on_packet(packet);
        let Some(delta) = self.groups.on_packet(now_us, packet) else { return };
        let sent_ms = delta.sent as f64 / 1e3;
        self.deltas = (self.deltas + 1.0).min(1_000.0);
        let first = *self.first_arrival_us.get_or_insert(packet.arrival_us);
        self.accumulated_ms += delta.arrival as f64 / 1e3 - sent_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.accumulated_ms;
        let at_ms = packet.arrival_us.saturating_sub(first) as f64 / 1e3;
        if let Some(point) = self.points.get_mut(self.next) {
            *point = (at_ms, self.smoothed_ms);
        }
        self.next = self.next.saturating_add(1) % WINDOW;
        self.filled = self.filled.saturating_add(1).min(WINDOW);
        let trend = if self.filled == WINDOW {
            slope(&self.points).unwrap_or(self.previous_trend)
        } else {
            self.previous_trend
        };
        self.detect(trend, sent_ms, packet.arrival_us);
    }

    fn usage(&self) -> Usage {
        match self.usage {
            Usage::Over if !self.standing.stands() => Usage::Normal,
            usage => usage,
        }
    }
}

impl Trendline {
    /// Delay that comes of packets held up together, microseconds.
    pub(crate) fn held_up_us(&self) -> i64 {
        self.standing.held_up_us()
    }

    fn detect(&mut self, trend: f64, sent_ms: f64, at_us: i64) {
        if self.deltas < 2.0 {
            self.usage = Usage::Normal;
            return;
        }
        let modified = self.deltas.min(MAX_DELTAS) * trend * GAIN;
        let noise = self.standing.held_up_us() as f64 / 1e3 * HELD_UP;
        if modified > self.threshold.max(THRESHOLDS.0 + noise) {
            let over = match self.over_ms {
                None => sent_ms / 2.0,
                Some(over) => over + sent_ms,
            };
            self.over_ms = Some(over);
            self.over_count = self.over_count.saturating_add(1);
            if over > OVERUSE_MS && self.over_count > 1 && trend >= self.previous_trend {
                self.over_ms = Some(0.0);
                self.over_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_ms = None;
            self.over_count = 0;
            self.usage = if modified < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.previous_trend = trend;
        self.adapt(modified, at_us);
    }

    fn adapt(&mut self, modified: f64, at_us: i64) {
        let updated = self.updated_us.replace(at_us).unwrap_or(at_us);
        if modified.abs() > self.threshold + MAX_ADAPT {
            return;
        }
        let k = if modified.abs() < self.threshold { K_DOWN } else { K_UP };
        let passed_ms = (at_us.saturating_sub(updated).max(0) as f64 / 1e3).min(100.0);
        self.threshold += k * (modified.abs() - self.threshold) * passed_ms;
        self.threshold = self.threshold.clamp(THRESHOLDS.0, THRESHOLDS.1);
    }
}

/// Least squares.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0, y + p.1));
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x) * (x - mean_x);
    }
    (below > 0.0).then(|| above / below)
}
