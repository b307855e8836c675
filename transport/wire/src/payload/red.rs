//! Redundant audio data (RFC 2198).

use crate::{ParseError, read::Reader};

/// The primary block: the newest audio, the one the RTP timestamp is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedPrimary<'a> {
    /// Payload type of the block, 0 to 127.
    pub payload_type: u8,
    /// The block.
    pub payload: &'a [u8],
    /// How many redundant blocks come before it.
    pub redundant: usize,
}

/// Finds the primary block.
///
/// # Errors
/// When the headers or the redundant blocks do not fit.
pub fn primary(payload: &[u8]) -> Result<RedPrimary<'_>, ParseError> {
    let mut r = Reader::new(payload);
    let mut skip = 0_usize;
    let mut redundant = 0_usize;
    loop {
        let byte = r.u8("RED header")?;
        if byte & 0x80 == 0 {
            r.take(skip, "RED block length")?;
            return Ok(RedPrimary { payload_type: byte, payload: r.rest(), redundant });
        }
        // 14 bits of timestamp offset, 10 bits of length.
        let [_, b1, b2] = r.array::<3>("RED header")?;
        let len = usize::from(u16::from_be_bytes([b1 & 3, b2]));
        skip = skip.saturating_add(len);
        redundant = redundant.saturating_add(1);
    }
}
