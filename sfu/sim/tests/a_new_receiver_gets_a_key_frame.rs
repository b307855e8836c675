use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, gaps};
use weir_sim::{PeerSetup, Source};

#[test]
fn a_new_receiver_gets_a_key_frame() {
    let mut world = world(1);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::camera()));
    world.run(secs(5));
    let before = world.peer(speaker).tracks[0].streams[0].key_frames;
    let viewer = world.join(0, PeerSetup::new(2, 7));
    // Nobody watched, so the camera was asked off. A word to it by signalling, a request for a key frame
    // when it is back, its next frame, and the ways: 138 ms.
    assert!(world.run_until(ms(150), |world| !world.peer(viewer).slot("v0").frames.is_empty()));
    assert!(world.peer(viewer).slot("v0").frames[0].key);
    world.run(secs(2));
    assert_eq!(world.peer(speaker).tracks[0].streams[0].key_frames, before + 1);
    assert_eq!(gaps(world.peer(viewer).slot("v0"), 1, 0), [0; 0]);
    assert_flawless(world.peer(viewer));
    world.finish();
}

#[test]
fn also_when_the_request_and_the_key_frame_are_lost() {
    let mut world = world(2);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::camera()));
    world.run(secs(2));
    // For half a second nothing reaches the publisher.
    world.down(speaker).config.loss = weir_sim::Loss::Uniform(1.0);
    let viewer = world.join(0, PeerSetup::new(2, 7));
    world.run(ms(500));
    assert!(world.peer(viewer).slot("v0").frames.is_empty());
    world.down(speaker).config.loss = weir_sim::Loss::None;
    assert!(world.run_until(ms(500), |world| !world.peer(viewer).slot("v0").frames.is_empty()));
    assert_flawless(world.peer(viewer));
    world.finish();
}
