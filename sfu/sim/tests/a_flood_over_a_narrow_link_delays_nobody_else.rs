use crate::common::{ms, secs, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::{longest_gap, slots};
use weir_sim::{LinkConfig, PeerSetup, Source};

/// One of three cameras sends 40 Mbit/s where receivers have 5.
#[test]
fn a_flood_over_a_narrow_link_delays_nobody_else() {
    for seed in [1, 2, 3] {
        let mut world = world(seed);
        let people = [1, 2, 3].map(|id| {
            let setup = PeerSetup::new(id, 7).publish(Source::microphone());
            world.join(0, setup.publish(Source::camera()).slots(0, 0))
        });
        world.link = LinkConfig::narrow(5_000_000);
        let viewer = world.join(0, PeerSetup::new(9, 7).slots(3, 3));
        world.run(secs(8));
        let start = world.now();
        world.peer_mut(people[2]).tracks[1].streams[0].bitrate_bps = 40_000_000;
        world.run(secs(6));
        let end = world.now();
        let peer = world.peer(viewer);
        let mut gaps = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let honest = |slot: &&weir_sim::peer::recv::Slot| {
                slot.frames.first().is_some_and(|frame| frame.source != 3)
            };
            gaps.extend(slots(peer, kind).filter(honest).map(|s| longest_gap(s, start, end)));
        }
        let counters = world.shard(0).counters();
        eprintln!("seed {seed}: {gaps:?}, queues cut {}", counters.queues_cut);
        assert_eq!(gaps.len(), 4);
        assert!(gaps.iter().all(|gap| *gap < ms(150)), "{gaps:?}");
        assert!(!counters.drop_list().is_empty(), "counted");
        world.finish();
    }
}
