//! A measure whose bound is zero must fail: each of them sees something in a bad run.

use crate::common::{ms, secs, world};
use weir_sim::oracles::{gaps, latencies, longest_gap, skew_ms};
use weir_sim::{LinkConfig, Nacks, PeerSetup};

#[test]
fn measures_notice_what_they_measure() {
    let mut world = world(1);
    let base = world.now();
    world.link = LinkConfig::lossy(0.05);
    world.join(0, PeerSetup::new(1, 7).talking());
    let viewer = world.join(0, PeerSetup::new(2, 7));
    world.peer_mut(viewer).manners.nacks = Nacks::Never;
    world.run(secs(10));
    let peer = world.peer(viewer);
    let (audio, video) = (peer.slot("a0"), peer.slot("v0"));
    assert!(!gaps(video, 1, 0).is_empty() && !gaps(audio, 1, 0).is_empty());
    assert!(video.counters.skips > 3 && video.counters.key_frame_requests > 3);
    assert!(longest_gap(video, base + secs(1), world.now()) > ms(900));
    assert!(latencies(video, base)[0] >= ms(100));
    assert!(skew_ms(audio, video, 1).is_some_and(|skew| skew != 0.0));
    assert_eq!(longest_gap(video, base - secs(5), base), secs(5));
    world.finish();
}
