//! Building a header.

use super::extension::{ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};
use crate::read::put;

/// The fields every RTP packet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedHeader {
    /// Marker bit.
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence_number: u16,
    /// Timestamp in the payload's clock rate.
    pub timestamp: u32,
    /// Sender's stream.
    pub ssrc: u32,
}

/// Writes a header without CSRCs at the start of `buf` and returns its length in bytes, `None`
/// when it does not fit or an extension has id 0 or more than 255 bytes (`buf` is then partly
/// overwritten).
///
/// The one-byte form is chosen where it can carry all `extensions` (ids up to 14, 1 to 16 bytes
/// each), otherwise the two-byte form, which the receiver must have allowed (RFC 8285 section 6).
pub fn write_header(
    buf: &mut [u8],
    fixed: &FixedHeader,
    extensions: &[(u8, &[u8])],
) -> Option<usize> {
    let x = if extensions.is_empty() { 0x80 } else { 0x90 };
    let [s0, s1] = fixed.sequence_number.to_be_bytes();
    let [t0, t1, t2, t3] = fixed.timestamp.to_be_bytes();
    let [r0, r1, r2, r3] = fixed.ssrc.to_be_bytes();
    let second = (u8::from(fixed.marker) << 7) | (fixed.payload_type & 0x7f);
    let head = [x, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3];
    if !put(buf, 0, &head) {
        return None;
    }
    if extensions.is_empty() {
        return Some(head.len());
    }
    let one_byte =
        extensions.iter().all(|(id, value)| *id <= 14 && (1..=16).contains(&value.len()));
    let mut pos = head.len().checked_add(4)?;
    for (id, value) in extensions {
        if *id == 0 {
            return None;
        }
        let len = u8::try_from(value.len()).ok()?;
        let start: &[u8] =
            if one_byte { &[(id << 4) | (len.saturating_sub(1) & 0x0f)] } else { &[*id, len] };
        for part in [start, value] {
            if !put(buf, pos, part) {
                return None;
            }
            pos = pos.checked_add(part.len())?;
        }
    }
    let end = pos.checked_next_multiple_of(4)?;
    buf.get_mut(pos..end)?.fill(0);
    let words = u16::try_from(end.checked_sub(16)? / 4).ok()?;
    let profile = if one_byte { ONE_BYTE_PROFILE } else { TWO_BYTE_PROFILE };
    let ok = put(buf, 12, &profile.to_be_bytes()) && put(buf, 14, &words.to_be_bytes());
    ok.then_some(end)
}
