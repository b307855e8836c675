//! AV1 payloads (AOM "RTP Payload Format For AV1" section 4). Layers and frame bounds are in the
//! dependency descriptor, see [`crate::dd`]; this is for streams without one.

use super::PayloadFacts;
use crate::{ParseError, read::Reader};

const OBU_SEQUENCE_HEADER: u8 = 1;

/// What a payload contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Av1Payload {
    /// Z: starts with the continuation of an OBU.
    pub continuation: bool,
    /// Y: the last OBU goes on in the next packet.
    pub continues: bool,
    /// N: first packet of a coded video sequence.
    pub new_sequence: bool,
    /// A sequence header OBU starts here.
    pub sequence_header: bool,
    /// Of the first OBU that starts here and has an extension header, 0 to 7.
    pub temporal_id: Option<u8>,
    /// The same, 0 to 3.
    pub spatial_id: Option<u8>,
}

impl Av1Payload {
    /// The start of a coded video sequence.
    #[must_use]
    pub fn key_frame(&self) -> bool {
        self.new_sequence || self.sequence_header
    }

    /// In the terms common to all codecs. `frame_start` is only "does not continue an OBU".
    #[must_use]
    pub fn facts(&self) -> PayloadFacts {
        PayloadFacts {
            key_frame: self.key_frame(),
            frame_start: !self.continuation,
            temporal_id: self.temporal_id,
            spatial_id: self.spatial_id,
            ..PayloadFacts::default()
        }
    }
}

/// Reads the aggregation header and the headers of the OBUs that start here.
///
/// # Errors
/// For an empty payload, an OBU element that does not fit, and N together with Z.
pub fn parse(payload: &[u8]) -> Result<Av1Payload, ParseError> {
    let mut r = Reader::new(payload);
    let header = r.u8("AV1 aggregation header")?;
    let mut facts = Av1Payload {
        continuation: header & 0x80 != 0,
        continues: header & 0x40 != 0,
        new_sequence: header & 0x08 != 0,
        ..Av1Payload::default()
    };
    if facts.continuation && facts.new_sequence {
        return Err(ParseError::new("AV1 aggregation header", 0));
    }
    let count = (header >> 4) & 3;
    let mut index = 0_u8;
    if r.is_empty() {
        return Err(ParseError::new("AV1 payload", 1));
    }
    while !r.is_empty() {
        index = index.saturating_add(1);
        // With W = 0 each element has a length, else all but the last.
        let element = if count != 0 && index >= count {
            let rest = r.rest();
            r.take(rest.len(), "AV1 element")?
        } else {
            let len = leb128(&mut r)?;
            r.take(len, "AV1 element length")?
        };
        let starts_here = index > 1 || !facts.continuation;
        if let (true, Some(obu)) = (starts_here, element.first()) {
            facts.sequence_header |= (obu >> 3) & 0x0f == OBU_SEQUENCE_HEADER;
            let extension = element.get(1).filter(|_| obu & 0x04 != 0);
            if let (Some(extension), None) = (extension, facts.temporal_id) {
                facts.temporal_id = Some(extension >> 5);
                facts.spatial_id = Some((extension >> 3) & 3);
            }
        }
    }
    Ok(facts)
}

/// A length of at most 8 bytes of 7 bits, least significant first.
fn leb128(r: &mut Reader<'_>) -> Result<usize, ParseError> {
    let at = r.pos();
    let mut value = 0_u64;
    for shift in (0..56_u32).step_by(7) {
        let byte = r.u8("AV1 element length")?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| ParseError::new("AV1 element length", at));
        }
    }
    Err(ParseError::new("AV1 element length", at))
}
