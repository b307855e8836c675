//! The pacer's arithmetic. The queue itself belongs to the owner, who holds the packets.

use std::time::{Duration, Instant};

use crate::limits::TICK;

/// Pacing rate as a multiple of the estimate: a key frame ten times the size of other frames, at
/// 30 fps, leaves in 10 / 30 / 2.5 = 0.13 s.
const FACTOR: f64 = 2.5;
/// The same for steady pictures.
const STEADY_FACTOR: f64 = 1.1;
/// Least pacing rate, bit/s: what a thumbnail's key frame of 10 kB needs to leave in 0.16 s.
const MIN_PACING_BPS: f64 = 500_000.0;
/// What may leave at once after a pause, seconds at the pacing rate, and at least, bytes.
const BURST_S: f64 = 0.010;
const BURST_BYTES: f64 = 3_600.0;
/// What retransmissions and probes may borrow, seconds at the pacing rate.
const DEBT_S: f64 = 0.25;
/// Waiting longer than this, video should shrink.
pub const QUEUE_SOFT: Duration = Duration::from_millis(150);
/// Waiting longer than this, video is dropped.
pub const QUEUE_HARD: Duration = Duration::from_millis(500);

/// The order in which waiting packets leave. RTCP and audio never wait: they are sent at once and
/// only consume budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Retransmissions.
    Retransmission,
    /// Video.
    Video,
    /// Padding: dropped rather than queued.
    Padding,
}

/// What the owner of a queue should do, see [`Pacer::advise`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueAdvice {
    /// All is well.
    Keep,
    /// Give video a lower layer at the next opportunity; send no padding.
    Shrink,
    /// Drop the waiting video of the tracks that have most waiting, whole frames and everything up
    /// to the track's next key frame; ask for one. Waiting retransmissions go first.
    Drop,
}

/// A bucket of bytes that fills at the pacing rate.
#[derive(Debug, Clone)]
pub struct Pacer {
    estimate_bps: f64,
    /// The pacing rate follows the estimate closely.
    steady: bool,
    rate_bps: f64,
    /// Bytes; negative after borrowing.
    budget: f64,
    last: Instant,
}

impl Pacer {
    pub(crate) fn new(now: Instant, estimate_bps: f64) -> Self {
        let rate_bps = rate(estimate_bps, false);
        Self { estimate_bps, steady: false, rate_bps, budget: burst(rate_bps), last: now }
    }

    pub(crate) fn set_estimate(&mut self, now: Instant, estimate_bps: f64) {
        self.refill(now);
        self.estimate_bps = estimate_bps;
        self.rate_bps = rate(estimate_bps, self.steady);
    }

    /// For pictures whose key frames take seconds at the estimate, as of a shared screen: they leave
    /// hardly faster than the path carries, so that no queue on it overflows (libwebrtc paces a screen
    /// at its estimate, too).
    pub fn set_steady(&mut self, now: Instant, steady: bool) {
        self.steady = steady;
        self.set_estimate(now, self.estimate_bps);
    }

    /// Pacing rate, bit/s.
    #[must_use]
    pub fn rate_bps(&self) -> u64 {
        self.rate_bps as u64
    }

    /// Bytes that may leave now. A packet may leave while this is positive, whatever its size: the
    /// rest is borrowed.
    pub fn budget(&mut self, now: Instant) -> u32 {
        self.refill(now);
        self.budget.max(0.0) as u32
    }

    /// Takes the bytes of a packet sent now, paced or not. Not for probes.
    pub fn consume(&mut self, now: Instant, bytes: u32) {
        self.refill(now);
        let debt = self.rate_bps / 8.0 * DEBT_S;
        self.budget = (self.budget - f64::from(bytes)).max(-debt);
    }

    /// When waiting packets should be looked at again: at the earliest tick of 5 ms with a budget.
    #[must_use]
    pub fn next_tick(&self, now: Instant) -> Instant {
        let missing = (1.0 - self.budget).max(0.0);
        let wait = Duration::from_secs_f64((missing * 8.0 / self.rate_bps).clamp(0.0, 1.0));
        now.checked_add(wait.max(TICK)).unwrap_or(now)
    }

    /// How long `bytes` in front take to leave at the pacing rate.
    #[must_use]
    pub fn drain_time(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64((bytes as f64 * 8.0 / self.rate_bps).clamp(0.0, 3_600.0))
    }

    /// What to do about a queue of `bytes` whose oldest packet waits since `oldest`.
    #[must_use]
    pub fn advise(&self, now: Instant, bytes: usize, oldest: Option<Instant>) -> QueueAdvice {
        let waited = oldest.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let worst = waited.max(self.drain_time(bytes));
        if worst > QUEUE_HARD {
            QueueAdvice::Drop
        } else if worst > QUEUE_SOFT {
            QueueAdvice::Shrink
        } else {
            QueueAdvice::Keep
        }
    }

    fn refill(&mut self, now: Instant) {
        let passed_s = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = self.last.max(now);
        self.budget = (self.budget + passed_s * self.rate_bps / 8.0).min(burst(self.rate_bps));
    }
}

fn rate(estimate_bps: f64, steady: bool) -> f64 {
    match steady {
        true => estimate_bps * STEADY_FACTOR,
        false => (estimate_bps * FACTOR).max(MIN_PACING_BPS),
    }
}

fn burst(rate_bps: f64) -> f64 {
    (rate_bps / 8.0 * BURST_S).max(BURST_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_leaves_at_the_pacing_rate() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start, 1_000_000.0);
        let (mut now, mut left) = (start, 50_000_u32);
        while left > 0 {
            while left > 0 && pacer.budget(now) > 0 {
                pacer.consume(now, 1_000);
                left -= 1_000;
            }
            if left > 0 {
                now = pacer.next_tick(now);
            }
        }
        let took = now - start;
        assert!((130..=170).contains(&took.as_millis()), "50 kB at 2.5 Mbit/s took {took:?}");
    }

    #[test]
    fn advice_follows_the_queue() {
        let now = Instant::now();
        let pacer = Pacer::new(now, 1_000_000.0);
        assert_eq!(pacer.advise(now, 10_000, Some(now)), QueueAdvice::Keep);
        assert_eq!(pacer.advise(now, 60_000, Some(now)), QueueAdvice::Shrink);
        assert_eq!(pacer.advise(now, 160_000, Some(now)), QueueAdvice::Drop);
        let later = now + QUEUE_HARD + TICK;
        assert_eq!(pacer.advise(later, 1_000, Some(now)), QueueAdvice::Drop);
    }
}
