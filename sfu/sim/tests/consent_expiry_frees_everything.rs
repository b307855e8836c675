use crate::common::{ms, secs, world};
use weir_sfu_api::{Event, GoneReason};
use weir_sim::PeerSetup;
use weir_sim::oracles::assert_flawless;

#[test]
fn consent_expiry_frees_everything() {
    let mut world = world(1);
    let stays = world.join(0, PeerSetup::new(1, 7).talking());
    let goes = world.join(0, PeerSetup::new(2, 7).talking());
    world.run(secs(5));
    world.vanish(goes);
    let since = world.elapsed();
    let gone = |world: &weir_sim::World| {
        world.events.iter().find_map(|(at, _, event)| match event {
            Event::Gone { reason: GoneReason::ConsentExpired, peer, .. } => Some((*at, peer.0)),
            _ => None,
        })
    };
    assert!(world.run_until(secs(31), |world| gone(world).is_some()));
    let (at, who) = gone(&world).unwrap();
    assert_eq!(who, 2);
    // The last check was up to 2.5 s before.
    assert!(at - since > ms(27_000) && at - since <= ms(30_100), "{:?}", at - since);
    assert_eq!(world.shard(0).population(), (1, 1, 2));
    assert!(world.slot_states(stays).iter().all(|slot| slot.track.is_none()));
    assert!(world.peer(stays).checks_answered > 10, "consent of the other is kept");
    world.vanish(stays);
    world.run(secs(32));
    assert_flawless(world.peer(stays));
    world.assert_empty();
}
