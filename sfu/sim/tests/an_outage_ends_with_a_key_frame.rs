use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::{Loss, PeerSetup, World};

fn pair(seed: u64) -> (World, usize, usize) {
    let mut world = world(seed);
    let speaker = world.join(0, PeerSetup::new(1, 7).talking());
    let viewer = world.join(0, PeerSetup::new(2, 7).slots(1, 1));
    world.run(secs(3));
    (world, speaker, viewer)
}

fn check(mut world: World, viewer: usize) {
    let end = world.now();
    world.run(secs(4));
    let slot = world.peer(viewer).slot("v0");
    assert_flawless(world.peer(viewer));
    // Waiting for what is missing takes 1 s at most, then a key frame is asked for.
    let first = slot.frames.iter().find(|frame| frame.at > end).expect("frames again");
    assert!(first.at - end < ms(1_300), "{:?}", first.at - end);
    let now = world.now();
    assert!(longest_gap(slot, now - ms(2_500), now) < ms(100));
    world.finish();
}

#[test]
fn an_outage_of_the_receivers_link_ends_with_a_key_frame() {
    for outage in [100, 700, 3_000] {
        let (mut world, _, viewer) = pair(outage);
        world.down(viewer).config.loss = Loss::Uniform(1.0);
        world.run(ms(outage));
        world.down(viewer).config.loss = Loss::None;
        check(world, viewer);
    }
}

#[test]
fn an_outage_of_the_publishers_link_ends_with_a_key_frame() {
    for outage in [100, 700, 3_000, 10_000] {
        let (mut world, speaker, viewer) = pair(outage);
        world.up(speaker).config.loss = Loss::Uniform(1.0);
        world.run(ms(outage));
        world.up(speaker).config.loss = Loss::None;
        check(world, viewer);
    }
}

#[test]
fn bursts_are_survived() {
    let (mut world, speaker, viewer) = pair(5);
    let bursts = Loss::Bursts { enter: 0.005, leave: 0.1, loss: 0.9 };
    world.up(speaker).config.loss = bursts;
    world.down(viewer).config.loss = bursts;
    world.run(secs(30));
    let slot = world.peer(viewer).slot("v0");
    assert!(slot.frames.len() > 700, "{}", slot.frames.len());
    world.up(speaker).config.loss = Loss::None;
    world.down(viewer).config.loss = Loss::None;
    check(world, viewer);
}
