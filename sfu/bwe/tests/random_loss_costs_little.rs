//! Loss that comes from the path and not from us: 5 % costs at most 30 % of the rate, 10 % at most
//! 60 %.

use crate::common::{Path, Source, World, ms};

fn mean(rate: f64, loss: f64, seed: u64) -> f64 {
    let path = Path { rate, loss, ..Path::default() };
    let mut world = World::new(path, Source::Follows(25e6), seed);
    world.run(ms(60_000));
    let mean = world.mean_estimate(40) / rate;
    println!("loss {loss}, {rate:.0}, seed {seed}: estimate {mean:.2} of the capacity");
    mean
}

#[test]
fn five_percent_cost_at_most_thirty() {
    for rate in [1e6, 3e6, 10e6] {
        for seed in 0..3 {
            assert!(mean(rate, 0.05, seed) >= 0.7);
        }
    }
}

#[test]
fn ten_percent_cost_at_most_sixty() {
    for rate in [1e6, 3e6, 10e6] {
        for seed in 0..3 {
            assert!(mean(rate, 0.10, seed) >= 0.4);
        }
    }
}
