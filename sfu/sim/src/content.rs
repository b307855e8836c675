//! Synthetic media whose content tells what it is: payloads look like their codec's to a forwarder
//! and end in a trailer with frame number and checksum.

use weir_sfu_api::CodecKind;
use weir_wire::payload::{vp8, vp9};

/// Bytes of the trailer.
const TRAILER: usize = 32;
/// The shortest body.
pub const MIN_BODY: usize = TRAILER + 1;
/// RFC 2198: a redundant block of 6 bytes, 960 ticks old, then the primary one; both are Opus.
pub const RED_START: [u8; 11] = [0xef, 0x0f, 0x00, 0x06, 0x6f, 1, 2, 3, 4, 5, 6];
/// Keeps a H264 slice header's first bit set: first_mb_in_slice is 0.
const BODY_START: u8 = 0x80;

/// What one packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    /// Who made it.
    pub source: u32,
    /// Layer, 0 without simulcast.
    pub layer: u8,
    /// Frame number of the layer, without gaps.
    pub frame: u32,
    /// Position in the frame.
    pub part: u16,
    /// Packets of the frame.
    pub parts: u16,
    /// Belongs to a frame that needs no other.
    pub key: bool,
    /// When it was made, in microseconds of virtual time.
    pub created_us: u64,
}

/// Numbers of a frame that its codec writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameIds {
    /// VP8 and VP9, 15 bits.
    pub picture_id: u16,
    /// VP8 and VP9.
    pub tl0_pic_idx: u8,
    /// Pixels.
    pub resolution: (u16, u16),
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0193))
}

impl Content {
    /// `len` bytes, at least [`MIN_BODY`], that [`Self::read`] understands.
    fn body(&self, len: usize) -> Vec<u8> {
        let len = len.max(MIN_BODY);
        let mut body = vec![BODY_START];
        let salt = self.frame.wrapping_mul(31).wrapping_add(u32::from(self.part));
        body.extend((1..len - TRAILER).map(|n| (salt.wrapping_add(n as u32) % 251) as u8));
        body.extend((len as u16).to_be_bytes());
        body.extend(self.source.to_be_bytes());
        body.extend([self.layer, u8::from(self.key)]);
        body.extend(self.frame.to_be_bytes());
        body.extend(self.part.to_be_bytes());
        body.extend(self.parts.to_be_bytes());
        body.extend(self.created_us.to_be_bytes());
        body.extend(checksum(&body).to_be_bytes());
        body
    }

    /// Reads the end of a payload; `None` when a byte of the body changed.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let trailer = payload.last_chunk::<TRAILER>()?;
        let number = |from: usize, to: usize| {
            trailer[from..to].iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte))
        };
        let start = payload.len().checked_sub(number(0, 2) as usize)?;
        let body = &payload[start..];
        if body.first() != Some(&BODY_START)
            || checksum(body.get(..body.len() - 8)?) != number(24, 32)
        {
            return None;
        }
        Some(Self {
            source: number(2, 6) as u32,
            layer: number(6, 7) as u8,
            key: number(7, 8) != 0,
            frame: number(8, 12) as u32,
            part: number(12, 14) as u16,
            parts: number(14, 16) as u16,
            created_us: number(16, 24),
        })
    }

    /// A payload of `codec` of about `len` bytes.
    #[must_use]
    pub fn payload(&self, codec: CodecKind, ids: &FrameIds, len: usize) -> Vec<u8> {
        let first = self.part == 0;
        let mut out = match codec {
            CodecKind::Opus => Vec::new(),
            CodecKind::Red => RED_START.to_vec(),
            CodecKind::Vp8 => vp8_start(ids, first, self.key),
            CodecKind::Vp9 => vp9_start(ids, first, self.part + 1 == self.parts, self.key),
            CodecKind::H264 => h264_start(first, self.key, len),
            CodecKind::Av1 => av1_start(first, self.key),
        };
        let left = len.saturating_sub(out.len());
        out.extend(self.body(left));
        out
    }
}

/// RFC 7741 4.2: X, I, L and T with K, 15-bit picture id; then the frame tag (RFC 6386 9.1).
fn vp8_start(ids: &FrameIds, first: bool, key: bool) -> Vec<u8> {
    let [high, low] = ids.picture_id.to_be_bytes();
    let mut out = vec![0x80 | (u8::from(first) << 4), 0xf0, 0x80 | high, low, ids.tl0_pic_idx, 0];
    if first && key {
        let ((w, h), start) = (ids.resolution, [0x10, 0, 0, 0x9d, 0x01, 0x2a]);
        out.extend(start);
        out.extend(w.to_le_bytes());
        out.extend(h.to_le_bytes());
    } else if first {
        out.extend([0x11, 0, 0]);
    }
    out
}

/// RFC 9628 4.2: I with 15 bits, non-flexible, no layer indices.
fn vp9_start(ids: &FrameIds, first: bool, last: bool, key: bool) -> Vec<u8> {
    let [high, low] = ids.picture_id.to_be_bytes();
    let p = u8::from(!key) << 6;
    vec![0x80 | p | (u8::from(first) << 3) | (u8::from(last) << 2), 0x80 | high, low]
}

/// RFC 6184 5.7.1 and 5.8: parameter sets and the first slice in a STAP-A, else a single NAL unit;
/// later packets are FU-A fragments.
fn h264_start(first: bool, key: bool, len: usize) -> Vec<u8> {
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

/// AV1 aggregation header: a key frame brings its sequence header in the same packet.
fn av1_start(first: bool, key: bool) -> Vec<u8> {
    match (first, key) {
        (true, true) => vec![0x28, 2, 0x08, 0x00, 0x30],
        (true, false) => vec![0x10, 0x30],
        (false, _) => vec![0x90],
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use weir_wire::payload::{PayloadFacts, av1, h264};

    fn facts(codec: CodecKind, payload: &[u8]) -> PayloadFacts {
        match codec {
            CodecKind::Vp8 => vp8::parse(payload).unwrap().facts(),
            CodecKind::Vp9 => vp9::parse(payload).unwrap().facts(),
            CodecKind::H264 => h264::parse(payload).unwrap().facts(),
            _ => av1::parse(payload).unwrap().facts(),
        }
    }

    #[test]
    fn each_codec_reads_its_own_payloads_and_the_content_survives() {
        let ids = FrameIds { picture_id: 0x1234, tl0_pic_idx: 9, resolution: (640, 360) };
        for codec in [CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::Av1] {
            for (part, key) in [(0, true), (1, true), (0, false), (1, false)] {
                let content =
                    Content { source: 3, layer: 1, frame: 77, part, parts: 2, key, created_us: 5 };
                let mut payload = content.payload(codec, &ids, 900);
                assert!((896..=904).contains(&payload.len()), "{codec:?}");
                let facts = facts(codec, &payload);
                assert_eq!(facts.frame_start, part == 0, "{codec:?} {part} {key}");
                assert_eq!(facts.key_frame, key && part == 0, "{codec:?} {part} {key}");
                assert_eq!(Content::read(&payload), Some(content));
                payload[500] ^= 1;
                assert_eq!(Content::read(&payload), None);
            }
        }
    }
}
