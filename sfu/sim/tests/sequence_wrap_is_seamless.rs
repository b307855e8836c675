use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, gaps, longest_gap};
use weir_sim::{LinkConfig, PeerSetup, Source};

#[test]
fn sequence_wrap_is_seamless() {
    for seed in 1..5 {
        let mut world = world(seed);
        world.link = LinkConfig::lossy(0.05);
        let first_seq = Some(65_536u32.wrapping_sub(40 * seed as u32) as u16);
        let camera = Source { first_seq, ..Source::camera() };
        let voice = Source { first_seq, ..Source::microphone() };
        world.join(0, PeerSetup::new(1, 7).publish(camera).publish(voice));
        let viewer = world.join(0, PeerSetup::new(2, 7));
        world.run(secs(8));
        let peer = world.peer(viewer);
        assert_flawless(peer);
        assert!(peer.slot("v0").frames.len() > 180 && peer.slot("a0").frames.len() > 330);
        assert_eq!(gaps(peer.slot("v0"), 1, 0), [0; 0]);
        world.finish();
    }
}

/// The numbers we send begin below 32,768: that many packets and half as many lead over the wrap.
#[test]
fn the_wrap_of_what_we_send_is_seamless() {
    let mut world = world(5);
    // The cache holds 512 packets, 0.4 s of this: near enough to repeat several times.
    world.link = LinkConfig { delay: ms(5), ..LinkConfig::lossy(0.02) };
    let camera = Source { bitrate_bps: 12_000_000, fps: 50, ..Source::camera() };
    world.join(0, PeerSetup::new(1, 7).publish(camera));
    let viewer = world.join(0, PeerSetup::new(2, 7).slots(0, 1));
    let begin = world.now() + secs(2);
    world.run(secs(52));
    let peer = world.peer(viewer);
    assert_flawless(peer);
    let slot = peer.slot("v0");
    assert!(slot.counters.packets > 65_536, "{:?}", slot.counters);
    assert_eq!(gaps(slot, 1, 0), [0; 0]);
    assert!(longest_gap(slot, begin, world.now()) < ms(600));
    world.finish();
}
