use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::{LinkConfig, PeerSetup, Source};

#[test]
fn a_layer_that_stops_falls_back_and_no_packet_of_the_old_layer_follows() {
    for seed in 1..4 {
        let mut world = world(seed);
        world.link = LinkConfig::lossy(0.01);
        let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::simulcast_camera()));
        let viewer = world.join(0, PeerSetup::new(2, 7));
        let layers = |world: &weir_sim::World, from| {
            let slot = world.peer(viewer).slot("v0");
            let mut all: Vec<u8> =
                slot.frames.iter().filter(|f| f.at > from).map(|f| f.layer).collect();
            all.dedup();
            all
        };
        world.run(secs(6));
        let start = world.now();
        world.peer_mut(speaker).tracks[0].streams[2].active = false;
        world.run(secs(5));
        assert_eq!(layers(&world, start - ms(200)), [2, 1]);
        // A layer counts as gone after 1 s; then a key frame is asked for.
        let slot = world.peer(viewer).slot("v0");
        assert!(longest_gap(slot, start - secs(1), world.now()) < ms(2_000));

        world.peer_mut(speaker).tracks[0].streams[2].active = true;
        let start = world.now();
        world.run(secs(5));
        assert_eq!(layers(&world, start), [1, 2]);
        let slot = world.peer(viewer).slot("v0");
        assert!(longest_gap(slot, start, world.now()) < ms(600), "moving up is seamless");
        assert_flawless(world.peer(viewer));
        world.finish();
    }
}
