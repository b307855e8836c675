//! A path with a bottleneck: rate, queue, delay, loss, jitter; all of it by a seed.

use std::time::Duration;

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What the bottleneck and the way beyond do.
#[derive(Debug, Clone)]
pub struct Path {
    /// bit/s.
    pub rate: f64,
    /// Longest wait in the bottleneck's queue; what would wait longer is dropped.
    pub queue: Duration,
    /// There and back.
    pub rtt: Duration,
    /// Share lost at random, before the bottleneck.
    pub loss: f64,
    /// Chance that a packet begins a burst of losses, and mean packets of a burst.
    pub burst: (f64, f64),
    /// Up to this much more delay for each packet by itself.
    pub jitter: Duration,
    /// Jittered packets overtake each other.
    pub reorder: bool,
    /// Polices instead of queueing: what exceeds the rate over this time is dropped.
    pub policer: Option<Duration>,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            rate: 3e6,
            queue: Duration::from_millis(300),
            rtt: Duration::from_millis(50),
            loss: 0.0,
            burst: (0.0, 0.0),
            jitter: Duration::ZERO,
            reorder: false,
            policer: None,
        }
    }
}

#[derive(Debug)]
pub struct Link {
    pub path: Path,
    random: Random,
    /// When the bottleneck is free again.
    free: Duration,
    last_arrival: Duration,
    burst_left: f64,
    bucket: (f64, Duration),
}

impl Link {
    pub fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            random: Random(seed),
            free: Duration::ZERO,
            last_arrival: Duration::ZERO,
            burst_left: 0.0,
            bucket: (0.0, Duration::ZERO),
        }
    }

    /// How long a packet sent now would wait.
    pub fn queued(&self, now: Duration) -> Duration {
        self.free.saturating_sub(now)
    }

    /// When the packet arrives, `None` if it is lost.
    pub fn send(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        let path = self.path.clone();
        if self.burst_left >= 1.0 {
            self.burst_left -= 1.0;
            return None;
        }
        if self.random.share() < path.burst.0 {
            self.burst_left = path.burst.1 * 2.0 * self.random.share();
            return None;
        }
        if self.random.share() < path.loss {
            return None;
        }
        let bits = bytes as f64 * 8.0;
        if let Some(depth) = path.policer {
            let (level, since) = self.bucket;
            let drained = (now - since).as_secs_f64() * path.rate;
            let level = (level - drained).max(0.0);
            if level + bits > path.rate * depth.as_secs_f64() {
                self.bucket = (level, now);
                return None;
            }
            self.bucket = (level + bits, now);
            return Some(now + path.rtt / 2);
        }
        let begin = self.free.max(now);
        if begin - now > path.queue {
            return None;
        }
        self.free = begin + Duration::from_secs_f64(bits / path.rate);
        let jitter = path.jitter.mul_f64(self.random.share());
        let mut arrival = self.free + path.rtt / 2 + jitter;
        if !path.reorder {
            arrival = arrival.max(self.last_arrival);
        }
        self.last_arrival = arrival;
        Some(arrival)
    }
}
