//! RTP packets (RFC 3550 section 5.1) with header extensions (RFC 8285).

mod edit;
mod extension;
pub mod seq;
mod write;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use edit::{
    RtpPacketMut, set_marker, set_padding_bit, set_payload_type, set_sequence_number, set_ssrc,
    set_timestamp,
};
pub use extension::{Extensions, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};
pub use write::{FixedHeader, write_header};

use crate::{
    ParseError,
    read::{Reader, u16_at},
};

/// Bytes of an RTP header without CSRCs and extensions.
pub const FIXED_HEADER_LEN: usize = 12;

/// The header's fields, owned. Enough for a packet whose payload is still encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpHeader {
    /// Marker bit: for video, the last packet of a frame.
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence_number: u16,
    /// Timestamp in the payload's clock rate.
    pub timestamp: u32,
    /// Sender's stream.
    pub ssrc: u32,
    /// Number of contributing sources, 0 to 15.
    pub csrc_count: u8,
    /// The P bit.
    pub has_padding: bool,
    /// The X bit.
    pub has_extension: bool,
    /// Bytes before the payload: fixed header, CSRCs and extensions.
    pub header_len: usize,
}

impl RtpHeader {
    /// The header extensions of `packet`, which must be the packet this header was read from
    /// (with another one the answer is meaningless but safe).
    #[must_use]
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        if !self.has_extension {
            return Extensions::none();
        }
        let start = FIXED_HEADER_LEN.saturating_add(usize::from(self.csrc_count).saturating_mul(4));
        let profile = u16_at(packet, start).unwrap_or(0);
        Extensions::new(packet, profile, start.saturating_add(4)..self.header_len)
    }

    /// The value of the extension `id` in `packet` (see [`Self::extensions`]).
    #[must_use]
    pub fn extension<'a>(&self, packet: &'a [u8], id: u8) -> Option<&'a [u8]> {
        self.extensions(packet).find(|(found, _)| *found == id).map(|(_, value)| value)
    }
}

/// Reads the header only: version, CSRCs and extension bounds are checked, padding is not (on an
/// SRTP packet the padding count is encrypted).
///
/// # Errors
/// When the version is not 2 or the header does not fit into `packet`.
pub fn parse_header(packet: &[u8]) -> Result<RtpHeader, ParseError> {
    let mut r = Reader::new(packet);
    let first = r.u8("RTP header")?;
    if first >> 6 != 2 {
        return Err(ParseError::new("RTP version", 0));
    }
    let second = r.u8("RTP header")?;
    let sequence_number = r.u16("RTP header")?;
    let timestamp = r.u32("RTP header")?;
    let ssrc = r.u32("RTP header")?;
    let csrc_count = first & 0x0f;
    r.take(usize::from(csrc_count).saturating_mul(4), "RTP CSRC list")?;
    let has_extension = first & 0x10 != 0;
    if has_extension {
        r.u16("RTP extension header")?;
        let words = r.u16("RTP extension header")?;
        r.take(usize::from(words).saturating_mul(4), "RTP extension length")?;
    }
    Ok(RtpHeader {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7f,
        sequence_number,
        timestamp,
        ssrc,
        csrc_count,
        has_padding: first & 0x20 != 0,
        has_extension,
        header_len: r.pos(),
    })
}

/// A whole, decrypted RTP packet.
#[derive(Debug, Clone, Copy)]
pub struct RtpPacket<'a> {
    bytes: &'a [u8],
    header: RtpHeader,
    padding_len: usize,
}

impl<'a> RtpPacket<'a> {
    /// Checks version, CSRC, extension and padding bounds.
    ///
    /// # Errors
    /// When a bound lies outside the packet, or the padding count is 0 with the P bit set.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let header = parse_header(bytes)?;
        let mut padding_len = 0;
        if header.has_padding {
            let last = bytes.len().saturating_sub(1);
            padding_len = usize::from(bytes.last().copied().unwrap_or(0));
            let body = bytes.len().saturating_sub(header.header_len);
            if padding_len == 0 || padding_len > body {
                return Err(ParseError::new("RTP padding count", last));
            }
        }
        Ok(Self { bytes, header, padding_len })
    }

    /// The header's fields.
    #[must_use]
    pub fn header(&self) -> &RtpHeader {
        &self.header
    }

    /// The whole packet.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Marker bit.
    #[must_use]
    pub fn marker(&self) -> bool {
        self.header.marker
    }

    /// Payload type, 0 to 127.
    #[must_use]
    pub fn payload_type(&self) -> u8 {
        self.header.payload_type
    }

    /// Sequence number.
    #[must_use]
    pub fn sequence_number(&self) -> u16 {
        self.header.sequence_number
    }

    /// Timestamp in the payload's clock rate.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        self.header.timestamp
    }

    /// Sender's stream.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.header.ssrc
    }

    /// Number of contributing sources, 0 to 15.
    #[must_use]
    pub fn csrc_count(&self) -> u8 {
        self.header.csrc_count
    }

    /// Contributing sources.
    pub fn csrcs(&self) -> impl Iterator<Item = u32> + use<'a> {
        let len = usize::from(self.header.csrc_count).saturating_mul(4);
        let end = FIXED_HEADER_LEN.saturating_add(len);
        let list = self.bytes.get(FIXED_HEADER_LEN..end).unwrap_or_default();
        list.as_chunks::<4>().0.iter().map(|c| u32::from_be_bytes(*c))
    }

    /// Bytes before the payload: fixed header, CSRCs and extensions.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header.header_len
    }

    /// The payload without padding. Empty for a packet of padding only.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        let end = self.bytes.len().saturating_sub(self.padding_len);
        self.bytes.get(self.header.header_len..end).unwrap_or_default()
    }

    /// Bytes of padding at the end, count byte included; 0 without the P bit.
    #[must_use]
    pub fn padding_len(&self) -> usize {
        self.padding_len
    }

    /// The P bit.
    #[must_use]
    pub fn has_padding_bit(&self) -> bool {
        self.header.has_padding
    }

    /// All header extensions in order, as (id, value).
    #[must_use]
    pub fn extensions(&self) -> Extensions<'a> {
        self.header.extensions(self.bytes)
    }

    /// The value of the extension `id`.
    #[must_use]
    pub fn extension(&self, id: u8) -> Option<&'a [u8]> {
        self.header.extension(self.bytes, id)
    }

    /// Where the value of the extension `id` lies, from the start of the packet, for edits in
    /// place.
    #[must_use]
    pub fn extension_range(&self, id: u8) -> Option<Range<usize>> {
        self.extensions().ranges().find(|(found, _)| *found == id).map(|(_, range)| range)
    }
}
