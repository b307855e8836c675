//! VP9 payload descriptor (RFC 9628 section 4.2).

use super::PayloadFacts;
use crate::{ParseError, read::Reader, read::put};

/// The descriptor, with the places of the fields that a forwarder rewrites. All offsets are from
/// the start of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vp9Descriptor {
    /// P: depends on earlier pictures.
    pub inter_picture: bool,
    /// F: flexible mode, the descriptor lists the pictures referred to.
    pub flexible: bool,
    /// B: start of a layer frame.
    pub frame_start: bool,
    /// E: end of a layer frame.
    pub frame_end: bool,
    /// Z: not needed by higher spatial layers.
    pub not_spatial_reference: bool,
    /// Picture id.
    pub picture_id: Option<u16>,
    /// 7 or 15, 0 for none.
    pub picture_id_bits: u8,
    /// Where the picture id is.
    pub picture_id_offset: Option<usize>,
    /// TID, 0 to 7.
    pub temporal_id: Option<u8>,
    /// U: a receiver of lower temporal layers can step up to this one here.
    pub switching_up: bool,
    /// SID, 0 to 7.
    pub spatial_id: Option<u8>,
    /// D: depends on the spatial layer below in the same picture.
    pub inter_layer: bool,
    /// TL0PICIDX (non-flexible mode only).
    pub tl0_pic_idx: Option<u8>,
    /// Where it is.
    pub tl0_pic_idx_offset: Option<usize>,
    /// Number of spatial layers when a scalability structure is present, 1 to 8.
    pub spatial_layers: Option<u8>,
    /// Width and height in pixels per spatial layer, where the structure has them.
    pub resolutions: [Option<(u16, u16)>; 8],
    /// Bytes of the descriptor.
    pub header_len: usize,
}

impl Vp9Descriptor {
    /// This packet starts a key picture: the base spatial layer's frame, not predicted from
    /// earlier pictures.
    #[must_use]
    pub fn key_frame(&self) -> bool {
        self.frame_start && !self.inter_picture && self.spatial_id.unwrap_or(0) == 0
    }

    /// Width and height of the highest spatial layer.
    #[must_use]
    pub fn resolution(&self) -> Option<(u16, u16)> {
        self.resolutions.iter().rev().find_map(|r| *r)
    }

    /// In the terms common to all codecs.
    #[must_use]
    pub fn facts(&self) -> PayloadFacts {
        PayloadFacts {
            key_frame: self.key_frame(),
            frame_start: self.frame_start,
            frame_end: self.frame_end,
            temporal_id: self.temporal_id,
            spatial_id: self.spatial_id,
            picture_id: self.picture_id,
            picture_id_bits: self.picture_id_bits,
            tl0_pic_idx: self.tl0_pic_idx,
            key_idx: None,
            layer_sync: self.switching_up,
            discardable: false,
            inter_layer: self.inter_layer,
            inter_picture: self.inter_picture,
            resolution: self.resolution(),
        }
    }
}

/// Reads the descriptor.
///
/// # Errors
/// When the descriptor is longer than the payload, no VP9 data follow it, or flexible mode lists
/// more than three pictures.
pub fn parse(payload: &[u8]) -> Result<Vp9Descriptor, ParseError> {
    let mut r = Reader::new(payload);
    let what = "VP9 descriptor";
    let first = r.u8(what)?;
    let mut d = Vp9Descriptor {
        inter_picture: first & 0x40 != 0,
        flexible: first & 0x10 != 0,
        frame_start: first & 0x08 != 0,
        frame_end: first & 0x04 != 0,
        not_spatial_reference: first & 0x01 != 0,
        ..Vp9Descriptor::default()
    };
    if first & 0x80 != 0 {
        d.picture_id_offset = Some(r.pos());
        let byte = r.u8(what)?;
        if byte & 0x80 != 0 {
            d.picture_id = Some(u16::from_be_bytes([byte & 0x7f, r.u8(what)?]));
            d.picture_id_bits = 15;
        } else {
            d.picture_id = Some(u16::from(byte));
            d.picture_id_bits = 7;
        }
    }
    if first & 0x20 != 0 {
        let byte = r.u8(what)?;
        d.temporal_id = Some(byte >> 5);
        d.switching_up = byte & 0x10 != 0;
        d.spatial_id = Some((byte >> 1) & 7);
        d.inter_layer = byte & 1 != 0;
        if !d.flexible {
            d.tl0_pic_idx_offset = Some(r.pos());
            d.tl0_pic_idx = Some(r.u8(what)?);
        }
    }
    if d.flexible && d.inter_picture {
        let mut count = 0_u8;
        // P_DIFF (7 bits) and N: another one follows.
        while r.u8(what)? & 1 != 0 {
            count = count.saturating_add(1);
            if count == 3 {
                return Err(ParseError::new("VP9 reference list", r.pos()));
            }
        }
    }
    if first & 0x02 != 0 {
        structure(&mut r, &mut d)?;
    }
    d.header_len = r.pos();
    if r.is_empty() {
        return Err(ParseError::new("VP9 payload", r.pos()));
    }
    Ok(d)
}

/// Scalability structure (RFC 9628 section 4.2.1).
fn structure(r: &mut Reader<'_>, d: &mut Vp9Descriptor) -> Result<(), ParseError> {
    let what = "VP9 scalability structure";
    let head = r.u8(what)?;
    let layers = (head >> 5).saturating_add(1);
    d.spatial_layers = Some(layers);
    if head & 0x10 != 0 {
        for place in d.resolutions.iter_mut().take(usize::from(layers)) {
            *place = Some((r.u16(what)?, r.u16(what)?));
        }
    }
    if head & 0x08 != 0 {
        for _ in 0..r.u8(what)? {
            let references = (r.u8(what)? >> 2) & 3;
            r.take(usize::from(references), what)?;
        }
    }
    Ok(())
}

/// Overwrites the fields for which a value is given and which are present; `picture_id` is cut
/// to its width of 7 or 15 bits.
pub fn rewrite(
    payload: &mut [u8],
    descriptor: &Vp9Descriptor,
    picture_id: Option<u16>,
    tl0_pic_idx: Option<u8>,
) {
    if let (Some(at), Some(id)) = (descriptor.picture_id_offset, picture_id) {
        put_picture_id(payload, at, descriptor.picture_id_bits, id);
    }
    if let (Some(at), Some(idx)) = (descriptor.tl0_pic_idx_offset, tl0_pic_idx) {
        put(payload, at, &[idx]);
    }
}

/// The M bit tells 7 from 15 bits, in VP8 as in VP9.
pub(super) fn put_picture_id(payload: &mut [u8], at: usize, bits: u8, id: u16) {
    let [high, low] = id.to_be_bytes();
    match bits {
        15 => put(payload, at, &[high | 0x80, low]),
        7 => put(payload, at, &[low & 0x7f]),
        _ => false,
    };
}
