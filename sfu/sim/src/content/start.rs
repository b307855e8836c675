//! How payloads of each codec begin.

use super::{Content, FrameIds, MIN_BODY};
use weir_sfu_api::CodecKind;
use weir_wire::payload::{vp8, vp9};

/// RFC 2198: a redundant block of 6 bytes, 960 ticks old, then the primary one; both are Opus.
pub const RED_START: [u8; 11] = [0xef, 0x0f, 0x00, 0x06, 0x6f, 1, 2, 3, 4, 5, 6];

/// RFC 7741 4.2: X, I, L, T and K with a 15-bit picture id; then the frame tag (RFC 6386 9.1).
pub(super) fn vp8_start(ids: &FrameIds, first: bool) -> (Vec<u8>, Vec<u8>) {
    let [high, low] = ids.picture_id.to_be_bytes();
    let (shape, phase) = (ids.place.shape, ids.place.phase);
    let unreferenced = u8::from(shape.unreferenced(phase)) << 5;
    let layer = ids.place.temporal() << 6 | u8::from(shape.sync(phase)) << 5;
    let out = vec![
        0x80 | unreferenced | (u8::from(first) << 4),
        0xf0,
        0x80 | high,
        low,
        ids.tl0_pic_idx,
        layer | ids.key_idx & 0x1f,
    ];
    let mut data = Vec::new();
    if first && ids.place.key {
        let (w, h) = ids.resolutions[0];
        data.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a]);
        data.extend(w.to_le_bytes());
        data.extend(h.to_le_bytes());
    } else if first {
        data.extend([0x11, 0, 0]);
    }
    (out, data)
}

/// RFC 9628 4.2: I with 15 bits; layer indices where there are layers; in flexible mode the
/// pictures referred to, else TL0PICIDX; a scalability structure in key pictures.
pub(super) fn vp9_start(ids: &FrameIds, content: &Content, first: bool, last: bool) -> Vec<u8> {
    let [high, low] = ids.picture_id.to_be_bytes();
    let place = ids.place;
    let layered = place.shape.spatial() > 1 || place.shape.temporal() > 1;
    // The lower layer of the same picture is no earlier picture.
    let inter = !place.key;
    let structure = place.key && place.spatial == 0 && first;
    let bits = [
        (true, 0x80),
        (inter, 0x40),
        (layered, 0x20),
        (ids.flexible, 0x10),
        (first, 0x08),
        (last, 0x04),
        (structure && layered, 0x02),
        (layered && !place.below_another(), 0x01),
    ];
    let head = bits.iter().filter(|(set, _)| *set).fold(0, |head, (_, bit)| head | bit);
    let mut out = vec![head, 0x80 | high, low];
    if layered {
        // U in all: what follows never needs what was before in a higher layer, as in Chromium.
        let up = 1 << 4;
        out.push(place.temporal() << 5 | up | place.spatial << 1 | u8::from(place.on_below()));
        if !ids.flexible {
            out.push(ids.tl0_pic_idx);
        }
    }
    if ids.flexible && inter {
        out.push(place.shape.back(place.phase) << 1);
    }
    if structure && layered {
        let spatial = place.shape.spatial();
        let pattern = !ids.flexible;
        out.push((spatial - 1) << 5 | 0x10 | u8::from(pattern) << 3);
        for (width, height) in ids.resolutions.iter().take(usize::from(spatial)) {
            out.extend(width.to_be_bytes());
            out.extend(height.to_be_bytes());
        }
        if pattern {
            out.push(place.shape.period());
            for phase in 0..place.shape.period() {
                let up = 1 << 4;
                out.push(place.shape.temporal_id(phase) << 5 | up | 1 << 2);
                out.push(place.shape.back(phase));
            }
        }
    }
    debug_assert_eq!(content.spatial, place.spatial);
    out
}

/// RFC 6184 5.7.1 and 5.8: parameter sets and the first slice in a STAP-A, else a single NAL unit;
/// later packets are FU-A fragments.
pub(super) fn h264_start(first: bool, key: bool, len: usize) -> Vec<u8> {
    match (first, key) {
        (true, true) => {
            let mut out = vec![24, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce];
            let slice = len.saturating_sub(out.len() + 3).max(MIN_BODY) + 1;
            out.extend((slice as u16).to_be_bytes());
            out.push(0x65);
            out
        }
        (true, false) => vec![0x61],
        (false, key) => vec![0x7c, if key { 5 } else { 1 }],
    }
}

/// AV1 aggregation header and the header of the frame's OBU, with layers where there are any: a key
/// frame brings its sequence header in the same packet.
pub(super) fn av1_start(ids: &FrameIds, first: bool) -> Vec<u8> {
    let place = ids.place;
    let layered = place.shape.spatial() > 1 || place.shape.temporal() > 1;
    let frame: &[u8] =
        if layered { &[0x34, place.temporal() << 5 | place.spatial << 3] } else { &[0x30] };
    let mut out = match (first, place.key && place.spatial == 0) {
        (true, true) => vec![0x28, 2, 0x08, 0x00],
        (true, false) => vec![0x10],
        (false, _) => return vec![0x90],
    };
    out.extend(frame);
    out
}

/// The picture id that a payload carries, where its codec has one.
#[must_use]
pub fn picture_id(codec: CodecKind, payload: &[u8]) -> Option<u16> {
    match codec {
        CodecKind::Vp8 => vp8::parse(payload).ok()?.picture_id,
        CodecKind::Vp9 => vp9::parse(payload).ok()?.picture_id,
        _ => None,
    }
}

/// The TL0PICIDX that a payload carries, where its codec has one.
#[must_use]
pub fn tl0_pic_idx(codec: CodecKind, payload: &[u8]) -> Option<u8> {
    match codec {
        CodecKind::Vp8 => vp8::parse(payload).ok()?.tl0_pic_idx,
        CodecKind::Vp9 => vp9::parse(payload).ok()?.tl0_pic_idx,
        _ => None,
    }
}
