use crate::common::{secs, world};
use weir_sfu_api::Event;
use weir_sim::oracles::{assert_flawless, gaps};
use weir_sim::{LinkConfig, PeerSetup};

/// DTLS takes true randomness: the loss is seeded, the bytes are not.
#[test]
fn real_handshakes_connect_people_through_loss() {
    let mut world = world(1);
    world.link = LinkConfig::lossy(0.02);
    let people = [1, 2].map(|id| {
        let setup = PeerSetup { handshake: true, ..PeerSetup::new(id, 7).talking() };
        world.join(0, setup)
    });
    let both = |world: &weir_sim::World| people.iter().all(|n| world.peer(*n).connected);
    assert!(world.run_until(secs(10), both));
    world.run(secs(5));
    for (me, other) in [(people[0], 2), (people[1], 1)] {
        let peer = world.peer(me);
        assert_flawless(peer);
        assert!(peer.slot("v0").frames.len() > 90, "{}", peer.slot("v0").frames.len());
        assert_eq!(gaps(peer.slot("v0"), other, 0), [0; 0]);
    }
    let connected = |event: &Event| matches!(event, Event::Connected { .. });
    assert_eq!(world.events.iter().filter(|(_, _, event)| connected(event)).count(), 2);
    world.finish();
}
