//! Codec facts of a packet, by the codec's own parser.

use crate::packet::Facts;
use weir_sfu_api::CodecKind;
use weir_wire::payload::{PayloadFacts, av1, h264, vp8, vp9};

/// Reads what routing and rewriting need from the first bytes of the payload. `None` when the
/// payload is malformed; an empty payload (padding only) has no facts. `descriptor` is the
/// dependency descriptor extension.
pub(crate) fn read(codec: CodecKind, payload: &[u8], descriptor: Option<&[u8]>) -> Option<Facts> {
    if payload.is_empty() {
        return Some(Facts::default());
    }
    let mut facts = match codec {
        CodecKind::Opus | CodecKind::Red => {
            Facts { key_frame: true, frame_start: true, ..Facts::default() }
        }
        CodecKind::Vp8 => {
            let parsed = vp8::parse(payload).ok()?;
            from(&parsed.facts(), u8::try_from(parsed.header_len).ok()?, parsed.key_idx)
        }
        CodecKind::Vp9 => {
            let parsed = vp9::parse(payload).ok()?;
            from(&parsed.facts(), u8::try_from(parsed.header_len).ok()?, None)
        }
        CodecKind::H264 => from(&h264::parse(payload).ok()?.facts(), 0, None),
        CodecKind::Av1 => from(&av1::parse(payload).ok()?.facts(), 0, None),
    };
    // Start, end, template id and frame number are mandatory (AV1 RTP specification, A.8.1).
    if let Some(&[_, high, low, ..]) = descriptor {
        facts.frame_number = Some(u16::from_be_bytes([high, low]));
    }
    Some(facts)
}

fn from(facts: &PayloadFacts, descriptor_len: u8, key_idx: Option<u8>) -> Facts {
    Facts {
        key_frame: facts.key_frame,
        frame_start: facts.frame_start,
        picture_id: facts.picture_id,
        long_picture_id: facts.picture_id_bits == 15,
        tl0_pic_idx: facts.tl0_pic_idx,
        key_idx,
        descriptor_len,
        frame_number: None,
        resolution: facts.resolution,
    }
}
