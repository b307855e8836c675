//! Turns the given `Instant`s into the numbers that RTP and RTCP carry.

use std::time::{Duration, Instant};

/// NTP seconds at the Unix epoch (RFC 5905).
const NTP_UNIX: u64 = 2_208_988_800;

/// One fixed point that ties `Instant`s to wall time, given at start and never read again.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Instant,
    unix: Duration,
}

impl Clock {
    /// `base` and the time since the Unix epoch at that moment.
    #[must_use]
    pub fn new(base: Instant, unix: Duration) -> Self {
        Self { base, unix }
    }

    /// Microseconds since the base, 0 before it.
    #[must_use]
    pub fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.base).as_micros()).unwrap_or(u64::MAX)
    }

    /// NTP time, 32.32 fixed point (RFC 3550 4).
    #[must_use]
    pub fn ntp(&self, now: Instant) -> u64 {
        let since = self.unix.saturating_add(now.saturating_duration_since(self.base));
        let seconds = since.as_secs().wrapping_add(NTP_UNIX);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        (seconds << 32) | fraction
    }
}

/// The middle 32 bits of an NTP time (RFC 3550 6.4.1).
#[must_use]
pub(crate) fn compact_ntp(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// A compact NTP difference (16.16 seconds) in microseconds.
#[must_use]
pub(crate) fn compact_to_micros(compact: u32) -> u64 {
    u64::from(compact).saturating_mul(1_000_000) >> 16
}

/// A signed NTP difference in ticks of `clock_rate`.
#[must_use]
pub(crate) fn ntp_to_ticks(diff: i64, clock_rate: u32) -> i64 {
    i64::try_from((i128::from(diff).wrapping_mul(i128::from(clock_rate))) >> 32).unwrap_or(0)
}
