//! One clock for stamps: wall time as it was at the start, moved on by the monotonic clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between 1900 and 1970, in seconds: NTP's era begins there (RFC 5905 6).
const NTP_OFFSET: u64 = 2_208_988_800;

/// Reads no time after it was made: callers have an [`Instant`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: Instant,
    wall_us: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { base: Instant::now(), wall_us: wall.as_micros() as u64 }
    }

    /// Microseconds since 1970.
    pub(crate) fn micros(&self, at: Instant) -> u64 {
        self.wall_us + at.saturating_duration_since(self.base).as_micros() as u64
    }

    /// Since the start.
    pub(crate) fn elapsed(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.base)
    }

    /// The kernel's time of arrival where it is credible, that is at most a minute before `now`.
    pub(crate) fn arrival(&self, now: Instant, kernel: Option<Duration>) -> u64 {
        let now_us = self.micros(now);
        let told = kernel.map(|since| since.as_micros() as u64);
        told.filter(|us| *us <= now_us && now_us - us < 60_000_000).unwrap_or(now_us)
    }

    /// 32.32 fixed point seconds since 1900.
    pub(crate) fn ntp(&self, at: Instant) -> u64 {
        let us = self.micros(at);
        ((us / 1_000_000 + NTP_OFFSET) << 32) | (((us % 1_000_000) << 32) / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_the_kernels_unless_its_clock_was_moved() {
        let clock = Clock::start();
        let now = clock.base + Duration::from_secs(1);
        let now_us = clock.micros(now);
        let told = |us: u64| clock.arrival(now, Some(Duration::from_micros(us)));
        assert_eq!(told(now_us - 300), now_us - 300);
        assert_eq!(told(now_us + 1), now_us);
        assert_eq!(told(now_us - 61_000_000), now_us);
        assert_eq!(clock.arrival(now, None), now_us);
    }

    #[test]
    fn ntp_counts_from_1900() {
        let clock = Clock { base: Instant::now(), wall_us: 500_000 };
        assert_eq!(clock.ntp(clock.base), (NTP_OFFSET << 32) | 0x8000_0000);
    }
}
