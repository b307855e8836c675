use crate::common::{ms, secs, world};
use weir_sfu_api::SourceKind;
use weir_sim::oracles::{assert_flawless, gaps, longest_gap, sources};
use weir_sim::{PeerSetup, Source};

#[test]
fn renegotiation_keeps_slots_ssrcs() {
    let mut world = world(1);
    let one = world.join(0, PeerSetup::new(1, 7).talking());
    let two = world.join(0, PeerSetup::new(2, 7).talking());
    world.run(secs(2));
    let ssrcs = |world: &weir_sim::World| {
        world.peer(two).slots.iter().map(|slot| (slot.mid, slot.ssrc)).collect::<Vec<_>>()
    };
    let before = ssrcs(&world);
    let requests = world.peer(one).tracks[1].streams[0].requests.len();
    // The receiver offers again, with more slots.
    world.peer_mut(two).setup.video_slots = 5;
    world.offer(two);
    world.run(secs(1));
    assert_eq!(ssrcs(&world)[..before.len()], before[..]);
    assert_eq!(ssrcs(&world).len(), before.len() + 2);
    // The publisher adds its screen.
    let now = world.now();
    let screen = Source { kind: SourceKind::Screen, ..Source::camera() };
    world.peer_mut(one).add_track(now, screen);
    world.offer(one);
    world.run(secs(2));
    let peer = world.peer(two);
    assert!(peer.slot("v1").frames.len() > 40, "{}", peer.slot("v1").frames.len());
    assert_eq!(sources(peer.slot("v0")), [1]);
    // And stops its camera.
    world.peer_mut(one).tracks[1].stopped = true;
    world.offer(one);
    world.run(secs(2));
    let peer = world.peer(two);
    assert_flawless(peer);
    assert_eq!(gaps(peer.slot("v0"), 1, 0), [0; 0]);
    assert!(longest_gap(peer.slot("v1"), now + ms(500), world.now()) < ms(150));
    assert!(longest_gap(peer.slot("a0"), now, world.now()) < ms(50));
    assert_eq!(world.peer(one).tracks[1].streams[0].requests.len(), requests);
    let states = world.slot_states(two);
    assert!(states.iter().all(|s| s.mid.as_str() != "v0" || s.track.is_none()));
    world.finish();
}
