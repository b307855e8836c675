//! What is known without transport-wide feedback: REMB and receiver reports.

use crate::limits::{REPORT_AGE, REPORTS_MAX_BPS};

/// Loss up to which the rate grows, and above which it falls (libwebrtc's first loss controller).
const LOW: f64 = 0.02;
const HIGH: f64 = 0.10;
/// Growth per second.
const GROWTH: f64 = 1.08;
/// Least time between two falls, beside one round trip, microseconds.
const FALL_US: i64 = 300_000;

#[derive(Debug)]
pub(crate) struct Reports {
    remb: Option<(f64, i64)>,
    report_us: Option<i64>,
    /// Rate by the reports' loss.
    bps: f64,
    changed_us: i64,
    fell_us: Option<i64>,
}

impl Reports {
    pub(crate) fn new(now_us: i64, start_bps: f64) -> Self {
        Self { remb: None, report_us: None, bps: start_bps, changed_us: now_us, fell_us: None }
    }

    pub(crate) fn on_remb(&mut self, now_us: i64, bps: f64) {
        self.remb = Some((bps, now_us));
    }

    /// A REMB that is not too old, bit/s.
    pub(crate) fn remb(&self, now_us: i64) -> Option<f64> {
        self.remb.filter(|(_, at)| fresh(now_us, *at)).map(|(bps, _)| bps)
    }

    pub(crate) fn on_report(&mut self, now_us: i64, lost: f64, rtt_us: i64, sending: bool) {
        self.report_us = Some(now_us);
        let passed_s = (now_us.saturating_sub(self.changed_us).max(0) as f64 / 1e6).min(5.0);
        self.changed_us = now_us;
        let may_fall = self
            .fell_us
            .is_none_or(|at| now_us.saturating_sub(at) >= FALL_US.saturating_add(rtt_us));
        if lost <= LOW && sending {
            self.bps = (self.bps * GROWTH.powf(passed_s) + 1_000.0).min(self.ceiling(now_us));
        } else if lost > HIGH && may_fall {
            self.bps *= 1.0 - 0.5 * lost;
            self.fell_us = Some(now_us);
        }
    }

    /// The rate while reports or REMB come, bit/s.
    pub(crate) fn rate(&mut self, now_us: i64) -> Option<f64> {
        if let Some(remb) = self.remb(now_us) {
            // The receiver saw what came: only loss it does not know of takes off.
            let lossy = self.fell_us.is_some_and(|at| fresh(now_us, at));
            if !lossy {
                self.bps = remb;
            }
            return Some(remb.min(self.bps));
        }
        self.report_us.filter(|at| fresh(now_us, *at)).map(|_| self.bps)
    }

    /// Starts over from a rate that was found otherwise.
    pub(crate) fn rebase(&mut self, now_us: i64, bps: f64) {
        self.bps = bps;
        self.changed_us = now_us;
    }

    fn ceiling(&self, now_us: i64) -> f64 {
        self.remb(now_us).unwrap_or((REPORTS_MAX_BPS as f64).max(self.bps))
    }
}

fn fresh(now_us: i64, at: i64) -> bool {
    now_us.saturating_sub(at) <= i64::try_from(REPORT_AGE.as_micros()).unwrap_or(i64::MAX)
}
