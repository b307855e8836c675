//! 3 Mbit/s, 600 kbit/s, 3 Mbit/s: within 2 s less is sent than passes and the queue is gone; back
//! within 10 s.

use crate::common::{Path, Source, World, ms};

fn squeeze(source: Source, seed: u64) -> World {
    let mut world = World::new(Path::default(), source, seed);
    world.run(ms(20_000));
    let before = world.mean_estimate(5);
    world.link.path.rate = 600e3;
    // Not always at the same time after the last probe.
    world.run(ms(20_000 + seed * 1_300));
    let after = world.seconds[22];
    let later = world.mean_estimate(10);
    world.link.path.rate = 3e6;
    let back = world.until_estimate(2.4e6 * 1.05, ms(15_000));
    println!(
        "squeeze, seed {seed}: before {before:.0}; third second: sent {:.0}, queue at most {:?}; \
         then estimate {later:.0}; back after {back:?}",
        after.sent, after.queue
    );
    assert!(before >= 2.4e6, "before: {before}");
    assert!(after.sent < 600e3, "sent {} in the third second", after.sent);
    assert!(after.queue < ms(100), "the queue has not drained: {:?}", after.queue);
    assert!(later > 300e3, "the estimate collapsed: {later}");
    assert!(back.is_some_and(|back| back <= ms(10_000)), "back after {back:?}");
    world
}

#[test]
fn the_rate_follows_a_squeeze_and_comes_back() {
    for seed in 0..10 {
        squeeze(Source::Follows(3e6), seed);
    }
}

#[test]
fn layers_follow_a_squeeze_and_come_back() {
    for seed in 0..10 {
        squeeze(Source::Layers([150e3, 500e3, 2.4e6]), seed);
    }
}
