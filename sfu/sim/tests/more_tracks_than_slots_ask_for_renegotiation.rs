use crate::common::{ms, secs, world};
use weir_sfu_api::{Event, PeerId};
use weir_sim::oracles::{assert_flawless, sources};
use weir_sim::{PeerSetup, Source, World};

fn asked(world: &World) -> Vec<u64> {
    let wishes = world.events.iter().filter_map(|(_, _, event)| match event {
        Event::Renegotiate { peer: PeerId(id), ice_restart: false, .. } => Some(*id),
        _ => None,
    });
    wishes.collect()
}

#[test]
fn more_tracks_than_slots_ask_for_renegotiation() {
    let mut world = world(1);
    let viewer = world.join(0, PeerSetup::new(1, 7).slots(0, 1));
    let camera = |id| PeerSetup::new(id, 7).slots(0, 0).publish(Source::camera());
    world.join(0, camera(2));
    world.run(ms(500));
    assert!(asked(&world).is_empty());
    world.join(0, camera(3));
    world.run(secs(3));
    // Peers 2 and 3 have no slots for anybody either.
    let of_viewer = |world: &World| asked(world).iter().filter(|id| **id == 1).count();
    assert_eq!(of_viewer(&world), 1, "{:?}", asked(&world));
    world.peer_mut(viewer).setup.video_slots = 2;
    world.offer(viewer);
    world.run(secs(2));
    assert_eq!(of_viewer(&world), 1);
    let peer = world.peer(viewer);
    assert_flawless(peer);
    assert_eq!((sources(peer.slot("v0")), sources(peer.slot("v1"))), (vec![2], vec![3]));
    world.join(0, camera(4));
    world.run(secs(1));
    assert_eq!(of_viewer(&world), 2);
    world.finish();
}
