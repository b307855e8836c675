use crate::common::{aware, seated, seats, secs, talk, tile, view, world};
use weir_sfu_api::{MediaKind, SourceKind, Tile};
use weir_sim::Source;
use weir_sim::oracles::assert_flawless;

#[test]
fn screen_shares_and_pins_go_before_speakers() {
    let mut world = world(1);
    let viewer = world.join(0, aware(100, 3, 3));
    let people: Vec<usize> = (1..=6).map(|id| world.join(0, aware(id, 3, 3).talking())).collect();
    for peer in &people {
        world.peer_mut(*peer).tracks[0].level = 80;
    }
    let pinned = Tile { pinned: true, ..tile(5) };
    view(&mut world, viewer, vec![tile(6), pinned], u16::MAX);
    talk(&mut world, &[(people[0], 30)], secs(3));
    talk(&mut world, &[(people[1], 30)], secs(3));
    assert_eq!(seated(&world, viewer, MediaKind::Video), [2, 5, 6]);
    // A share comes: the last speaker makes room, then the tile that is not pinned.
    for sharer in &people[2..4] {
        let before = seats(&world, viewer, MediaKind::Video);
        let screen = Source { kind: SourceKind::Screen, fps: 5, ..Source::camera() };
        let now = world.now();
        world.peer_mut(*sharer).add_track(now, screen);
        world.offer(*sharer);
        world.run(secs(2));
        let after = seats(&world, viewer, MediaKind::Video);
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        assert_eq!(moved, 1, "{before:?} {after:?}");
    }
    assert_eq!(seated(&world, viewer, MediaKind::Video), [3, 4, 5]);
    let sources = world.slot_states(viewer);
    let screens = sources
        .iter()
        .filter(|slot| slot.track.as_ref().is_some_and(|track| track.source == SourceKind::Screen));
    assert_eq!(screens.count(), 2);
    // Everybody sees the shares, but nobody the own one.
    assert!(!seated(&world, people[2], MediaKind::Video).contains(&3));
    assert!(seated(&world, people[2], MediaKind::Video).contains(&4));
    for peer in world.peers() {
        assert_flawless(peer);
    }
    world.finish();
}
