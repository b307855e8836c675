use crate::common::{aware, secs, slot_changes, talk, world};
use weir_sfu_api::Event;
use weir_sim::oracles::assert_flawless;

#[test]
fn two_equal_talkers_do_not_flap() {
    let mut world = world(1);
    let people: Vec<usize> = (1..=6).map(|id| world.join(0, aware(id, 3, 2).talking())).collect();
    for peer in &people {
        world.peer_mut(*peer).tracks[0].level = 80;
    }
    let both = [(people[4], 30), (people[5], 30)];
    talk(&mut world, &both, secs(3));
    let before: Vec<usize> = people.iter().map(|peer| slot_changes(&world, *peer)).collect();
    let events = world.events.len();
    talk(&mut world, &both, secs(60));
    for (peer, before) in people.iter().zip(before) {
        let changes = slot_changes(&world, *peer) - before;
        assert!(changes <= 2, "peer {}: {changes} changes", world.peer(*peer).id());
        assert_flawless(world.peer(*peer));
    }
    let lists = world.events[events..].iter();
    let lists = lists.filter(|(_, _, event)| matches!(event, Event::Speakers { .. })).count();
    assert_eq!(lists, 0);
    world.finish();
}
