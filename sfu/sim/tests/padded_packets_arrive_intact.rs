use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, gaps};
use weir_sim::{LinkConfig, PeerSetup, Source};

/// 2.5 Mbit/s at 30 frames: 10 packets a frame, of which some are a byte longer.
fn run(loss: f64) -> (weir_sim::world::TrainCounters, weir_sim::peer::recv::SlotCounters) {
    let mut world = world(1);
    world.link = LinkConfig { jitter: ms(0), reorder: 0.0, ..LinkConfig::lossy(loss) };
    let camera = Source { bitrate_bps: 2_503_123, fps: 30, ..Source::camera() };
    world.join(0, PeerSetup::new(1, 7).publish(camera));
    let viewer = world.join(0, PeerSetup::new(2, 7).slots(0, 1));
    world.run(secs(10));
    let peer = world.peer(viewer);
    assert_flawless(peer);
    assert_eq!(gaps(peer.slot("v0"), 1, 0), [0; 0]);
    let (trains, counters) = (world.trains, peer.slot("v0").counters);
    assert!(counters.padding > 0, "{counters:?}");
    assert!(counters.padding * 100 <= counters.payload * 3, "{counters:?}");
    world.finish();
    (trains, counters)
}

#[test]
fn padded_packets_arrive_intact() {
    let (trains, counters) = run(0.0);
    // A frame of ten leaves as one train or, its longer packets unpadded, as two.
    let mean = trains.in_trains as f64 / trains.trains as f64;
    assert!(mean > 8.0, "{trains:?}, {counters:?}");
    assert!(trains.in_trains * 10 > trains.datagrams * 8, "{trains:?}");
}

#[test]
fn padded_retransmissions_arrive_intact() {
    let (_, counters) = run(0.05);
    assert!(counters.recovered > 100, "{counters:?}");
}
