//! What clients send: synthetic or recorded frames, cut into packets that say when they were sent.

mod dd;
mod encoder;
mod pattern;
pub mod recording;
mod stamp;
mod start;

use crate::error::LoadError;
use crate::plan::{Codec, TrackPlan};
pub use encoder::Encoder;
use recording::Recording;
pub use stamp::{Damaged, STAMP, Stamp};
use std::sync::Arc;

/// Bytes of a packet's payload, at most: libwebrtc's 1,200 less headers.
pub const MAX_PAYLOAD: usize = 1_130;

/// Where a track's payloads come from.
#[derive(Debug, Clone)]
pub enum Media {
    /// Made up.
    Synthetic,
    /// Read once and shared.
    Recorded(Arc<Recording>),
}

impl Media {
    /// Of a track.
    ///
    /// # Errors
    /// When a recording cannot be read, or holds another codec.
    pub fn of(plan: &TrackPlan) -> Result<Self, LoadError> {
        let Some(path) = &plan.file else { return Ok(Self::Synthetic) };
        recording::load(path, plan.codec).map(Self::Recorded)
    }
}

/// What stays the same in a stream.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// In which codec.
    pub codec: Codec,
    /// 1 to 3.
    pub temporal_layers: u8,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
}

/// Facts of a frame: enough to write its packets, and to write them again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// Needs no other.
    pub key: bool,
    /// Place in the pattern of temporal layers.
    pub phase: u8,
    /// VP8 and VP9, 15 bits.
    pub picture_id: u16,
    /// VP8 and VP9.
    pub tl0: u8,
    /// VP8, 5 bits.
    pub key_idx: u8,
    /// Packets.
    pub parts: u16,
    /// Of all payloads together.
    pub bytes: u32,
    /// In its stream, from 0.
    pub number: u32,
    /// Of its first packet, in its stream.
    pub first_packet: u32,
    /// Of its first packet, in its temporal layer.
    pub first_in_temporal: u32,
    /// Which one of a recording.
    pub sample: u32,
}

#[cfg(test)]
mod tests;
