use crate::common::{aware, ms, seated, secs, tile, view, world};
use weir_sfu_api::{MediaKind, Tile};
use weir_sim::oracles::{assert_flawless, slots};

#[test]
fn a_paused_tile_receives_nothing() {
    let mut world = world(1);
    let viewer = world.join(0, aware(100, 3, 3));
    for id in 1..=2 {
        world.join(0, aware(id, 0, 0).talking());
    }
    view(&mut world, viewer, vec![tile(1), tile(2)], u16::MAX);
    world.run(secs(2));
    let frames = |world: &weir_sim::World, source: u32| {
        let slots = slots(world.peer(viewer), MediaKind::Video).flat_map(|slot| &slot.frames);
        slots.filter(|frame| frame.source == source).count()
    };
    let paused = Tile { paused: true, ..tile(2) };
    view(&mut world, viewer, vec![tile(1), paused], u16::MAX);
    world.run(ms(50));
    let (one, two) = (frames(&world, 1), frames(&world, 2));
    assert!(two > 20);
    world.run(secs(2));
    assert_eq!(frames(&world, 2), two, "also not as one of the last speakers");
    assert!(frames(&world, 1) > one + 45);
    assert_eq!(seated(&world, viewer, MediaKind::Video), [1]);
    view(&mut world, viewer, vec![tile(1), tile(2)], u16::MAX);
    world.run(secs(1));
    assert!(frames(&world, 2) > two + 18, "shown again at once");
    assert_flawless(world.peer(viewer));
    world.finish();
}
