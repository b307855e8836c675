//! One way of one link as a pure function: a packet and a time go in, the times at which copies of
//! it arrive come out.

mod bucket;
mod history;

pub use history::{Span, TICK};

use bucket::{Bucket, Rates};
use history::History;
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
    /// Packets within this time share one draw of the jitter, as radio links hold packets up
    /// together. Zero draws for each.
    pub jitter_hold: Duration,
    /// Share of packets held up by [`Self::reorder_by`], so that later ones overtake them.
    pub reorder: f64,
    /// See [`Self::reorder`].
    pub reorder_by: Duration,
    /// Losses.
    pub loss: Loss,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Bits per second, unlimited without. For changes that are known ahead see
    /// [`Link::rate_from`].
    pub rate_bps: Option<u64>,
    /// How long a packet may wait for the rate before the queue's tail drops it.
    pub queue: Duration,
    /// Bytes that a token bucket holds: so many pass at once after a pause, and only then does the
    /// rate tell. With a `queue` of zero this is a policer.
    pub burst: u32,
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

    /// 25 ms and `rate_bps` bits per second behind a queue of 300 ms, as a home router's.
    #[must_use]
    pub fn narrow(rate_bps: u64) -> Self {
        Self {
            delay: Duration::from_millis(25),
            rate_bps: Some(rate_bps),
            queue: Duration::from_millis(300),
            ..Self::default()
        }
    }

    /// The same, shaped by a token bucket of `burst` bytes, as `tc tbf` and operators do.
    #[must_use]
    pub fn shaped(rate_bps: u64, burst: u32) -> Self {
        Self { burst, ..Self::narrow(rate_bps) }
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

/// SplitMix64: a link rolls five times for each packet, and a crowd has thousands of links.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// 0 to 1, without 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// One way of a link.
#[derive(Debug)]
pub struct Link {
    /// Can be changed at any time. What waits in the queue then leaves as it would have.
    pub config: LinkConfig,
    dice: Dice,
    bad: bool,
    bucket: Bucket,
    last: Option<Instant>,
    held: Option<(Instant, f64)>,
    /// From when on which rate, in order.
    plan: Vec<(Instant, Option<u64>)>,
    counters: LinkCounters,
    history: History,
}

impl Link {
    /// The same `config`, `seed` and packets give the same fate.
    #[must_use]
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            dice: Dice(seed),
            bad: false,
            bucket: Bucket::default(),
            last: None,
            held: None,
            plan: Vec::new(),
            counters: LinkCounters::default(),
            history: History::default(),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// Has these qualities from now on; changes given ahead are forgotten.
    pub fn set(&mut self, config: LinkConfig) {
        self.config = config;
        self.plan.clear();
    }

    /// From `at` on it has this rate, also for what waits in its queue then. Goes before
    /// [`LinkConfig::rate_bps`] from then on. Changes are given in order of time.
    ///
    /// # Panics
    /// When `at` is before the change given last.
    pub fn rate_from(&mut self, at: Instant, rate_bps: Option<u64>) {
        assert!(self.plan.last().is_none_or(|(last, _)| *last <= at), "changes go in order");
        self.plan.push((at, rate_bps));
    }

    /// Bits per second at `at`, unlimited without.
    #[must_use]
    pub fn rate_at(&self, at: Instant) -> Option<u64> {
        Rates { plan: &self.plan, otherwise: self.config.rate_bps }.at(at)
    }

    /// How long a packet sent at `now` would wait for its turn.
    #[must_use]
    pub fn queue_delay(&self, now: Instant) -> Duration {
        self.bucket.at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// What happened between two times, in steps of [`TICK`].
    #[must_use]
    pub fn between(&self, from: Instant, to: Instant) -> Span {
        self.history.between(from, to)
    }

    /// Sends `bytes` bytes; gives when the packet and its copy arrive, if they do.
    pub fn send(&mut self, now: Instant, bytes: usize) -> [Option<Instant>; 2] {
        self.counters.packets += 1;
        self.counters.bytes += bytes as u64;
        // The same draws for each packet: one quality changed leaves the others' fate alone.
        let [chance, jitter, reorder, twice, state] = std::array::from_fn(|_| self.dice.roll());
        let waits = self.queue_delay(now);
        let span = self.history.at(now);
        span.packets += 1;
        span.bytes += bytes as u64;
        span.queue_delay = span.queue_delay.max(waits);
        if self.is_lost(chance, state) {
            self.counters.lost += 1;
            self.history.at(now).lost += 1;
            return [None, None];
        }
        let Some(left) = self.leave(now, bytes) else {
            self.counters.overflowed += 1;
            self.history.at(now).overflowed += 1;
            return [None, None];
        };
        self.history.at(left).delivered_bytes += bytes as u64;
        let jitter = self.hold(now, jitter);
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

    /// The draw that counts now.
    fn hold(&mut self, now: Instant, draw: f64) -> f64 {
        match self.held {
            Some((until, draw)) if now < until => draw,
            _ => {
                self.held = Some((now + self.config.jitter_hold, draw));
                draw
            }
        }
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
        if self.plan.is_empty() && self.config.rate_bps.is_none() {
            return Some(now);
        }
        let rates = Rates { plan: &self.plan, otherwise: self.config.rate_bps };
        self.bucket.take(now, bytes, &self.config, rates)
    }
}
