use crate::common::{aware, ms, secs, view, world};
use weir_sfu_api::MediaKind;
use weir_sim::Source;
use weir_sim::oracles::{assert_flawless, longest_gap, slots};

/// A camera that costs the test little.
fn camera() -> Source {
    Source { bitrate_bps: 80_000, fps: 10, ..Source::camera() }
}

#[test]
fn two_hundred_joins_in_five_seconds_freeze_nobody() {
    let mut world = world(1);
    let mut old = Vec::new();
    for id in 1..=12 {
        let peer = world.join(0, aware(id, 3, 9).publish(Source::microphone()).publish(camera()));
        view(&mut world, peer, Vec::new(), u16::MAX);
        old.push(peer);
        world.run(ms(100));
    }
    world.run(secs(1));
    let begin = world.now();
    let mut new = Vec::new();
    for id in 0..200 {
        let peer =
            world.join(0, aware(100 + id, 3, 9).publish(Source::microphone()).publish(camera()));
        view(&mut world, peer, Vec::new(), u16::MAX);
        new.push((peer, world.now()));
        world.run(ms(25));
    }
    world.run(secs(2));
    for (peer, joined) in new {
        let peer = world.peer(peer);
        assert_flawless(peer);
        for slot in slots(peer, MediaKind::Video) {
            let first = slot.frames.first().map(|frame| frame.at - joined);
            assert!(
                first.is_some_and(|first| first < secs(2)),
                "peer {} slot {}: {first:?}",
                peer.id(),
                slot.mid
            );
        }
    }
    for peer in old {
        let peer = world.peer(peer);
        assert_flawless(peer);
        for slot in slots(peer, MediaKind::Video) {
            let gap = longest_gap(slot, begin, world.now());
            assert!(gap < ms(300), "peer {} slot {}: {gap:?}", peer.id(), slot.mid);
        }
    }
    world.finish();
}
