use crate::common::{ms, secs, world};
use weir_sfu_api::SlotPolicy;
use weir_sim::PeerSetup;
use weir_sim::oracles::{assert_flawless, longest_gap, sources};

#[test]
fn dominant_policy_follows_the_loudest() {
    let mut world = world(1);
    let people = [1, 2, 3].map(|id| world.join(0, PeerSetup::new(id, 7).talking().slots(0, 0)));
    let mut player = PeerSetup::new(9, 7).slots(1, 1);
    player.policy = SlotPolicy::Dominant;
    let player = world.join(0, player);
    let begin = world.now() + secs(1);
    for loud in [0, 2, 1] {
        for (n, person) in people.iter().enumerate() {
            world.peer_mut(*person).tracks[0].level = if n == loud { 20 } else { 100 };
        }
        world.run(secs(4));
        let seats = world.slot_states(player);
        let who = |n: usize| seats[n].track.as_ref().map(|track| track.peer.0);
        assert_eq!((who(0), who(1)), (Some(loud as u64 + 1), Some(loud as u64 + 1)));
    }
    // A cough changes nothing.
    world.peer_mut(people[0]).tracks[0].level = 5;
    world.run(ms(150));
    world.peer_mut(people[0]).tracks[0].level = 100;
    world.run(secs(2));
    let peer = world.peer(player);
    assert_flawless(peer);
    // Before anybody spoke, the first to be there was shown.
    assert!(sources(peer.slot("v0")).ends_with(&[1, 3, 2]));
    assert!(sources(peer.slot("a0")).ends_with(&[1, 3, 2]));
    assert!(longest_gap(peer.slot("v0"), begin, world.now()) < ms(150));
    assert!(longest_gap(peer.slot("a0"), begin, world.now()) < ms(50));
    world.finish();
}
