use crate::common::{aware, ms, seated, seats, secs, talk, view, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::assert_flawless;

#[test]
fn the_last_speakers_are_shown_and_keep_their_slots() {
    let mut world = world(1);
    let viewer = world.join(0, aware(100, 3, 3));
    let phone = world.join(0, aware(101, 3, 1));
    view(&mut world, viewer, Vec::new(), u16::MAX);
    view(&mut world, phone, Vec::new(), u16::MAX);
    let mut people = Vec::new();
    for id in 1..=8 {
        let peer = world.join(0, aware(id, 0, 0).talking());
        world.peer_mut(peer).tracks[0].level = 80;
        people.push(peer);
        world.run(ms(100));
    }
    world.run(secs(1));
    assert_eq!(seated(&world, viewer, MediaKind::Video), [1, 2, 3], "before anybody spoke");
    for (n, expected) in [(5, [1, 2, 6]), (7, [1, 6, 8]), (4, [5, 6, 8]), (7, [5, 6, 8])] {
        let before = seats(&world, viewer, MediaKind::Video);
        talk(&mut world, &[(people[n], 30)], secs(4));
        let after = seats(&world, viewer, MediaKind::Video);
        assert_eq!(seated(&world, viewer, MediaKind::Video), expected);
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || *after == Some(n as u64 + 1), "{before:?} {after:?}");
        }
        // One slot of each kind at least, which browsers keep in sync: one person in both.
        let id = Some(n as u64 + 1);
        assert_eq!(seats(&world, phone, MediaKind::Video), [id]);
        assert_eq!(seats(&world, phone, MediaKind::Audio)[0], id);
    }
    assert_flawless(world.peer(viewer));
    assert_flawless(world.peer(phone));
    world.finish();
}
