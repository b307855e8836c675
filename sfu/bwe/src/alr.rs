//! Application-limited region: the leg sends much less than it could (libwebrtc `AlrDetector`).

/// Share of the estimate below which a leg counts as limited by what it has to send.
const USAGE: f64 = 0.65;
/// Budget unused, as a share, at which the region begins and ends.
const BEGIN: f64 = 0.80;
const END: f64 = 0.50;
/// Over how long budget may build up.
const WINDOW_S: f64 = 0.5;
/// Time constant of the mean of what is needed.
const FORGET_S: f64 = 0.25;

#[derive(Debug)]
pub(crate) struct Alr {
    target_bps: f64,
    /// Bytes.
    budget: f64,
    last_us: i64,
    since_us: Option<i64>,
    /// What was needed of late, bit/s: a mean that forgets.
    need_bps: f64,
}

impl Alr {
    pub(crate) fn new(now_us: i64, target_bps: f64) -> Self {
        Self { target_bps, budget: 0.0, last_us: now_us, since_us: None, need_bps: target_bps }
    }

    pub(crate) fn active(&self) -> bool {
        self.since_us.is_some()
    }

    /// Little is sent at the moment, be it long enough for a region or not.
    pub(crate) fn idling(&self) -> bool {
        self.active() || self.need_bps < USAGE * self.target_bps
    }

    pub(crate) fn set_target(&mut self, bps: f64) {
        // The share that is unused stays.
        if self.target_bps > 0.0 {
            self.budget *= bps / self.target_bps;
        }
        self.target_bps = bps;
    }

    /// Counts what was sent; 0 bytes to let time pass.
    pub(crate) fn on_sent(&mut self, now_us: i64, bytes: f64) {
        let passed_s = now_us.saturating_sub(self.last_us).max(0) as f64 / 1e6;
        self.last_us = self.last_us.max(now_us);
        self.need_bps = self.need_bps * (-passed_s / FORGET_S).exp() + bytes * 8.0 / FORGET_S;
        let most = self.target_bps * USAGE * WINDOW_S / 8.0;
        let refilled = self.budget + self.target_bps * USAGE * passed_s / 8.0;
        self.budget = (refilled.min(most) - bytes).max(-most);
        let unused = if most > 0.0 { self.budget / most } else { 0.0 };
        if unused > BEGIN {
            self.since_us.get_or_insert(now_us);
        } else if unused < END {
            self.since_us = None;
        }
    }
}
