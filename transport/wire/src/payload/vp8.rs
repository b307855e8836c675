//! VP8 payload descriptor (RFC 7741 section 4.2).

use super::PayloadFacts;
use crate::{ParseError, read::Reader, read::put};

/// The descriptor, with the places of the fields that a forwarder rewrites. All offsets are from
/// the start of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vp8Descriptor {
    /// N: no later frame depends on this one.
    pub non_reference: bool,
    /// S: start of a partition.
    pub partition_start: bool,
    /// PID, 0 to 7.
    pub partition_id: u8,
    /// Picture id.
    pub picture_id: Option<u16>,
    /// 7 or 15, 0 for none.
    pub picture_id_bits: u8,
    /// Where the picture id is.
    pub picture_id_offset: Option<usize>,
    /// TL0PICIDX.
    pub tl0_pic_idx: Option<u8>,
    /// Where it is.
    pub tl0_pic_idx_offset: Option<usize>,
    /// TID, 0 to 3.
    pub temporal_id: Option<u8>,
    /// Y: depends on the base temporal layer only. Meaningless without `temporal_id`.
    pub layer_sync: bool,
    /// KEYIDX, 0 to 31.
    pub key_idx: Option<u8>,
    /// Where the byte with TID, Y and KEYIDX is.
    pub key_idx_offset: Option<usize>,
    /// Bytes of the descriptor.
    pub header_len: usize,
    /// This packet starts a key frame.
    pub key_frame: bool,
    /// Width and height in pixels, in the first packet of a key frame.
    pub resolution: Option<(u16, u16)>,
}

impl Vp8Descriptor {
    /// This packet starts a frame: S set and partition 0.
    #[must_use]
    pub fn frame_start(&self) -> bool {
        self.partition_start && self.partition_id == 0
    }

    /// In the terms common to all codecs.
    #[must_use]
    pub fn facts(&self) -> PayloadFacts {
        PayloadFacts {
            key_frame: self.key_frame,
            frame_start: self.frame_start(),
            temporal_id: self.temporal_id,
            picture_id: self.picture_id,
            picture_id_bits: self.picture_id_bits,
            tl0_pic_idx: self.tl0_pic_idx,
            key_idx: self.key_idx,
            layer_sync: self.layer_sync,
            discardable: self.non_reference,
            resolution: self.resolution,
            ..PayloadFacts::default()
        }
    }
}

/// Reads the descriptor and, at the start of a frame, the frame header.
///
/// # Errors
/// When the descriptor is longer than the payload or no VP8 data follow it.
pub fn parse(payload: &[u8]) -> Result<Vp8Descriptor, ParseError> {
    let mut r = Reader::new(payload);
    let what = "VP8 descriptor";
    let first = r.u8(what)?;
    let mut d = Vp8Descriptor {
        non_reference: first & 0x20 != 0,
        partition_start: first & 0x10 != 0,
        partition_id: first & 0x07,
        ..Vp8Descriptor::default()
    };
    let flags = if first & 0x80 != 0 { r.u8(what)? } else { 0 };
    if flags & 0x80 != 0 {
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
    if flags & 0x40 != 0 {
        d.tl0_pic_idx_offset = Some(r.pos());
        d.tl0_pic_idx = Some(r.u8(what)?);
    }
    if flags & 0x30 != 0 {
        d.key_idx_offset = Some(r.pos());
        let byte = r.u8(what)?;
        if flags & 0x20 != 0 {
            d.temporal_id = Some(byte >> 6);
            d.layer_sync = byte & 0x20 != 0;
        }
        if flags & 0x10 != 0 {
            d.key_idx = Some(byte & 0x1f);
        }
    }
    d.header_len = r.pos();
    if r.is_empty() {
        return Err(ParseError::new("VP8 payload", r.pos()));
    }
    if d.frame_start() {
        // Frame tag (RFC 6386 section 9.1): bit 0 of the first byte is 0 in key frames.
        d.key_frame = r.rest().first().is_some_and(|byte| byte & 1 == 0);
        if let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *r.rest()
            && d.key_frame
        {
            let (w, h) = (u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]));
            d.resolution = Some((w & 0x3fff, h & 0x3fff));
        }
    }
    Ok(d)
}

/// Overwrites the fields for which a value is given and which are present, in their width:
/// `picture_id` is cut to 7 or 15 bits, `key_idx` to 5.
pub fn rewrite(
    payload: &mut [u8],
    descriptor: &Vp8Descriptor,
    picture_id: Option<u16>,
    tl0_pic_idx: Option<u8>,
    key_idx: Option<u8>,
) {
    if let (Some(at), Some(id)) = (descriptor.picture_id_offset, picture_id) {
        super::vp9::put_picture_id(payload, at, descriptor.picture_id_bits, id);
    }
    if let (Some(at), Some(idx)) = (descriptor.tl0_pic_idx_offset, tl0_pic_idx) {
        put(payload, at, &[idx]);
    }
    if let (Some(at), Some(_), Some(idx)) = (descriptor.key_idx_offset, descriptor.key_idx, key_idx)
        && let Some(byte) = payload.get_mut(at)
    {
        *byte = (*byte & 0xe0) | (idx & 0x1f);
    }
}
