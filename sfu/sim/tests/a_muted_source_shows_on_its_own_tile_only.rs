use crate::common::{secs, world};
use weir_sfu_api::{Command, SourceKind};
use weir_sim::{PeerSetup, Source, World};

fn muted(world: &World, peer: usize) -> Vec<(SourceKind, bool)> {
    let states = world.slot_states(peer).into_iter();
    let mut list: Vec<_> =
        states.filter_map(|slot| Some((slot.track?.source, slot.muted))).collect();
    list.sort_by_key(|(source, _)| source.as_str());
    list
}

#[test]
fn a_muted_source_shows_on_its_own_tile_only() {
    let mut world = world(1);
    let one = world.join(0, PeerSetup::new(1, 7).talking());
    let two = world.join(0, PeerSetup::new(2, 7).talking());
    let now = world.now();
    let screen = Source { kind: SourceKind::Screen, ..Source::camera() };
    world.peer_mut(one).add_track(now, screen);
    world.offer(one);
    world.run(secs(2));
    use SourceKind::{Camera, Microphone, Screen};
    assert_eq!(muted(&world, two), [(Camera, false), (Microphone, false), (Screen, false)]);
    let peer = world.peer(one).id();
    let mut set = |source, muted| {
        world.command(0, Command::SetMuted { peer, source, muted });
        world.run(secs(1));
        self::muted(&world, two)
    };
    assert_eq!(set(Camera, true), [(Camera, true), (Microphone, false), (Screen, false)]);
    assert_eq!(set(Screen, true), [(Camera, true), (Microphone, false), (Screen, true)]);
    assert_eq!(set(Camera, false), [(Camera, false), (Microphone, false), (Screen, true)]);
    assert!(muted(&world, one).iter().all(|(_, muted)| !muted));
    world.finish();
}
