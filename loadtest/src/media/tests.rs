use super::*;
use crate::plan::{LayerPlan, Pacing, SourceKind};
use std::time::Duration;
use weir_wire::payload::{av1, h264, opus, vp8, vp9};

fn plan(codec: Codec, temporal_layers: u8) -> TrackPlan {
    TrackPlan {
        source: SourceKind::Camera,
        codec,
        layers: vec![LayerPlan {
            rid: None,
            bitrate_bps: if codec == Codec::Opus { 32_000 } else { 1_000_000 },
            fps: 30.0,
            width: 1280,
            height: 720,
        }],
        temporal_layers,
        key_frame_interval: Duration::from_secs(10),
        pacing: Pacing::Burst,
        talk: None,
        file: None,
    }
}

fn payload(encoder: &Encoder, frame: &Frame, part: u16) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.payload(frame, part, 77, &mut out);
    out
}

#[test]
fn every_payload_is_its_codecs_and_carries_its_stamp() {
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus] {
        let mut encoder = Encoder::new(&plan(codec, 3), 0, &Media::Synthetic, 9);
        let (mut number, mut in_temporal) = (0, [0; 3]);
        for count in 0..40_u32 {
            let frame = encoder.frame(count == 20);
            let key = codec != Codec::Opus && (count == 0 || count == 20);
            assert_eq!(frame.key, key, "{codec:?} {count}");
            for part in 0..frame.parts {
                let payload = payload(&encoder, &frame, part);
                let what = format!("{codec:?} {count} {part}");
                assert_eq!(payload.len(), start::part_len(&frame, part), "{what}");
                assert!(payload.len() <= MAX_PAYLOAD + 60, "{what} {}", payload.len());
                let (found_key, found_start, size) = match codec {
                    Codec::Vp8 => {
                        let d = vp8::parse(&payload).unwrap();
                        (d.key_frame, d.frame_start(), d.resolution)
                    }
                    Codec::Vp9 => {
                        let d = vp9::parse(&payload).unwrap();
                        assert_eq!(d.frame_end, part + 1 == frame.parts);
                        (d.key_frame(), d.frame_start, d.resolution())
                    }
                    Codec::H264 => {
                        let d = h264::parse(&payload).unwrap();
                        (d.sps, part == 0, None)
                    }
                    Codec::Av1 => {
                        let d = av1::parse(&payload).unwrap();
                        assert_eq!(d.continues, part + 1 < frame.parts);
                        (d.key_frame(), !d.continuation, None)
                    }
                    Codec::Opus => {
                        assert_eq!(opus::parse(&payload).unwrap().duration_us(), 20_000);
                        (false, true, None)
                    }
                };
                assert_eq!((found_key, found_start), (key && part == 0, part == 0), "{what}");
                if let Some(size) = size {
                    assert_eq!(size, (1280, 720));
                }
                let stamp = Stamp::read(&payload).unwrap().unwrap();
                assert_eq!((stamp.source, stamp.sent_us, stamp.frame), (9, 77, count), "{what}");
                assert_eq!((stamp.number, stamp.height), (number, 720), "{what}");
                let expected = &mut in_temporal[usize::from(stamp.temporal)];
                assert_eq!(stamp.number_in_temporal, *expected, "{what}");
                *expected += 1;
                number += 1;
            }
        }
    }
}

#[test]
fn the_rate_is_kept_in_spite_of_key_frames() {
    for layers in 1..=3 {
        let mut encoder = Encoder::new(&plan(Codec::Vp8, layers), 0, &Media::Synthetic, 9);
        let frames: Vec<Frame> = (0..300).map(|n| encoder.frame(n % 100 == 0)).collect();
        let bits: u64 = frames.iter().map(|frame| u64::from(frame.bytes) * 8).sum();
        assert!((9_500_000..10_500_000).contains(&bits), "{layers}: {bits}");
        assert!(frames[100].bytes > 2 * frames[104].bytes);
    }
}

#[test]
fn a_packet_written_again_is_the_same() {
    let mut encoder = Encoder::new(&plan(Codec::H264, 1), 0, &Media::Synthetic, 9);
    let first = encoder.frame(false);
    let before = payload(&encoder, &first, 1);
    encoder.frame(true);
    assert_eq!(payload(&encoder, &first, 1), before);
    assert!(encoder.descriptor(&first, 0).is_some_and(|value| value.len() > 3));
}

#[test]
fn a_forwarder_may_change_the_picture_id() {
    let mut encoder = Encoder::new(&plan(Codec::Vp8, 3), 0, &Media::Synthetic, 9);
    let frame = encoder.frame(true);
    let mut payload = payload(&encoder, &frame, 0);
    let descriptor = vp8::parse(&payload).unwrap();
    vp8::rewrite(&mut payload, &descriptor, Some(99), Some(7), Some(3));
    assert!(Stamp::read(&payload).unwrap().is_some());
    payload[20] ^= 1;
    assert_eq!(Stamp::read(&payload), Err(Damaged));
}
