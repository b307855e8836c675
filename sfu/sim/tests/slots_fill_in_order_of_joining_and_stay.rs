use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, sources};
use weir_sim::{PeerSetup, World};

fn seats(world: &World, peer: usize) -> Vec<Option<u64>> {
    let states = world.slot_states(peer);
    states.iter().map(|slot| slot.track.as_ref().map(|track| track.peer.0)).collect()
}

#[test]
fn slots_fill_in_order_of_joining_and_stay() {
    let mut world = world(1);
    let viewer = world.join(0, PeerSetup::new(1, 7).slots(3, 3));
    let mut others = Vec::new();
    for id in 2..5 {
        others.push(world.join(0, PeerSetup::new(id, 7).talking().slots(0, 0)));
        world.run(ms(500));
    }
    let all = [2, 3, 4, 2, 3, 4].map(Some);
    assert_eq!(seats(&world, viewer), all);
    world.leave(others[1]);
    world.run(secs(1));
    assert_eq!(seats(&world, viewer), [Some(2), None, Some(4), Some(2), None, Some(4)]);
    world.join(0, PeerSetup::new(5, 7).talking().slots(0, 0));
    world.run(secs(2));
    assert_eq!(seats(&world, viewer), [2, 5, 4, 2, 5, 4].map(Some));
    let peer = world.peer(viewer);
    assert_flawless(peer);
    for (mid, expected) in [("v0", vec![2]), ("v1", vec![3, 5]), ("v2", vec![4])] {
        assert_eq!(sources(peer.slot(mid)), expected, "{mid}");
    }
    world.finish();
}
