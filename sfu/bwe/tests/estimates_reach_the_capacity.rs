//! At least 80 % of the capacity, from 300 kbit/s to 20 Mbit/s, and with round trips of 20 to 300 ms.

use crate::common::{Path, Source, World, ms};

#[test]
fn estimates_reach_the_capacity() {
    for rate in [300e3, 1e6, 3e6, 10e6, 20e6] {
        let mut world = World::new(Path { rate, ..Path::default() }, Source::Follows(25e6), 1);
        let reached = world.until_estimate(0.8 * rate, ms(20_000));
        world.run(ms(30_000));
        let (mean, received) = (world.mean_estimate(20) / rate, world.mean_received(20) / rate);
        println!("{rate:9.0}: reached after {reached:?}, mean {mean:.2}, received {received:.2}");
        assert!(reached.is_some(), "{rate} not reached: {:?}", world.leg.stats());
        assert!((0.8..1.2).contains(&mean), "{rate}: mean {mean}");
        assert!(received > 0.8, "{rate}: received {received}");
    }
}

#[test]
fn the_round_trip_does_not_matter() {
    for rtt in [20, 100, 200, 300] {
        let path = Path { rtt: ms(rtt), ..Path::default() };
        let mut world = World::new(path, Source::Follows(10e6), 2);
        let reached = world.until_estimate(2.4e6, ms(20_000));
        world.run(ms(30_000));
        let (mean, received) = (world.mean_estimate(20) / 3e6, world.mean_received(20) / 3e6);
        println!("rtt {rtt}: reached after {reached:?}, mean {mean:.2}, received {received:.2}");
        assert!(reached.is_some() && (0.8..1.2).contains(&mean) && received > 0.8);
    }
}
