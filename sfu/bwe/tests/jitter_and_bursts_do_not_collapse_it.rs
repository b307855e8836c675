//! 200 ms of jitter, in order or not, and losses in bursts leave at least 60 % of the capacity.

use crate::common::{Path, Source, World, ms};

fn mean(path: Path, seed: u64) -> f64 {
    let mut world = World::new(path.clone(), Source::Follows(25e6), seed);
    world.run(ms(60_000));
    let mean = world.mean_estimate(40) / path.rate;
    println!(
        "jitter {:?} reorder {} bursts {:?}, seed {seed}: {mean:.2}, {:?}",
        path.jitter,
        path.reorder,
        path.burst,
        world.leg.counters()
    );
    mean
}

#[test]
fn jitter_in_order() {
    for seed in 0..5 {
        assert!(mean(Path { jitter: ms(200), ..Path::default() }, seed) >= 0.6);
    }
}

#[test]
fn jitter_that_reorders() {
    for seed in 0..5 {
        assert!(mean(Path { jitter: ms(200), reorder: true, ..Path::default() }, seed) >= 0.6);
    }
}

#[test]
fn losses_in_bursts() {
    for seed in 0..5 {
        assert!(mean(Path { burst: (0.002, 15.0), ..Path::default() }, seed) >= 0.6);
    }
}
