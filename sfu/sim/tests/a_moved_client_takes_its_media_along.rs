use crate::common::{ms, secs, world};
use std::net::SocketAddr;
use weir_sim::PeerSetup;
use weir_sim::oracles::{assert_flawless, gaps, longest_gap};

#[test]
fn a_moved_client_takes_its_media_along() {
    let mut world = world(1);
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(3));
    let now = world.now();
    world.move_to(people[0], SocketAddr::from(([10, 9, 9, 9], 999)));
    world.run(secs(3));
    for (me, other) in [(people[0], 2), (people[1], 1)] {
        let peer = world.peer(me);
        assert_flawless(peer);
        assert!(longest_gap(peer.slot("v0"), now, world.now()) < ms(1_400));
        assert_eq!(gaps(peer.slot("v0"), other, 0), [0; 0]);
    }
    world.finish();
}

#[test]
fn an_ice_restart_keeps_media_running() {
    let mut world = world(2);
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(3));
    let now = world.now();
    for restart in 0..5 {
        world.peer_mut(people[0]).restart_ice();
        world.offer(people[0]);
        if restart % 2 == 0 {
            let addr = SocketAddr::from(([10, 9, 9, restart], 999));
            world.move_to(people[0], addr);
        }
        world.run(secs(1));
    }
    for (me, other) in [(people[0], 2), (people[1], 1)] {
        let peer = world.peer(me);
        assert_flawless(peer);
        assert!(longest_gap(peer.slot("v0"), now, world.now()) < ms(200));
        assert_eq!(gaps(peer.slot("v0"), other, 0), [0; 0]);
    }
    world.run(secs(40));
    assert_eq!(world.shard(0).population().0, 2, "consent goes on with the new credentials");
    world.finish();
}
