use crate::common::{each_seed, ms, secs, world};
use std::time::Duration;
use weir_sim::oracles::{assert_flawless, frame_rate, longest_gap};
use weir_sim::{LinkConfig, PeerSetup, Source};

/// Up to 200 ms of jitter on 5 Mbit/s, drawn anew each `hold`.
fn run(seed: u64, hold: Duration, least_bps: u64, least_fps: f64) {
    let mut world = world(seed);
    world.join(0, PeerSetup::new(1, 7).publish(Source::meeting_camera()));
    world.link = LinkConfig { jitter: ms(200), jitter_hold: hold, ..LinkConfig::narrow(5_000_000) };
    let viewer = world.join(0, PeerSetup::new(2, 7).slots(0, 1));
    world.run(secs(40));
    let (from, now) = (world.now() - secs(20), world.now());
    let bps = world.down(viewer).between(from, now).sent_bps();
    let peer = world.peer(viewer);
    assert_flawless(peer);
    let slot = peer.slot("v0");
    let (gap, fps) = (longest_gap(slot, from, now), frame_rate(slot, from, now));
    eprintln!("seed {seed}, {hold:?}: {bps} bit/s, gap {gap:?}, {fps} fps");
    assert!(bps > least_bps && gap < ms(500) && fps > least_fps, "{bps} {gap:?} {fps}");
    world.finish();
}

#[test]
fn jitter_of_200_ms_keeps_a_picture() {
    each_seed(&[1, 2, 3], |seed| run(seed, Duration::ZERO, 450_000, 28.0));
}

/// As radio links do. What comes together after a pause looks like a queue that drains: the estimate
/// falls now and then, and with it the layer; the picture does not stand.
#[test]
fn also_where_packets_are_held_up_together() {
    each_seed(&[1, 2, 3], |seed| run(seed, ms(40), 200_000, 15.0));
}
