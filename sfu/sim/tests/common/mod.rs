//! What several tests need.

use std::time::{Duration, Instant};
use weir_sim::World;

pub fn world(seed: u64) -> World {
    World::new(Instant::now(), seed, 1)
}

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The committed seeds; or, when a search is asked for (`WEIR_SIM_SEEDS=100..200`), those of the
/// search, whose product is a seed to commit.
pub fn seeds(committed: &[u64]) -> Vec<u64> {
    let Ok(range) = std::env::var("WEIR_SIM_SEEDS") else { return committed.to_vec() };
    let (from, to) = range.split_once("..").expect("WEIR_SIM_SEEDS is FROM..TO");
    (from.parse().unwrap()..to.parse().unwrap()).collect()
}
