//! Text is of use only at full size: on a narrow path a screen gives up frames, not pixels, and cameras
//! give way first.

use crate::common::{TEN, aware, each_seed, ms, secs, tile, view, world};
use std::time::Duration;
use weir_sfu_api::CodecKind;
use weir_sim::oracles::{frame_rate, longest_gap, share_of_height};
use weir_sim::peer::recv::Slot;
use weir_sim::{LinkConfig, PeerSetup, Scalability, Source};

/// A screen of 1080p shared beside its presenter's camera, seen over 500 kbit/s: full size at
/// `least_fps`, no picture later than `longest` after the one before, once it has settled.
fn share(name: &str, screen: &Source, least_fps: f64, longest: Duration) {
    each_seed(&TEN, |seed| {
        let mut world = world(seed);
        let presenter = PeerSetup::new(1, 7).publish(Source::meeting_camera());
        world.join(0, presenter.publish(screen.clone()));
        world.link = LinkConfig::narrow(500_000);
        let viewer = world.join(0, aware(2, 0, 2));
        view(&mut world, viewer, vec![tile(1)], 2);
        world.run(secs(32));
        let (from, now) = (world.now() - secs(12), world.now());
        let bps = world.down(viewer).between(from, now).delivered_bps();
        let slots = &world.peer(viewer).slots;
        let tall =
            |slot: &&Slot| slot.frames.iter().map(|frame| frame.resolution.1).max().unwrap_or(0);
        let slot = slots.iter().max_by_key(tall).expect("a slot");
        let camera = slots.iter().min_by_key(tall).expect("a slot");
        let (fps, good) = (frame_rate(slot, from, now), share_of_height(slot, 1080, from, now));
        let gap = longest_gap(slot, from, now);
        eprintln!(
            "{name}, seed {seed}: {fps:.1} pictures/s, {:.0} % at full size, longest gap {gap:?}, camera \
             {:.1}/s, {bps} bit/s",
            good * 100.0,
            frame_rate(camera, from, now),
        );
        assert!(fps >= least_fps && good >= 0.9, "{name}, seed {seed}: {fps} {good}");
        assert!(gap < longest, "{name}, seed {seed}: {gap:?}");
        world.finish();
    });
}

/// 800 kbit/s at 5 pictures a second; the lowest of three temporal layers has 1.25 of them.
fn screen(codec: CodecKind, shape: Scalability) -> Source {
    Source { burst_factor: 1, ..Source::screen() }.with_codec(codec).layered(shape)
}

#[test]
fn with_temporal_layers_in_vp8() {
    share("VP8 L1T3", &screen(CodecKind::Vp8, Scalability::L1T3), 1.0, ms(1_700));
    // With slides the rate varies so much that it may take 20 s until the lowest temporal layer is known
    // to fit. Until then there are single key frames, of 110 kB: 2.1 s at the estimate, and the last of
    // them may come after the beginning of the time that counts (seeds 5 and 6). Then 0.9 s.
    share("VP8 L1T3, slides", &Source::screen(), 1.0, ms(2_500));
}

#[test]
fn with_layers_in_vp9() {
    share("VP9 L1T3", &screen(CodecKind::Vp9, Scalability::L1T3), 1.0, ms(1_700));
    share("VP9 L3T3", &screen(CodecKind::Vp9, Scalability::L3T3), 1.0, ms(1_700));
}

#[test]
fn with_temporal_layers_in_av1() {
    share("AV1 L1T3", &screen(CodecKind::Av1, Scalability::L1T3), 1.0, ms(1_700));
}

/// What costs more in every way it can be had is shown one key frame after another.
#[test]
fn as_single_pictures_where_nothing_fits() {
    let screen = screen(CodecKind::Vp8, Scalability::L1T1);
    share("VP8 without layers", &screen, 0.5, ms(3_000));
    let fast = Source { fps: 10, bitrate_bps: 1_500_000, ..screen };
    share("VP8 of 1.5 Mbit/s without layers", &fast, 0.3, ms(4_000));
}
