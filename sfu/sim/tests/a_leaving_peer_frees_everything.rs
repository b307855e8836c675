use crate::common::{ms, secs, world};
use weir_sfu_api::{Event, GoneReason, PeerId};
use weir_sim::oracles::assert_flawless;
use weir_sim::{PeerSetup, Source};

#[test]
fn a_leaving_peer_frees_everything() {
    let mut world = world(1);
    let mut here = Vec::new();
    for id in 1..6 {
        let setup = PeerSetup::new(id, id % 2).publish(Source::microphone());
        here.push(world.join(0, setup.publish(Source::simulcast_camera())));
    }
    world.run(secs(3));
    assert_eq!(world.shard(0).population(), (5, 2, 10));
    for (left, peer) in here.iter().enumerate() {
        // In the middle of a batch's work.
        world.run(ms(337));
        world.leave(*peer);
        let rest = 4 - left;
        assert_eq!(world.shard(0).population().0, rest);
        assert_eq!(world.shard(0).population().2, rest * 2);
        let gone = Event::Gone {
            peer: PeerId(left as u64 + 1),
            room: weir_sfu_api::RoomId((left as u64 + 1) % 2),
            reason: GoneReason::Left,
        };
        let said = world.events.iter().any(|(_, _, e)| format!("{e:?}") == format!("{gone:?}"));
        assert!(said, "no event for peer {}", left + 1);
    }
    world.assert_empty();
    for peer in here {
        assert_flawless(world.peer(peer));
    }
    world.finish();
}
