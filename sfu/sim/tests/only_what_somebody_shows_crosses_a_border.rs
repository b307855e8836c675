use crate::common::{aware, ms, secs, tile, two_shards, view};
use weir_sfu_api::{Event, PeerId, Tile};
use weir_sim::oracles::{assert_flawless, pictures};
use weir_sim::{PeerSetup, Source, World};

/// A publisher with three layers on the first shard, a viewer on the second, both there for a while.
fn meet(seed: u64) -> (World, usize, usize) {
    let mut world = two_shards(seed);
    let camera = Source { pace: None, ..Source::meeting_camera() };
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(camera));
    let viewer = world.join(1, aware(2, 0, 1));
    world.run(secs(1));
    (world, speaker, viewer)
}

fn sized(height: u16) -> Tile {
    Tile { width: height / 9 * 16, height, ..tile(1) }
}

/// Packets that cross within a time.
fn crossing(world: &mut World, millis: u64) -> u64 {
    let before = world.shard(0).counters().crossed;
    world.run(ms(millis));
    world.shard(0).counters().crossed - before
}

/// What the publisher was told last of each layer.
fn told(world: &World) -> Vec<bool> {
    let last = world.events.iter().rev().find_map(|(_, _, event)| match event {
        Event::LayerDemand { peer: PeerId(1), layers, .. } => {
            Some(layers.iter().map(|layer| layer.active).collect())
        }
        _ => None,
    });
    last.unwrap_or_else(|| vec![true; 3])
}

fn heights(world: &World, viewer: usize, millis: u64) -> Vec<u16> {
    let (from, now) = (world.now() - ms(millis), world.now());
    let mut seen: Vec<u16> = pictures(world.peer(viewer).slot("v0"), from, now)
        .iter()
        .map(|picture| picture.resolution.1)
        .collect();
    seen.dedup();
    seen
}

#[test]
fn only_what_somebody_shows_crosses_a_border() {
    let (mut world, _, viewer) = meet(1);
    assert_eq!(crossing(&mut world, 1_000), 0, "nobody shows it");

    // Before anything is known of its layers all of them cross, then the small one.
    view(&mut world, viewer, vec![sized(180)], 0);
    world.run(secs(5));
    assert_eq!(heights(&world, viewer, 1_000), [180]);
    assert_eq!(told(&world), [true, false, false]);
    let small = crossing(&mut world, 1_000);
    assert!((20..60).contains(&small), "{small} packets");

    // The publisher sends all for somebody on its own shard: the small one crosses.
    let near = world.join(0, aware(3, 0, 1));
    view(&mut world, near, vec![sized(720)], 0);
    world.run(secs(6));
    assert_eq!(heights(&world, near, 500), [720]);
    assert_eq!(heights(&world, viewer, 500), [180]);
    let beside = crossing(&mut world, 1_000);
    assert!(beside < small * 3 / 2, "{beside} packets, {small} before");

    // Wanted large there too: at once.
    let change = world.now();
    view(&mut world, viewer, vec![sized(720)], 0);
    world.run(secs(4));
    assert_eq!(heights(&world, viewer, 500), [720]);
    let first = pictures(world.peer(viewer).slot("v0"), change, world.now());
    assert!(first.iter().any(|picture| picture.resolution.1 == 720));
    assert!(crossing(&mut world, 1_000) > 100);

    // The other one leaves: the publisher goes on for the one behind the border.
    world.leave(near);
    world.run(secs(4));
    assert_eq!(heights(&world, viewer, 3_000), [720]);
    assert!(told(&world)[2]);

    // Paused: nothing crosses after two looks, and nothing is sent.
    view(&mut world, viewer, vec![Tile { paused: true, ..tile(1) }], 0);
    world.run(secs(4));
    assert_eq!(crossing(&mut world, 1_000), 0, "paused");
    assert_eq!(told(&world), [false; 3]);

    // Shown again: there at once.
    view(&mut world, viewer, vec![sized(180)], 0);
    world.run(ms(500));
    assert!(!heights(&world, viewer, 200).is_empty());
    world.run(secs(5));
    assert_eq!(told(&world), [true, false, false]);
    assert_flawless(world.peer(viewer));
    assert_eq!(world.peer(viewer).slot("v0").counters.nacked, 0);
    world.finish();
}

/// Key frames are asked of layers that are needed, not of all.
#[test]
fn key_frames_are_asked_for_as_they_are_needed() {
    let (mut world, speaker, viewer) = meet(2);
    view(&mut world, viewer, vec![sized(180)], 0);
    world.run(secs(5));
    let asked = |world: &World| -> Vec<usize> {
        let streams = &world.peer(speaker).tracks[0].streams;
        streams.iter().map(|stream| stream.requests.len()).collect()
    };
    let before = asked(&world);
    let late = world.join(1, aware(4, 0, 1));
    view(&mut world, late, vec![sized(180)], 0);
    world.run(secs(2));
    assert_eq!(heights(&world, late, 1_000), [180]);
    let after = asked(&world);
    assert!(after[0] > before[0], "{before:?}, then {after:?}");
    assert_flawless(world.peer(viewer));
    world.finish();
}
