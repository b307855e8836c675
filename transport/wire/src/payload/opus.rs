//! Opus packets (RFC 6716 section 3.1, RFC 7587).

use crate::{ParseError, read::Reader};

/// What the first bytes of an Opus packet say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusPayload {
    /// Duration of one frame in microseconds: 2,500 to 60,000.
    pub frame_duration_us: u32,
    /// Frames in the packet, 0 to 63 (more than 120 ms together is invalid, but not refused).
    pub frames: u8,
    /// Two channels coded.
    pub stereo: bool,
    /// Discontinuous transmission: no speech, at most two bytes.
    pub dtx: bool,
}

impl OpusPayload {
    /// Duration of the packet in microseconds.
    #[must_use]
    pub fn duration_us(&self) -> u32 {
        self.frame_duration_us.saturating_mul(u32::from(self.frames))
    }

    /// Duration of the packet in RTP timestamp units of 48 kHz.
    #[must_use]
    pub fn duration_ticks(&self) -> u32 {
        self.duration_us().saturating_mul(6) / 125
    }
}

/// Reads the table-of-contents byte.
///
/// # Errors
/// For an empty payload, or code 3 without its frame count.
pub fn parse(payload: &[u8]) -> Result<OpusPayload, ParseError> {
    let mut r = Reader::new(payload);
    let toc = r.u8("Opus TOC")?;
    let config = toc >> 3;
    let frame_duration_us = match (config, config & 3) {
        // SILK
        (0..12, 0) => 10_000,
        (0..12, 1) => 20_000,
        (0..12, 2) => 40_000,
        (0..12, _) => 60_000,
        // Hybrid
        (12..16, 0 | 2) => 10_000,
        (12..16, _) => 20_000,
        // CELT
        (_, 0) => 2_500,
        (_, 1) => 5_000,
        (_, 2) => 10_000,
        _ => 20_000,
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => r.u8("Opus frame count")? & 0x3f,
    };
    Ok(OpusPayload { frame_duration_us, frames, stereo: toc & 4 != 0, dtx: payload.len() <= 2 })
}
