use crate::common::{secs, world};
use weir_sfu::Output;
use weir_sim::PeerSetup;

/// Who neither sends nor is sent anything has no timer but that of consent: no reports of nothing.
#[test]
fn an_idle_peer_is_not_looked_at() {
    let mut world = world(1);
    for id in 1..50 {
        world.join(0, PeerSetup::new(id, 7));
    }
    world.run(secs(3));
    for _ in 0..20 {
        let now = world.now();
        let Output::Timeout(Some((at, why))) = world.shard_mut(0).poll_output() else {
            panic!("no deadline");
        };
        assert!(at >= now);
        assert!(["statistics", "ice consent"].contains(&why), "{why}");
        world.run(secs(1));
    }
}

/// With the first packet for it, reports begin.
#[test]
fn who_begins_to_receive_is_reported_to() {
    let mut world = world(2);
    let quiet = world.join(0, PeerSetup::new(1, 7));
    world.run(secs(3));
    world.join(0, PeerSetup::new(2, 7).talking());
    world.run(secs(5));
    let frames = &world.peer(quiet).slot("v0").frames;
    assert!(frames.iter().skip(60).all(|frame| frame.ntp.is_some()), "no report in two seconds");
    assert!(frames.len() > 100, "{}", frames.len());
}
