//! An application-limited region: the estimate is kept while little is sent.

use weir_bwe::Limit;

use crate::common::{Path, Source, World, ms};

#[test]
fn the_estimate_stays_while_little_is_sent() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 1);
    world.run(ms(20_000));
    let before = world.estimate();
    world.source = Source::Fixed(150e3);
    world.run(ms(60_000));
    let after = world.estimate();
    println!("little to send: before {before:.0}, after a minute of 150 kbit/s {after:.0}");
    assert!(world.leg.stats().app_limited);
    assert!(after > 0.9 * before && after < 1.1 * before);
    assert_eq!(world.leg.estimate().limit, Limit::Delay);
}

#[test]
fn stale_data_does_not_lift_it() {
    // 100 kbit/s of a wide path, and nobody wants more.
    let mut world = World::new(Path { rate: 50e6, ..Path::default() }, Source::Fixed(100e3), 2);
    world.run(ms(60_000));
    println!("100 kbit/s on 50 Mbit/s: {:.0}", world.estimate());
    assert!(world.estimate() <= 1e6, "{}", world.estimate());
    assert!(world.estimate() >= 500e3, "{}", world.estimate());
}

#[test]
fn nothing_is_probed_when_enough_is_known() {
    let mut world = World::new(Path::default(), Source::Fixed(400e3), 3);
    world.run(ms(30_000));
    let padding: f64 = world.seconds.iter().map(|second| second.padding).sum();
    assert!(padding == 0.0, "{padding} bits of padding though the start rate is enough");
}

#[test]
fn an_idle_leg_asks_for_no_timer() {
    let mut world = World::new(Path::default(), Source::Fixed(400e3), 3);
    world.run(ms(5_000));
    assert!(world.leg.next_timeout(world.instant()).is_some());
    world.source = Source::Fixed(0.0);
    world.run(ms(5_000));
    assert_eq!(world.leg.next_timeout(world.instant()), None);
}
