use crate::common::{ms, secs, world};
use weir_sim::oracles::{assert_flawless, gaps, longest_gap};
use weir_sim::{LinkConfig, PeerSetup, Source};

#[test]
fn a_publisher_with_three_rids_is_forwarded_in_its_best_layer() {
    for (seed, loss) in [(1, 0.0), (2, 0.02), (3, 0.02)] {
        let mut world = world(seed);
        world.link = LinkConfig::lossy(loss);
        world.join(0, PeerSetup::new(1, 7).publish(Source::simulcast_camera()));
        let viewer = world.join(0, PeerSetup::new(2, 7));
        world.run(secs(10));
        let peer = world.peer(viewer);
        assert_flawless(peer);
        let slot = peer.slot("v0");
        let late = slot.frames.iter().filter(|frame| frame.at > world.now() - secs(7));
        assert!(late.clone().count() > 25 * 6);
        assert!(late.clone().all(|frame| frame.layer == 2), "not the best layer");
        assert_eq!(gaps(slot, 1, 2), [0; 0]);
        assert!(longest_gap(slot, world.now() - secs(9), world.now()) < ms(600));
        let state = &world.slot_states(viewer)[3];
        assert_eq!((state.mid.as_str(), state.rid.unwrap().as_str()), ("v0", "f"));
        world.finish();
    }
}
