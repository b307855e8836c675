//! A bottleneck: tokens of bits that come at a rate which changes, and a bucket that holds some.

use super::LinkConfig;
use std::time::{Duration, Instant};

/// Bits times a second's nanoseconds, so that no division rounds before the last.
const SECOND: u128 = 1_000_000_000;

/// What rate when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates<'a> {
    /// From when on which, in order.
    pub(super) plan: &'a [(Instant, Option<u64>)],
    /// Before that.
    pub(super) otherwise: Option<u64>,
}

impl Rates<'_> {
    /// Bits per second, unlimited without.
    pub(super) fn at(&self, at: Instant) -> Option<u64> {
        let planned = self.plan.iter().rev().find(|(from, _)| *from <= at);
        planned.map_or(self.otherwise, |(_, rate)| *rate)
    }

    fn change_after(&self, at: Instant) -> Option<Instant> {
        self.plan.iter().map(|(from, _)| *from).find(|from| *from > at)
    }

    /// When `left` tokens have come since `at`.
    fn until(&self, mut at: Instant, mut left: u128) -> Instant {
        while let Some(rate) = self.at(at).map(|rate| u128::from(rate.max(1))) {
            let needs = Duration::from_nanos(u64::try_from(left / rate).unwrap_or(u64::MAX / 4));
            match self.change_after(at).filter(|change| *change < at + needs) {
                None => return at + needs,
                Some(change) => {
                    left = left.saturating_sub((change - at).as_nanos() * rate);
                    at = change;
                }
            }
        }
        at
    }

    /// Tokens that come between two times; without a limit more than any bucket holds.
    fn between(&self, mut at: Instant, to: Instant) -> u128 {
        let mut sum = 0u128;
        while at < to {
            let next = self.change_after(at).map_or(to, |change| change.min(to));
            let Some(rate) = self.at(at) else { return u128::MAX };
            sum += (next - at).as_nanos() * u128::from(rate.max(1));
            at = next;
        }
        sum
    }
}

#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// When the last packet has left, or leaves.
    pub(super) at: Option<Instant>,
    /// Tokens that were left then.
    tokens: u128,
}

impl Bucket {
    /// When a packet has left that comes at `now`; `None` when the queue is full.
    pub(super) fn take(
        &mut self,
        now: Instant,
        bytes: usize,
        config: &LinkConfig,
        rates: Rates<'_>,
    ) -> Option<Instant> {
        let holds = u128::from(config.burst) * 8 * SECOND;
        let needs = bytes as u128 * 8 * SECOND;
        let begin = self.at.map_or(now, |at| at.max(now));
        if begin - now > config.queue {
            return None;
        }
        // At first it is full.
        let came = self.at.map_or(u128::MAX, |at| rates.between(at, begin));
        let tokens = self.tokens.saturating_add(came).min(holds);
        let left = rates.until(begin, needs.saturating_sub(tokens));
        if config.burst > 0 && left - now > config.queue {
            return None;
        }
        self.tokens = tokens.saturating_sub(needs);
        self.at = Some(left);
        Some(left)
    }
}
