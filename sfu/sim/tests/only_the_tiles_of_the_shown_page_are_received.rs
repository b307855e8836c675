use crate::common::{aware, ms, seated, secs, tile, view, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::{assert_flawless, sources};

#[test]
fn only_the_tiles_of_the_shown_page_are_received() {
    let mut world = world(1);
    let viewer = world.join(0, aware(100, 3, 4));
    view(&mut world, viewer, (1..=4).map(tile).collect(), 0);
    for id in 1..=9 {
        world.join(0, aware(id, 0, 0).talking());
    }
    world.run(secs(2));
    assert_eq!(seated(&world, viewer, MediaKind::Video), [1, 2, 3, 4]);
    let page = crate::common::seats(&world, viewer, MediaKind::Video);
    // Two stay, in their slots; two are turned over.
    view(&mut world, viewer, [5, 3, 6, 1].map(tile).to_vec(), 0);
    world.run(secs(2));
    let next = crate::common::seats(&world, viewer, MediaKind::Video);
    for (before, after) in page.iter().zip(&next) {
        if [Some(1), Some(3)].contains(before) {
            assert_eq!(before, after, "who sits, stays");
        }
    }
    assert_eq!(seated(&world, viewer, MediaKind::Video), [1, 3, 5, 6]);
    // The last page is half empty, and its empty slots carry nothing.
    view(&mut world, viewer, [9, 200, 100].map(tile).to_vec(), 0);
    world.run(ms(100));
    assert_eq!(seated(&world, viewer, MediaKind::Video), [9]);
    let count = |world: &weir_sim::World| -> usize {
        let slots = world.peer(viewer).slots.iter().filter(|slot| slot.kind == MediaKind::Video);
        slots.flat_map(|slot| &slot.frames).filter(|frame| frame.source != 9).count()
    };
    let before = count(&world);
    world.run(secs(2));
    assert_eq!(count(&world), before, "pictures of nobody who is shown");
    let peer = world.peer(viewer);
    assert_flawless(peer);
    let nines = peer.slots.iter().filter(|slot| sources(slot).contains(&9)).count();
    assert!(nines >= 1);
    world.finish();
}
