use crate::common::{ms, secs, world};
use weir_sfu_api::CodecKind;
use weir_sim::oracles::{assert_flawless, frame_rate, longest_gap, pictures};
use weir_sim::{PeerSetup, Scalability, Source};

#[test]
fn layers_within_a_stream_arrive_as_they_were_sent() {
    let vp9 = |shape| Source::layered_camera(CodecKind::Vp9, shape);
    let cases = [
        Source::camera().layered(Scalability::L1T3),
        Source { descriptor: true, ..Source::camera().layered(Scalability::L1T2) },
        Source { descriptor: true, ..Source::layered_camera(CodecKind::H264, Scalability::L1T3) },
        vp9(Scalability::L1T3),
        vp9(Scalability::L3T3),
        Source { flexible: true, ..vp9(Scalability::L3T3Key) },
        Source { descriptor: true, ..vp9(Scalability::L3T1) },
        Source::layered_camera(CodecKind::Av1, Scalability::L3T3),
        Source::layered_camera(CodecKind::Av1, Scalability::L3T3Key),
        Source::screen(),
    ];
    for (seed, source) in (1..).zip(cases) {
        let mut world = world(seed);
        let what = format!("{:?} {:?}", source.codec, source.scalability);
        let (fps, size) = (f64::from(source.fps), source.resolution);
        world.join(0, PeerSetup::new(1, 7).publish(source.clone()));
        let viewer = world.join(0, PeerSetup::new(2, 7));
        world.run(secs(6));
        let slot = world.peer(viewer).slot("v0");
        let (from, now) = (world.now() - secs(4), world.now());
        assert_flawless(world.peer(viewer));
        assert_eq!(slot.counters.broken_promises, 0, "{what}");
        let rate = frame_rate(slot, from, now);
        assert!((rate - fps).abs() < 1.0, "{what}: {rate} fps");
        assert!(longest_gap(slot, from, now) < ms(350), "{what}");
        let mut pictures = pictures(slot, from, now);
        // Its upper layers may be on their way.
        pictures.pop();
        assert!(pictures.iter().all(|picture| picture.resolution == size), "{what}");
        let layers = source.scalability.temporal();
        for layer in 0..layers {
            let share = pictures.iter().filter(|p| p.temporal == layer).count() as f64;
            let expected = match (layers, layer) {
                (1, _) => 1.0,
                (2, _) | (_, 2) => 0.5,
                _ => 0.25,
            };
            assert!((share / pictures.len() as f64 - expected).abs() < 0.1, "{what} T{layer}");
        }
        world.finish();
    }
}
