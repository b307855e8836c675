//! The squeeze that congestion control must master, and that the measures see it.

use crate::common::{ms, secs, world};
use weir_sim::{LinkConfig, Nacks, PeerSetup, Source};

#[test]
fn a_narrow_link_shows_in_the_measures() {
    let mut world = world(1);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::camera()));
    world.link = LinkConfig::narrow(3_000_000);
    let mut setup = PeerSetup::new(2, 7).slots(0, 1);
    // Nothing here may depend on a reaction of the server.
    setup.transport_cc = false;
    let viewer = world.join(0, setup);
    world.peer_mut(viewer).manners.nacks = Nacks::Never;
    let start = world.now();
    world.down(viewer).rate_from(start + secs(5), Some(600_000));
    world.down(viewer).rate_from(start + secs(10), Some(3_000_000));
    world.run(secs(14));
    let down = world.down(viewer);
    let before = down.between(start + secs(2), start + secs(5));
    let narrow = down.between(start + secs(6), start + secs(10));
    let after = down.between(start + secs(12), start + secs(14));
    for span in [before, after] {
        assert!((700_000..1_200_000).contains(&span.sent_bps()), "{span:?}");
        assert!(span.overflowed == 0 && span.queue_delay < ms(60), "{span:?}");
    }
    assert!(narrow.sent_bps() > 700_000 && narrow.delivered_bps() <= 620_000, "{narrow:?}");
    assert!(narrow.overflowed > 20 && narrow.queue_delay > ms(280), "{narrow:?}");
    let slot = world.peer(viewer).slot("v0");
    assert!(slot.counters.skips > 0, "{:?}", slot.counters);
    assert!(world.peer(speaker).tracks[0].streams[0].requests.len() > 2);
    world.finish();
}
