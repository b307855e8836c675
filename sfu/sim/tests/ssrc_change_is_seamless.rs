use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::{LinkConfig, PeerSetup, Source};

#[test]
fn ssrc_change_is_seamless() {
    for seed in 1..4 {
        let mut world = world(seed);
        world.link = LinkConfig { reorder: 0.1, ..LinkConfig::lossy(0.01) };
        let mut setup = PeerSetup::new(1, 7).publish(Source::microphone());
        setup = setup.publish(Source { fps: 50, ..Source::camera() });
        let speaker = world.join(0, setup);
        let viewer = world.join(0, PeerSetup::new(2, 7));
        world.run(secs(2));
        let begin = world.now();
        for n in 0..10 {
            world.peer_mut(speaker).change_ssrc(1);
            world.peer_mut(speaker).change_ssrc(0);
            world.run(ms(900 + n * 7));
        }
        let peer = world.peer(viewer);
        assert_flawless(peer);
        let video = peer.slot("v0");
        assert!(longest_gap(video, begin, world.now()) < ms(600));
        assert!(longest_gap(peer.slot("a0"), begin, world.now()) < ms(150));
        // The new encoder's own key frame is enough.
        let stream = &world.peer(speaker).tracks[1].streams[0];
        assert!(stream.requests.len() <= 3, "{}", stream.requests.len());
        world.finish();
    }
}

/// Browsers do it when a camera is switched; the table of SSRCs is bounded and must not fill up.
#[test]
fn a_hundred_changes_are_as_good_as_one() {
    let mut world = world(9);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::camera()));
    let viewer = world.join(0, PeerSetup::new(2, 7));
    for _ in 0..100 {
        world.run(ms(300));
        world.peer_mut(speaker).change_ssrc(0);
    }
    let before = world.now();
    world.run(secs(2));
    assert_flawless(world.peer(viewer));
    assert!(longest_gap(world.peer(viewer).slot("v0"), before, world.now()) < ms(300));
    world.finish();
}
