//! H.264 payloads (RFC 6184 section 5).

use super::PayloadFacts;
use crate::{ParseError, read::Reader};

const SLICE: u8 = 1;
const IDR: u8 = 5;
const SEI: u8 = 6;
const SPS: u8 = 7;
const PPS: u8 = 8;
const AUD: u8 = 9;
const STAP_A: u8 = 24;
const STAP_B: u8 = 25;
const FU_A: u8 = 28;
const FU_B: u8 = 29;

/// What a payload contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct H264Payload {
    /// A sequence parameter set, or the first slice of an IDR picture, starts here. An encoder
    /// may send both in separate packets of one timestamp; both say true.
    pub key_frame: bool,
    /// A parameter set, delimiter, SEI or the first slice of a picture starts here. One picture
    /// may have several such packets, all with one timestamp.
    pub frame_start: bool,
    /// A slice of an IDR picture is here, first or not.
    pub idr: bool,
    /// A sequence parameter set is here.
    pub sps: bool,
    /// A picture parameter set is here.
    pub pps: bool,
    /// Every NAL unit here has nal_ref_idc 0.
    pub non_reference: bool,
    /// The last fragment of a NAL unit (FU E bit).
    pub fragment_end: bool,
}

impl H264Payload {
    /// In the terms common to all codecs.
    #[must_use]
    pub fn facts(&self) -> PayloadFacts {
        PayloadFacts {
            key_frame: self.key_frame,
            frame_start: self.frame_start,
            discardable: self.non_reference,
            ..PayloadFacts::default()
        }
    }

    /// Takes note of the start of a NAL unit; `body` follows its header byte.
    fn nal_start(&mut self, kind: u8, body: &[u8]) {
        // first_mb_in_slice is ue(v) in the first bits: a leading 1 is 0, the picture's start.
        let first_slice = body.first().is_some_and(|byte| byte & 0x80 != 0);
        match kind {
            SLICE => self.frame_start |= first_slice,
            IDR => {
                self.idr = true;
                self.frame_start |= first_slice;
                self.key_frame |= first_slice;
            }
            SPS => {
                self.sps = true;
                self.key_frame = true;
                self.frame_start = true;
            }
            PPS => {
                self.pps = true;
                self.frame_start = true;
            }
            AUD | SEI => self.frame_start = true,
            _ => {}
        }
    }
}

/// Reads single NAL units, STAP-A, STAP-B, FU-A and FU-B. MTAPs, which no WebRTC sender makes,
/// give no facts.
///
/// # Errors
/// For an empty payload, NAL types 0, 30 and 31, and an aggregate or fragment cut short.
pub fn parse(payload: &[u8]) -> Result<H264Payload, ParseError> {
    let mut r = Reader::new(payload);
    let header = r.u8("H264 payload")?;
    let mut facts = H264Payload { non_reference: header & 0x60 == 0, ..H264Payload::default() };
    match header & 0x1f {
        kind @ 1..=23 => facts.nal_start(kind, r.rest()),
        kind @ (STAP_A | STAP_B) => {
            if kind == STAP_B {
                r.u16("H264 decoding order number")?;
            }
            facts.non_reference = true;
            while !r.is_empty() {
                let len = r.u16("H264 aggregate")?;
                let nal = r.take(usize::from(len), "H264 aggregated size")?;
                if let Some((header, body)) = nal.split_first() {
                    facts.nal_start(header & 0x1f, body);
                    facts.non_reference &= header & 0x60 == 0;
                }
            }
        }
        FU_A | FU_B => {
            let is_b = header & 0x1f == FU_B;
            let fu = r.u8("H264 fragment header")?;
            if is_b {
                r.u16("H264 decoding order number")?;
            }
            facts.fragment_end = fu & 0x40 != 0;
            if fu & 0x80 != 0 {
                facts.nal_start(fu & 0x1f, r.rest());
            } else {
                facts.idr = fu & 0x1f == IDR;
            }
        }
        26 | 27 => {}
        _ => return Err(ParseError::new("H264 NAL unit type", 0)),
    }
    Ok(facts)
}
