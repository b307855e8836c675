//! One way of one link as a pure function: a packet and a time go in, the times at which copies of
//! it arrive come out.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// How packets are lost. Probabilities are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// Not at all.
    #[default]
    None,
    /// Each on its own.
    Uniform(f64),
    /// In bursts (Gilbert-Elliott): a good state without loss and a bad one.
    Bursts {
        /// From good to bad, per packet.
        enter: f64,
        /// From bad to good, per packet: bursts are 1/leave packets long.
        leave: f64,
        /// Loss in the bad state.
        loss: f64,
    },
}

/// Qualities of one way of a link.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkConfig {
    /// Propagation.
    pub delay: Duration,
    /// Up to this much more, uniformly; keeps the order.
    pub jitter: Duration,
    /// Share of packets held up by [`Self::reorder_by`], so that later ones overtake them.
    pub reorder: f64,
    /// See [`Self::reorder`].
    pub reorder_by: Duration,
    /// Losses.
    pub loss: Loss,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Bits per second, unlimited without.
    pub rate_bps: Option<u64>,
    /// How long a packet may wait for the rate before the queue's tail drops it.
    pub queue: Duration,
}

impl LinkConfig {
    /// Nothing but `delay`.
    #[must_use]
    pub fn clean(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// 50 ms, jitter, reordering, and `loss` of all packets lost.
    #[must_use]
    pub fn lossy(loss: f64) -> Self {
        Self {
            delay: Duration::from_millis(50),
            jitter: Duration::from_millis(5),
            reorder: 0.02,
            reorder_by: Duration::from_millis(15),
            loss: Loss::Uniform(loss),
            ..Self::default()
        }
    }
}

/// What became of a link's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounters {
    /// Given to it.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Dropped by the full queue.
    pub overflowed: u64,
    /// Delivered twice.
    pub duplicated: u64,
}

/// One way of a link.
#[derive(Debug)]
pub struct Link {
    /// Can be changed at any time.
    pub config: LinkConfig,
    rng: StdRng,
    bad: bool,
    idle_at: Option<Instant>,
    last: Option<Instant>,
    counters: LinkCounters,
}

impl Link {
    /// The same `config`, `seed` and packets give the same fate.
    #[must_use]
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            rng: StdRng::seed_from_u64(seed),
            bad: false,
            idle_at: None,
            last: None,
            counters: LinkCounters::default(),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// Sends `bytes` bytes; gives when the packet and its copy arrive, if they do.
    pub fn send(&mut self, now: Instant, bytes: usize) -> [Option<Instant>; 2] {
        self.counters.packets += 1;
        self.counters.bytes += bytes as u64;
        // The same draws for each packet: one quality changed leaves the others' fate alone.
        let [chance, jitter, reorder, twice, state] = std::array::from_fn(|_| self.rng.random());
        if self.is_lost(chance, state) {
            self.counters.lost += 1;
            return [None, None];
        }
        let Some(left) = self.leave(now, bytes) else {
            self.counters.overflowed += 1;
            return [None, None];
        };
        let mut at = left + self.config.delay + self.config.jitter.mul_f64(jitter);
        if reorder < self.config.reorder {
            at += self.config.reorder_by;
        } else {
            at = self.last.map_or(at, |last| at.max(last));
            self.last = Some(at);
        }
        let copy = (twice < self.config.duplicate).then(|| {
            self.counters.duplicated += 1;
            at + Duration::from_millis(1)
        });
        [Some(at), copy]
    }

    fn is_lost(&mut self, chance: f64, state: f64) -> bool {
        match self.config.loss {
            Loss::None => false,
            Loss::Uniform(loss) => chance < loss,
            Loss::Bursts { enter, leave, loss } => {
                self.bad = if self.bad { state >= leave } else { state < enter };
                self.bad && chance < loss
            }
        }
    }

    /// When the last bit has left through the bottleneck; `None` when the queue is full.
    fn leave(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let Some(rate) = self.config.rate_bps else { return Some(now) };
        let start = self.idle_at.map_or(now, |at| at.max(now));
        if start - now > self.config.queue {
            return None;
        }
        let left = start + Duration::from_nanos(bytes as u64 * 8_000_000_000 / rate.max(1));
        self.idle_at = Some(left);
        Some(left)
    }
}
