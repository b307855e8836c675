use crate::common::{aware, ms, seated, secs, tile, view, world};
use weir_sfu_api::{Command, MediaKind, PeerId, SourceKind};
use weir_sim::oracles::assert_flawless;

#[test]
fn a_muted_camera_leaves_the_last_speakers_but_not_its_tile() {
    let mut world = world(1);
    let by_speaking = world.join(0, aware(100, 3, 2));
    let by_name = world.join(0, aware(101, 3, 2));
    view(&mut world, by_speaking, Vec::new(), u16::MAX);
    view(&mut world, by_name, vec![tile(1)], 0);
    for id in 1..=3 {
        world.join(0, aware(id, 0, 0).talking());
        world.run(ms(100));
    }
    world.run(secs(1));
    assert_eq!(seated(&world, by_speaking, MediaKind::Video), [1, 2]);
    let mute = |world: &mut weir_sim::World, muted| {
        let (peer, source) = (PeerId(1), SourceKind::Camera);
        world.command(0, Command::SetMuted { peer, source, muted });
        world.run(secs(1));
    };
    mute(&mut world, true);
    assert_eq!(seated(&world, by_speaking, MediaKind::Video), [2, 3]);
    assert_eq!(seated(&world, by_name, MediaKind::Video), [1]);
    let muted = |world: &weir_sim::World| {
        let states = world.slot_states(by_name);
        states.iter().any(|slot| slot.track.is_some() && slot.muted && slot.mid.as_str() == "v0")
    };
    assert!(muted(&world));
    mute(&mut world, false);
    assert!(!muted(&world));
    assert_eq!(seated(&world, by_speaking, MediaKind::Video), [2, 3], "nobody makes room for it");
    assert_flawless(world.peer(by_speaking));
    assert_flawless(world.peer(by_name));
    world.finish();
}
