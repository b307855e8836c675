//! What a receiver asks for does not wait for the next regular look at its shares, and who is paused
//! is told.

use crate::common::{aware, ms, secs, tile, view, world};
use weir_sfu_api::{Event, PausedBy, SlotState, Tile};
use weir_sim::oracles::assert_flawless;
use weir_sim::{LinkConfig, PeerSetup, Source, World};

/// Three cameras and who looks at them.
fn meeting(rate_bps: u64) -> (World, usize) {
    let mut world = world(3);
    for id in 1..=3 {
        world.join(0, PeerSetup::new(id, 7).publish(Source::meeting_camera()).slots(0, 0));
    }
    world.link = LinkConfig::narrow(rate_bps);
    let viewer = world.join(0, aware(9, 0, 3));
    (world, viewer)
}

#[test]
fn a_pin_is_larger_within_half_a_second() {
    let (mut world, viewer) = meeting(3_000_000);
    let small = |id| Tile { width: 320, height: 180, ..tile(id) };
    view(&mut world, viewer, vec![small(1), small(2), small(3)], 0);
    world.run(secs(10));
    let layer = |world: &World| {
        let frames = world.peer(viewer).slots.iter().flat_map(|slot| &slot.frames);
        frames.filter(|frame| frame.source == 3).max_by_key(|frame| frame.at).map(|f| f.layer)
    };
    assert_eq!(layer(&world), Some(0));
    let pinned = Tile { pinned: true, width: 640, height: 360, ..tile(3) };
    view(&mut world, viewer, vec![small(1), small(2), pinned], 0);
    let from = world.now();
    assert!(world.run_until(secs(2), |world| layer(world) > Some(0)));
    let took = world.now() - from;
    eprintln!("larger after {took:?}");
    assert!(took < ms(500), "{took:?}");
    // And down again.
    view(&mut world, viewer, vec![small(1), small(2), small(3)], 0);
    let from = world.now();
    assert!(world.run_until(secs(2), |world| layer(world) == Some(0)));
    assert!(world.now() - from < ms(500), "{:?}", world.now() - from);
    assert_flawless(world.peer(viewer));
    world.finish();
}

#[test]
fn who_is_paused_for_want_of_bandwidth_is_told() {
    let (mut world, viewer) = meeting(150_000);
    view(&mut world, viewer, vec![tile(1), tile(2), tile(3)], 0);
    world.run(secs(20));
    let states = world.slot_states(viewer);
    let of = |states: &[SlotState]| {
        let by = |slot: &SlotState| slot.paused_by.map(|by| by == PausedBy::Bandwidth);
        states.iter().map(by).collect::<Vec<_>>()
    };
    assert!(of(&states).contains(&Some(true)), "{states:?}");
    assert!(of(&states).contains(&None), "not all of them: {states:?}");
    let id = world.peer(viewer).id();
    let told = world.events.iter().rev().find_map(|(_, _, event)| match event {
        Event::Slots { peer, slots } if *peer == id => Some(slots),
        _ => None,
    });
    assert_eq!(told.map(|told| of(told)), Some(of(&states)));
    world.finish();
}
