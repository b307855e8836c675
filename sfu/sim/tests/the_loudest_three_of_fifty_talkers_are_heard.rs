use crate::common::{aware, seated, secs, slot_changes, talk, world};
use weir_sfu_api::{Event, MediaKind};
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::{PeerSetup, Source};

#[test]
fn the_loudest_three_of_fifty_talkers_are_heard() {
    let mut world = world(1);
    let listener = world.join(0, aware(100, 3, 0));
    let few = world.join(0, aware(101, 2, 0));
    let talkers: Vec<(usize, u8)> = (1..=50)
        .map(|id| {
            let setup = PeerSetup::new(id, 7).slots(0, 0).publish(Source::microphone());
            let level = if [9, 27, 44].contains(&id) { 31 } else { 42 };
            (world.join(0, setup), level)
        })
        .collect();
    talk(&mut world, &talkers, secs(5));
    assert_eq!(seated(&world, listener, MediaKind::Audio), [9, 27, 44]);
    let (before, from) = (slot_changes(&world, listener), world.now());
    talk(&mut world, &talkers, secs(15));
    assert_eq!(slot_changes(&world, listener), before, "nobody moves without a reason");
    assert!(seated(&world, few, MediaKind::Audio).iter().all(|id| [9, 27, 44].contains(id)));
    let told = world.events.iter().filter_map(|(at, _, event)| match event {
        Event::Speakers { speakers, .. } => Some((*at, speakers.len())),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert!(told.iter().all(|(_, len)| *len <= 10), "{told:?}");
    let quick = told.windows(6).find(|six| six[5].0 - six[0].0 < secs(1));
    assert_eq!(quick, None, "at most five times a second");
    for slot in &world.peer(listener).slots {
        assert!(longest_gap(slot, from, world.now()) < crate::common::ms(50), "{}", slot.mid);
    }
    for peer in world.peers() {
        assert_flawless(peer);
    }
    world.finish();
}
