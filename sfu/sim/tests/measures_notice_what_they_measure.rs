//! A measure whose bound is zero must fail: each of them sees something in a bad run.

use crate::common::{ms, secs, world};
use std::time::Duration;
use weir_sim::oracles::{
    frame_rate, freezes, gaps, latencies, longest_gap, share_of_height, skew_ms, switches,
};
use weir_sim::{LinkConfig, Nacks, PeerSetup, Source};

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
    let now = world.now();
    let frozen = freezes(video, base, now);
    let long: Duration = frozen.iter().map(|(_, long)| *long).sum();
    assert!(long > secs(2) && frozen.iter().all(|(_, long)| *long > ms(150)), "{frozen:?}");
    assert!(frame_rate(video, base, now) < 20.0);
    assert_eq!(share_of_height(video, 361, base, now), 0.0);
    assert_eq!(share_of_height(video, 360, base, now), 1.0);
    world.finish();
}

#[test]
fn a_switch_of_layers_is_counted() {
    let mut world = world(2);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::simulcast_camera()));
    let viewer = world.join(0, PeerSetup::new(2, 7));
    world.run(secs(5));
    let from = world.now();
    let sizes = |world: &weir_sim::World| {
        let (slot, now) = (world.peer(viewer).slot("v0"), world.now());
        (switches(slot, from, now), share_of_height(slot, 720, from, now))
    };
    world.run(secs(3));
    assert_eq!(sizes(&world), (0, 1.0));
    world.peer_mut(speaker).tracks[0].streams[2].active = false;
    world.run(secs(3));
    let (count, share) = sizes(&world);
    assert!(count == 1 && (0.3..0.9).contains(&share), "{count} {share}");
    world.finish();
}
