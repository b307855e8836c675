use crate::common::{TEN, aware, each_seed, ms, secs, view, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::{frame_rate, longest_gap, slots};
use weir_sim::{LinkConfig, PeerSetup, Source};

/// Twelve cameras, of 30 Mbit/s in all, over 3 Mbit/s.
#[test]
fn a_busy_room_starves_nobody() {
    each_seed(&TEN, |seed| {
        let mut world = world(seed);
        for id in 1..=12 {
            let setup = PeerSetup::new(id, 7).publish(Source::microphone());
            world.join(0, setup.publish(Source::meeting_camera()).slots(0, 0));
        }
        world.link = LinkConfig::narrow(3_000_000);
        let viewer = world.join(0, aware(20, 3, 12));
        view(&mut world, viewer, Vec::new(), u16::MAX);
        world.run(secs(20));
        let (from, now) = (world.now() - secs(12), world.now());
        let span = world.down(viewer).between(from, now);
        let peer = world.peer(viewer);
        let seen = slots(peer, MediaKind::Video);
        let seen: Vec<_> =
            seen.map(|slot| (longest_gap(slot, from, now), frame_rate(slot, from, now))).collect();
        let worst = seen.iter().map(|(gap, _)| *gap).max().unwrap_or_default();
        let least = seen.iter().map(|(_, fps)| *fps).fold(f64::MAX, f64::min);
        eprintln!(
            "seed {seed}: {} pictures, longest gap {worst:?}, least rate {least:.1}/s, {} bit/s, \
             queue {:?}",
            seen.len(),
            span.delivered_bps(),
            span.queue_delay,
        );
        assert_eq!(seen.len(), 12);
        assert!(worst < ms(500) && least > 6.0, "{seen:?}");
        assert!(span.delivered_bps() > 1_500_000 && span.queue_delay < ms(300), "{span:?}");
        world.finish();
    });
}
