use crate::common::{ms, secs, world};
use weir_sim::oracles::assert_flawless;
use weir_sim::{PeerSetup, Source};

#[test]
fn key_frame_requests_of_many_receivers_become_one() {
    let mut world = world(1);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::camera()));
    world.run(secs(2));
    let requests =
        |world: &weir_sim::World| world.peer(speaker).tracks[0].streams[0].requests.len();
    let before = requests(&world);
    let viewers: Vec<usize> =
        (2..22).map(|id| world.join(0, PeerSetup::new(id, 7).slots(0, 1))).collect();
    world.run(secs(2));
    assert_eq!(requests(&world), before + 1, "joining together");

    for viewer in &viewers {
        world.peer_mut(*viewer).ask_for_key_frames();
    }
    world.run(secs(2));
    assert_eq!(requests(&world), before + 2, "asking together");

    // Each 50 ms for 3 s: one per interval of 300 ms reaches the publisher.
    for _ in 0..60 {
        world.peer_mut(viewers[0]).ask_for_key_frames();
        world.run(ms(50));
    }
    let more = requests(&world) - before - 2;
    assert!((8..=11).contains(&more), "{more}");
    for viewer in viewers {
        assert_flawless(world.peer(viewer));
        assert!(world.peer(viewer).slot("v0").frames.len() > 150);
    }
    world.finish();
}
