use crate::common::{TEN, each_seed, ms, secs, world};
use weir_sim::oracles::{assert_flawless, frame_rate, longest_gap};
use weir_sim::{LinkConfig, Loss, PeerSetup, Source};

/// Bursts of 5 packets, 1 % of all, towards the viewer. On the way back, with its ten packets a second,
/// such a burst would be half a second without any report: 1 % is lost there, one by one.
#[test]
fn losses_in_bursts_keep_a_picture() {
    each_seed(&TEN, |seed| {
        let mut world = world(seed);
        world.join(0, PeerSetup::new(1, 7).publish(Source::meeting_camera()));
        let loss = Loss::Bursts { enter: 0.002, leave: 0.2, loss: 0.9 };
        let link = LinkConfig::narrow(5_000_000);
        world.link = LinkConfig { loss: Loss::Uniform(0.01), ..link };
        let viewer = world.join(0, PeerSetup::new(2, 7).slots(0, 1));
        world.down(viewer).config = LinkConfig { loss, ..link };
        world.run(secs(30));
        let (from, now) = (world.now() - secs(20), world.now());
        let bps = world.down(viewer).between(from, now).sent_bps();
        let peer = world.peer(viewer);
        assert_flawless(peer);
        let slot = peer.slot("v0");
        let (gap, fps) = (longest_gap(slot, from, now), frame_rate(slot, from, now));
        eprintln!("seed {seed}: {bps} bit/s, gap {gap:?}, {fps} fps");
        assert!(bps > 700_000 && gap < ms(500) && fps > 28.0, "{bps} {gap:?} {fps}");
        world.finish();
    });
}
