//! Payload descriptors: what is rewritten reads as the same but for that.

use std::hint::black_box;
use weir_wire::payload::{av1, h264, opus, red, vp8, vp9};

/// Values to write, which differ with the payload.
fn values(payload: &[u8]) -> (u16, u8, u8) {
    let sum = payload.iter().fold(0x1234_5678_u32, |sum, byte| {
        sum.rotate_left(5).wrapping_mul(0x9e37_79b1) ^ u32::from(*byte)
    });
    let [a, b, c, d] = sum.to_be_bytes();
    (u16::from_be_bytes([a, b]), c, d)
}

fn cut(id: u16, bits: u8) -> u16 {
    id & if bits == 15 { 0x7fff } else { 0x7f }
}

/// The bytes after the descriptor are nobody's business.
fn same_rest(old: &[u8], new: &[u8], header_len: usize) {
    assert!(header_len < old.len(), "something follows the descriptor");
    assert_eq!(old[header_len..], new[header_len..]);
}

pub(super) fn vp8(payload: &[u8]) {
    let Ok(before) = vp8::parse(payload) else { return };
    black_box(before.facts());
    let (picture, tl0, key) = values(payload);
    let mut copy = payload.to_vec();
    vp8::rewrite(&mut copy, &before, Some(picture), Some(tl0), Some(key));
    let after = vp8::parse(&copy).expect("a rewritten descriptor is one");
    let mut expected = before;
    expected.picture_id = before.picture_id.map(|_| cut(picture, before.picture_id_bits));
    expected.tl0_pic_idx = before.tl0_pic_idx.map(|_| tl0);
    expected.key_idx = before.key_idx.map(|_| key & 0x1f);
    assert_eq!(after, expected);
    same_rest(payload, &copy, before.header_len);
    vp8::rewrite(&mut copy, &after, before.picture_id, before.tl0_pic_idx, before.key_idx);
    assert_eq!(copy, payload, "and back");
    // A descriptor of another payload does no harm.
    vp8::rewrite(&mut copy[..1], &before, Some(1), Some(1), Some(2));
}

pub(super) fn vp9(payload: &[u8]) {
    let Ok(before) = vp9::parse(payload) else { return };
    black_box(before.facts());
    let (picture, tl0, _) = values(payload);
    let mut copy = payload.to_vec();
    vp9::rewrite(&mut copy, &before, Some(picture), Some(tl0));
    let after = vp9::parse(&copy).expect("a rewritten descriptor is one");
    let mut expected = before;
    expected.picture_id = before.picture_id.map(|_| cut(picture, before.picture_id_bits));
    expected.tl0_pic_idx = before.tl0_pic_idx.map(|_| tl0);
    assert_eq!(after, expected);
    same_rest(payload, &copy, before.header_len);
    vp9::rewrite(&mut copy, &after, before.picture_id, before.tl0_pic_idx);
    assert_eq!(copy, payload, "and back");
}

/// Payloads that are only read.
pub(super) fn others(payload: &[u8]) {
    if let Ok(facts) = av1::parse(payload) {
        black_box(facts.facts());
        assert!(!(facts.continuation && facts.new_sequence));
    }
    if let Ok(facts) = h264::parse(payload) {
        black_box(facts.facts());
        assert!(!facts.key_frame || facts.idr || facts.sps);
    }
    if let Ok(facts) = opus::parse(payload) {
        assert!(facts.frames <= 63 && (2_500..=60_000).contains(&facts.frame_duration_us));
        assert_eq!(u64::from(facts.duration_ticks()), u64::from(facts.duration_us()) * 6 / 125);
    }
    if let Ok(primary) = red::primary(payload) {
        assert!(primary.payload.len() < payload.len() && primary.payload_type < 128);
        assert!(payload.ends_with(primary.payload));
    }
}
