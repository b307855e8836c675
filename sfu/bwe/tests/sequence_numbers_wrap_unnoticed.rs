//! The transport-wide sequence number starts near its end.

use weir_bwe::LegConfig;

use crate::common::{Path, Source, World, ms};

#[test]
fn sequence_numbers_wrap_unnoticed() {
    let run = |seq| {
        let config = LegConfig::default();
        let mut world = World::with(Path::default(), Source::Follows(3e6), 1, config, seq);
        world.run(ms(10_000));
        (world.leg.estimate(), world.leg.counters(), world.estimates)
    };
    assert_eq!(run(0), run(65_500));
    assert_eq!(run(0), run(65_535));
}

#[test]
fn many_wraps_leave_it_as_it_is() {
    // 20 Mbit/s are about 2,000 packets a second: two minutes are three rounds.
    let mut world = World::new(Path { rate: 20e6, ..Path::default() }, Source::Follows(25e6), 1);
    world.run(ms(120_000));
    let mean = world.mean_estimate(60) / 20e6;
    let counters = world.leg.counters();
    println!("two minutes at 20 Mbit/s: {mean:.2}, {counters:?}");
    assert!(counters.arrived > 3 * 65_536);
    assert_eq!(counters.unknown, 0);
    assert!((0.8..1.2).contains(&mean));
}
