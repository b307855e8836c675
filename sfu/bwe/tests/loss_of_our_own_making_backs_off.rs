//! A bottleneck that drops and does not queue shows no delay: only loss tells, and it stays low.

use crate::common::{Path, Source, World, ms};

#[test]
fn a_policer_is_found() {
    for (rate, seed) in [(1e6, 0), (3e6, 1), (3e6, 2)] {
        let path = Path { rate, policer: Some(ms(50)), ..Path::default() };
        let mut world = World::new(path, Source::Follows(25e6), seed);
        world.run(ms(20_000));
        let before = world.leg.counters();
        world.run(ms(60_000));
        let after = world.leg.counters();
        let lost = (after.lost - before.lost) as f64;
        let share = lost / (lost + (after.arrived - before.arrived) as f64);
        let mean = world.mean_estimate(60) / rate;
        println!("policer {rate:.0}: lost {share:.3}, estimate {mean:.2}");
        assert!(share < 0.06, "lost {share}");
        assert!((0.8..1.2).contains(&mean), "estimate {mean}");
    }
}

#[test]
fn a_policer_that_tightens_is_followed() {
    let path = Path { policer: Some(ms(50)), ..Path::default() };
    let mut world = World::new(path, Source::Follows(3e6), 4);
    world.run(ms(20_000));
    world.link.path.rate = 600e3;
    world.run(ms(10_000));
    let mean = world.mean_estimate(7);
    println!("policer 3,000,000 to 600,000: estimate {mean:.0} 3 to 10 s later");
    assert!(mean < 780e3, "estimate {mean}");
}

#[test]
fn a_short_queue_does_not_starve_it() {
    let path = Path { queue: ms(30), ..Path::default() };
    let mut world = World::new(path, Source::Follows(25e6), 5);
    world.run(ms(60_000));
    let mean = world.mean_estimate(40) / 3e6;
    println!("queue of 30 ms: estimate {mean:.2}");
    assert!((0.8..1.1).contains(&mean));
}
