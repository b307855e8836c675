use super::*;
use crate::plan::{LayerPlan, SourceKind};

fn plan(codec: Codec, pacing: Pacing) -> TrackPlan {
    TrackPlan {
        source: SourceKind::Camera,
        codec,
        layers: vec![LayerPlan {
            rid: None,
            bitrate_bps: 1_000_000,
            fps: 25.0,
            width: 640,
            height: 360,
        }],
        temporal_layers: 1,
        key_frame_interval: Duration::from_secs(4),
        pacing,
        talk: None,
        file: None,
    }
}

fn layer(codec: Codec, pacing: Pacing) -> Layer {
    Layer::new(&plan(codec, pacing), 0, (1, 2), &Media::Synthetic, 9, &mut Lots::new(1))
}

/// Packets with their times until `end`.
fn run(layer: &mut Layer, now: Instant, end: Duration) -> Vec<(Duration, Kept)> {
    let mut all = Vec::new();
    layer.begin(now, 0.0);
    while let Some(at) = layer.next_deadline().filter(|at| *at < now + end) {
        if layer.is_due(at) {
            assert!(!layer.make(at, None));
        }
        while let Some(mut kept) = layer.leaving(at) {
            kept.at = at;
            layer.keep(kept);
            all.push((at - now, kept));
        }
    }
    all
}

#[test]
fn frames_come_in_time_with_key_frames_between() {
    let now = Instant::now();
    let mut layer = layer(Codec::Vp8, Pacing::Burst);
    let all = run(&mut layer, now, Duration::from_secs(10));
    let starts: Vec<_> = all.iter().filter(|(_, kept)| kept.part == 0).collect();
    assert_eq!(starts.len(), 250);
    let keys: Vec<u64> =
        starts.iter().filter(|(_, k)| k.frame.key).map(|(at, _)| at.as_secs()).collect();
    assert_eq!(keys, [0, 4, 8]);
    assert_eq!(starts[1].1.timestamp.wrapping_sub(starts[0].1.timestamp), 3_600);
    assert!(all.iter().all(|(_, kept)| kept.marker == (kept.part + 1 == kept.frame.parts)));
    let bits: u64 = starts.iter().map(|(_, kept)| u64::from(kept.frame.bytes) * 8).sum();
    assert!((9_500_000..10_600_000).contains(&bits), "{bits}");
}

#[test]
fn a_pacer_spreads_a_frame_over_its_time() {
    let now = Instant::now();
    let mut layer = layer(Codec::Vp8, Pacing::Paced(2.5));
    let all = run(&mut layer, now, Duration::from_secs(2));
    // 5,000 bytes a frame leave in 16 ms at 2.5 times the rate.
    let of = |frame| all.iter().filter(move |(_, kept)| kept.frame.number == frame);
    let spread = of(20).next_back().unwrap().0 - of(20).next().unwrap().0;
    assert!((10..=20).contains(&spread.as_millis()), "{spread:?}");
    assert_eq!(all.iter().filter(|(_, k)| k.part == 0).count(), 50);
}

#[test]
fn a_second_of_packets_is_kept() {
    let now = Instant::now();
    let mut layer = layer(Codec::Vp8, Pacing::Burst);
    let all = run(&mut layer, now, Duration::from_secs(3));
    let newest = all.last().unwrap().1.index;
    assert!(layer.kept(newest as u16).is_some() && layer.kept(newest as u16 - 90).is_some());
    assert!(layer.kept(all[0].1.index as u16).is_none() && layer.kept(newest as u16 + 1).is_none());
    assert_eq!(layer.kept(newest as u16 - 5).unwrap().index, newest - 5);
}

#[test]
fn a_layer_that_comes_back_begins_with_a_key_frame() {
    let now = Instant::now();
    let mut layer = layer(Codec::Vp8, Pacing::Burst);
    run(&mut layer, now, Duration::from_secs(1));
    layer.want(false);
    let at = layer.next_frame;
    layer.make(at, None);
    assert!(layer.leaving(at).is_none());
    layer.want(true);
    let at = layer.next_frame;
    layer.make(at, None);
    assert!(layer.leaving(at).unwrap().frame.key);
}

#[test]
fn a_late_frame_is_told_and_those_missed_are_left_out() {
    let now = Instant::now();
    let mut layer = layer(Codec::Opus, Pacing::Burst);
    layer.begin(now, 0.0);
    assert!(!layer.make(now, None));
    assert!(layer.make(now + Duration::from_millis(100), None));
    assert!(!layer.is_due(now + Duration::from_millis(101)));
    let silence = Speech { voice: false, level: 127, dtx: true };
    let mut at = layer.next_frame;
    while layer.leaving(at).is_some() {}
    let mut sent = 0;
    for _ in 0..100 {
        layer.make(at, Some(silence));
        sent += u32::from(layer.leaving(at).is_some_and(|kept| kept.pause));
        at = layer.next_frame;
    }
    assert_eq!(sent, 5, "one in 400 ms for 2 s");
}
