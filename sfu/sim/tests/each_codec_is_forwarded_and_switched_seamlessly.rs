use crate::common::{ms, secs, world};
use weir_sfu_api::{CodecKind, SlotPolicy};
use weir_sim::oracles::{assert_flawless, gaps, longest_gap, sources};
use weir_sim::{LinkConfig, PeerSetup, Source};

fn run(codec: CodecKind, seed: u64) {
    let mut world = world(seed);
    world.link = LinkConfig::lossy(0.02);
    let people = [1, 2].map(|id| {
        let setup = PeerSetup::new(id, 7).slots(0, 1).publish(Source::microphone());
        world.join(0, setup.publish(Source::camera().with_codec(codec)))
    });
    let mut player = PeerSetup::new(9, 7).slots(1, 1);
    player.policy = SlotPolicy::Dominant;
    let player = world.join(0, player);
    for loud in [0, 1, 0] {
        for (n, person) in people.iter().enumerate() {
            world.peer_mut(*person).tracks[0].level = if n == loud { 20 } else { 100 };
        }
        world.run(secs(4));
    }
    for peer in people.into_iter().chain([player]) {
        assert_flawless(world.peer(peer));
    }
    let steady = world.peer(people[0]).slot("v0");
    assert_eq!(gaps(steady, 2, 0), [0; 0], "{codec:?}");
    assert!(steady.frames.len() > 270, "{codec:?}: {}", steady.frames.len());
    let switched = world.peer(player).slot("v0");
    assert!(sources(switched).ends_with(&[1, 2, 1]), "{codec:?}");
    assert!(longest_gap(switched, world.now() - secs(10), world.now()) < ms(700), "{codec:?}");
    world.finish();
}

#[test]
fn vp8_is_forwarded_and_switched_seamlessly() {
    run(CodecKind::Vp8, 1);
}

#[test]
fn vp9_is_forwarded_and_switched_seamlessly() {
    run(CodecKind::Vp9, 2);
}

#[test]
fn h264_is_forwarded_and_switched_seamlessly() {
    run(CodecKind::H264, 3);
}

#[test]
fn av1_is_forwarded_and_switched_seamlessly() {
    run(CodecKind::Av1, 4);
}
