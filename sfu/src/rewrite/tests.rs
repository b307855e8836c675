use super::*;
use crate::packet::{Facts, PacketMeta};
use crate::select::{Level, Levels};
use std::time::{Duration, Instant};
use weir_sfu_api::CodecKind;

fn packet(stream: u32, seq: u64, timestamp: u32, picture_id: u16) -> PacketMeta {
    PacketMeta {
        stream,
        seq,
        timestamp,
        facts: Facts {
            picture_id: Some(picture_id),
            long_picture_id: true,
            tl0_pic_idx: Some(picture_id as u8),
            key_frame: true,
            frame_start: true,
            needed: Levels::ALL,
            ..Facts::default()
        },
        codec: Some(CodecKind::Vp8),
        ..PacketMeta::default()
    }
}

#[test]
fn a_switch_continues_numbers_times_and_picture_ids() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 500, 10_000);
    let first = packet(1, 70_000, 5, 9);
    r.switch(&first, Level::FULL, None, t0);
    let out = r.map(&first, t0).unwrap();
    assert_eq!((out.seq, out.timestamp, out.picture_id), (500, 10_000, Some(9)));
    let t1 = t0 + Duration::from_millis(33);
    let out = r.map(&packet(1, 70_001, 5 + 2_970, 10), t1).unwrap();
    assert_eq!((out.seq, out.timestamp, out.picture_id), (501, 12_970, Some(10)));

    // Another source, with numbers of its own, 100 ms later.
    let t2 = t1 + Duration::from_millis(100);
    let other = packet(2, 3, 4_000_000_000, 32_000);
    r.switch(&other, Level::FULL, None, t2);
    let out = r.map(&other, t2).unwrap();
    assert_eq!((out.seq, out.timestamp, out.picture_id), (502, 21_970, Some(11)));
    assert_eq!(out.tl0_pic_idx, Some(11));
    // A late packet of the old source is not sent any more.
    assert!(r.map(&packet(1, 70_002, 6_000, 11), t2).is_none());
    // Nor one of the new source from before the switch.
    assert!(r.map(&packet(2, 2, 4_000_000_000, 31_999), t2).is_none());
}

#[test]
fn a_hole_stays_a_hole_and_a_late_packet_fits_into_it() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&packet(1, 100, 0, 1), Level::FULL, None, t0);
    assert_eq!(r.map(&packet(1, 100, 0, 1), t0).unwrap().seq, 0);
    assert_eq!(r.map(&packet(1, 103, 0, 1), t0).unwrap().seq, 3);
    assert_eq!(r.map(&packet(1, 101, 0, 1), t0).unwrap().seq, 1);
    assert_eq!(r.highest(), Some(3));
}

#[test]
fn a_nack_finds_the_source_packet_also_across_a_switch() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0x7fff, 0);
    r.switch(&packet(1, 100, 0, 1), Level::FULL, None, t0);
    r.map(&packet(1, 100, 0, 1), t0);
    r.map(&packet(1, 101, 0, 1), t0);
    r.switch(&packet(2, 900, 0, 1), Level::FULL, None, t0);
    r.map(&packet(2, 900, 0, 1), t0);
    let (segment, seq, out) = r.source_of(0x8000).unwrap();
    assert_eq!((segment.stream, seq, out), (1, 101, 0x8000));
    let (segment, seq, _) = r.source_of(0x8001).unwrap();
    assert_eq!((segment.stream, seq), (2, 900));
    assert!(r.source_of(0x7ffe).is_none());
}

#[test]
fn aligned_layers_keep_their_common_time() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&packet(1, 1, 1_000, 1), Level::FULL, None, t0);
    r.map(&packet(1, 1, 1_000, 1), t0);
    // The new layer's frame was captured 40 ms later though only 33 ms passed here.
    let t1 = t0 + Duration::from_millis(33);
    r.switch(&packet(2, 1, 77, 1), Level::FULL, Some(3_600), t1);
    assert_eq!(r.map(&packet(2, 1, 77, 1), t1).unwrap().timestamp, 3_600);
    assert_eq!(r.last_timestamp(), 3_600);
    // Nonsense alignment is not believed.
    r.switch(&packet(3, 1, 5, 1), Level::FULL, Some(3_599), t1);
    assert_eq!(r.map(&packet(3, 1, 5, 1), t1).unwrap().timestamp, 3_601);
}

#[test]
fn an_emptied_slot_sends_nothing_and_goes_on_seamlessly() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(48_000, 10, 0);
    r.switch(&packet(1, 1, 0, 1), Level::FULL, None, t0);
    r.map(&packet(1, 1, 0, 1), t0);
    r.stop();
    assert!(r.map(&packet(1, 2, 960, 1), t0).is_none());
    r.switch(&packet(4, 50, 0, 1), Level::FULL, None, t0);
    assert_eq!(r.map(&packet(4, 50, 0, 1), t0).unwrap().seq, 11);
}
