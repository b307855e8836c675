//! A bound on what one receiver may ask for again.

use crate::limits;
use std::time::Instant;

/// Two buckets: packets, and bytes where the path is known. What is asked for again goes before
/// other video, which must not starve by it.
#[derive(Debug)]
pub(crate) struct Resends {
    last: Option<Instant>,
    packets: f64,
    bytes: f64,
}

impl Default for Resends {
    fn default() -> Self {
        Self { last: None, packets: limits::RESEND_BURST, bytes: limits::RESEND_BURST_BYTES }
    }
}

impl Resends {
    /// Takes one packet of `bytes` out of the allowance, for a path of `estimate_bps`.
    pub(crate) fn take(&mut self, now: Instant, bytes: u16, estimate_bps: Option<u64>) -> bool {
        let passed =
            self.last.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f64());
        self.last = Some(now);
        self.packets = (self.packets + passed * limits::RESENDS_A_SECOND).min(limits::RESEND_BURST);
        if let Some(bps) = estimate_bps {
            let share = bps as f64 / 8.0 * limits::RESEND_SHARE;
            self.bytes = (self.bytes + passed * share).min(limits::RESEND_BURST_BYTES);
            if self.bytes <= 0.0 {
                return false;
            }
        }
        if self.packets < 1.0 {
            return false;
        }
        self.packets -= 1.0;
        self.bytes -= f64::from(bytes);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_storm_gets_a_burst_and_a_share_of_the_path() {
        let start = Instant::now();
        let granted = |estimate| {
            let mut resends = Resends::default();
            let mut count = |ms| {
                let now = start + Duration::from_millis(ms);
                (0..1_000).filter(|_| resends.take(now, 1_000, estimate)).count()
            };
            [count(0), count(0), count(500), count(10_500)]
        };
        // 40 kB, then a third of 300 kbit/s.
        assert_eq!(granted(Some(300_000)), [40, 0, 7, 40]);
        assert_eq!(granted(None), [200, 0, 200, 200]);
    }
}
