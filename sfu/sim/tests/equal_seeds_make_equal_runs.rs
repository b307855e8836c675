use crate::common::secs;
use std::time::Instant;
use weir_sim::{LinkConfig, PeerSetup, Source, World};

fn run(seed: u64) -> u64 {
    let mut world = World::new(Instant::now(), seed, 2);
    world.link = LinkConfig { duplicate: 0.01, ..LinkConfig::lossy(0.05) };
    for id in 1..5 {
        let setup = PeerSetup::new(id, id % 2).publish(Source::microphone());
        world.join((id % 2) as usize, setup.publish(Source::simulcast_camera()));
    }
    world.run(secs(3));
    let digest = world.digest();
    world.finish();
    digest
}

#[test]
fn equal_seeds_make_equal_runs() {
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
