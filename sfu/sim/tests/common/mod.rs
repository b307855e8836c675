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
