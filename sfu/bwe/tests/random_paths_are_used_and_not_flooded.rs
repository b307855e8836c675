//! Fifty seeds of paths: most of the capacity is used, the queue and the losses stay bounded.

use crate::common::{Path, Random, Source, World, ms};

#[test]
fn random_paths_are_used_and_not_flooded() {
    let (mut worst, mut sum) = (f64::INFINITY, 0.0);
    for seed in 0..50 {
        let mut random = Random(seed);
        let mut between = |low: f64, high: f64| low * (high / low).powf(random.share());
        let rate = between(300e3, 10e6);
        let path = Path {
            rate,
            rtt: ms(between(20.0, 300.0) as u64),
            queue: ms(between(100.0, 1_000.0) as u64),
            jitter: ms(between(1.0, 30.0) as u64),
            loss: between(0.001, 0.03),
            ..Path::default()
        };
        let mut world = World::new(path.clone(), Source::Follows(15e6), seed);
        world.run(ms(60_000));
        let mean = world.mean_estimate(40) / rate;
        let received = world.mean_received(40) / rate;
        let (lost, arrived) = (world.leg.counters().lost, world.leg.counters().arrived);
        let excess = lost as f64 / (lost + arrived) as f64 - path.loss;
        println!(
            "seed {seed}: {rate:.0} {:?} queue {:?} jitter {:?} loss {:.3}: estimate {mean:.2}, \
             received {received:.2}, excess loss {excess:.3}",
            path.rtt, path.queue, path.jitter, path.loss
        );
        assert!((0.8..1.2).contains(&mean), "seed {seed}: estimate {mean}");
        assert!(excess < 0.05, "seed {seed}: lost {excess}");
        worst = worst.min(received);
        sum += received;
    }
    println!("received: worst {worst:.2}, mean {:.2} of the capacity", sum / 50.0);
    assert!(sum / 50.0 >= 0.8);
}
