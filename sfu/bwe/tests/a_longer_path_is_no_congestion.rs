//! A route that becomes 200 ms longer at once costs little and not for long.

use crate::common::{Path, Source, World, ms};

#[test]
fn a_longer_path_is_no_congestion() {
    for seed in 0..5 {
        let mut world = World::new(Path::default(), Source::Follows(2.5e6), seed);
        world.run(ms(20_000));
        world.link.path.rtt = ms(450);
        world.run(ms(2_000));
        let from = world.estimates.iter().filter(|(at, _)| *at > ms(20_000));
        let least = from.map(|(_, bps)| *bps).min().unwrap_or(0);
        let back = world.until_estimate(2.4e6, ms(20_000));
        println!("200 ms more each way, seed {seed}: least {least}, back after 2 s and {back:?}");
        assert!(back.is_some_and(|back| back < ms(8_000)), "{back:?}");
        world.run(ms(30_000));
        let mean = world.mean_estimate(20);
        println!("  then {mean:.0}");
        assert!(mean > 2.4e6, "{mean}");
    }
}
