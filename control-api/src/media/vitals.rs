//! When each shard was last heard of.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use weir_sfu_api::ShardId;

/// The last sign of life of each shard: its statistics, which come once a second while its loop
/// turns.
#[derive(Debug)]
pub struct Vitals {
    started: Instant,
    heard: Mutex<BTreeMap<ShardId, Instant>>,
}

/// How the shards are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// All were heard of lately.
    Healthy,
    /// One has not been heard of yet, and the server has only begun.
    Starting,
    /// These are silent.
    Silent(Vec<ShardId>),
}

impl Vitals {
    /// Nothing heard yet.
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Self { started, heard: Mutex::default() }
    }

    /// A shard gave a sign of life.
    pub fn heard(&self, shard: ShardId, now: Instant) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(shard, now);
    }

    /// How shards 0 to `shards` are, of which each may be silent for `silence`.
    #[must_use]
    pub fn condition(&self, shards: u16, silence: Duration, now: Instant) -> Condition {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut starting = false;
        let mut silent = Vec::new();
        for shard in (0..shards).map(ShardId) {
            let last = heard.get(&shard);
            let since = *last.unwrap_or(&self.started);
            if now.saturating_duration_since(since) > silence {
                silent.push(shard);
            } else if last.is_none() {
                starting = true;
            }
        }
        if !silent.is_empty() {
            Condition::Silent(silent)
        } else if starting {
            Condition::Starting
        } else {
            Condition::Healthy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Vitals};
    use std::time::{Duration, Instant};
    use weir_sfu_api::ShardId;

    const SILENCE: Duration = Duration::from_secs(5);

    #[test]
    fn a_shard_that_hangs_is_found_among_those_that_live() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let vitals = Vitals::new(start);
        assert_eq!(vitals.condition(2, SILENCE, at(1)), Condition::Starting);
        vitals.heard(ShardId(0), at(1));
        assert_eq!(vitals.condition(2, SILENCE, at(2)), Condition::Starting);
        assert_eq!(vitals.condition(2, SILENCE, at(6)), Condition::Silent(vec![ShardId(1)]));
        vitals.heard(ShardId(1), at(6));
        assert_eq!(vitals.condition(2, SILENCE, at(6)), Condition::Healthy);
        assert_eq!(vitals.condition(2, SILENCE, at(7)), Condition::Silent(vec![ShardId(0)]));
        vitals.heard(ShardId(0), at(8));
        assert_eq!(vitals.condition(2, SILENCE, at(8)), Condition::Healthy);
    }
}
