//! The rewriter from outside, for the fuzz target that compares it with a plain model and for the bench.

use super::{Mapped, Rewriter};
use crate::limits;
use crate::packet::{Facts, PacketMeta};
use crate::select::{self, Decision, Level, Levels, Offered};
use crate::slot::{Slot, SlotSeed};
use std::time::Instant;
use weir_sfu_api::{CodecKind, Direction, ExtensionMap, MediaKind, MediaSection, Mid, SourceKind};

/// What the rewriter looks at of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The source stream, from 1.
    pub stream: u32,
    /// Extended sequence number.
    pub seq: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Its codec.
    pub codec: CodecKind,
    /// First packet of a frame of one spatial layer.
    pub frame_start: bool,
    /// Last packet of one.
    pub frame_end: bool,
    /// Spatial and temporal layer; all that have these need it.
    pub layer: (u8, u8),
    /// VP8 and VP9.
    pub picture_id: Option<u16>,
    /// It has 15 bits, not 7.
    pub long_picture_id: bool,
    /// VP8 and VP9.
    pub tl0_pic_idx: Option<u8>,
    /// VP8, 5 bits.
    pub key_idx: Option<u8>,
    /// Dependency descriptor.
    pub frame_number: Option<u16>,
}

/// A packet in the receiver's numbering; fields as in [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Extended sequence number.
    pub seq: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// The last of a picture for this receiver.
    pub marker: bool,
    /// Its number only.
    pub empty: bool,
    /// VP8 and VP9.
    pub picture_id: Option<u16>,
    /// VP8 and VP9.
    pub tl0_pic_idx: Option<u8>,
    /// VP8.
    pub key_idx: Option<u8>,
    /// Dependency descriptor.
    pub frame_number: Option<u16>,
}

/// The rewriter of one slot.
#[derive(Debug)]
pub struct OneSlot(Rewriter);

impl OneSlot {
    /// See the rewriter: `first_seq` is cut to 15 bits.
    #[must_use]
    pub fn new(clock_rate: u32, first_seq: u16, first_timestamp: u32) -> Self {
        Self(Rewriter::new(clock_rate, first_seq, first_timestamp))
    }

    /// `packet` begins another source, of which (spatial, temporal) layers up to `level` are sent.
    pub fn switch(&mut self, packet: &Sample, level: (u8, u8), aligned: Option<u32>, now: Instant) {
        self.0.switch(&packet.meta(), Level::new(level.0, level.1), aligned, now);
    }

    /// Whether `packet` begins the next picture.
    #[must_use]
    pub fn begins_picture(&self, packet: &Sample) -> bool {
        self.0.begins_picture(&packet.meta())
    }

    /// From `packet` on, which begins a picture, layers up to `level` are sent.
    pub fn set_level(&mut self, packet: &Sample, level: (u8, u8)) {
        self.0.set_level(&packet.meta(), Level::new(level.0, level.1));
    }

    /// `packet` as the receiver gets it, `None` when it does not.
    pub fn map(&mut self, packet: &Sample, now: Instant) -> Option<Sent> {
        self.0.map(&packet.meta(), now).map(Sent::from)
    }

    /// Forgets the source.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Stream, its sequence number and our extended one behind a number asked for again.
    #[must_use]
    pub fn source_of(&self, number: u16) -> Option<(u32, u64, u64)> {
        self.0.source_of(number).map(|(segment, seq, out)| (segment.stream, seq, out))
    }

    /// `packet`, found for `number` by [`Self::source_of`], as it is sent again.
    #[must_use]
    pub fn again(&self, number: u16, packet: &Sample) -> Option<Sent> {
        let (segment, ..) = self.0.source_of(number)?;
        self.0.apply(&segment, &packet.meta()).map(Sent::from)
    }
}

/// One receiver of a track with one layer: what is decided for it and how it is numbered, to be timed.
#[derive(Debug)]
pub struct OneReceiver(Slot);

impl OneReceiver {
    /// `None` only if "0" is no name of an m-line.
    #[must_use]
    pub fn new() -> Option<Self> {
        let section = MediaSection {
            index: 0,
            mid: Mid::new("0")?,
            kind: MediaKind::Video,
            direction: Direction::RecvOnly,
            source: SourceKind::Camera,
            payload_types: Vec::new(),
            extensions: ExtensionMap::default(),
            simulcast: Vec::new(),
            ssrcs: Vec::new(),
        };
        let seed = SlotSeed { ssrc: 1, rtx_ssrc: 2, seq: 0, rtx_seq: 0, timestamp: 0 };
        Some(Self(Slot::new(section, 0, "", seed)))
    }

    /// Select and rewrite of one packet, of a key frame where `key` says so.
    pub fn offer(&mut self, packet: &Sample, key: bool, now: Instant) -> Option<Sent> {
        let mut meta = packet.meta();
        meta.facts.key_frame = key;
        let none = [0; limits::LAYERS];
        let offered = Offered { layer: 0, best: 0, instead: none, order: none, top: Level::FULL };
        let slot = &mut self.0;
        if let Decision::Switch(level) = select::decide(slot, &meta, &offered, |_| true) {
            slot.rewriter.switch(&meta, level, None, now);
        }
        slot.rewriter.map(&meta, now).map(Sent::from)
    }
}

impl Sample {
    fn meta(&self) -> PacketMeta {
        let (spatial, temporal) = self.layer;
        PacketMeta {
            stream: self.stream,
            seq: self.seq,
            timestamp: self.timestamp,
            codec: Some(self.codec),
            facts: Facts {
                frame_start: self.frame_start,
                frame_end: self.frame_end,
                spatial,
                temporal,
                needed: Levels::from(Level::new(spatial, temporal)),
                picture_id: self.picture_id,
                long_picture_id: self.long_picture_id,
                tl0_pic_idx: self.tl0_pic_idx,
                key_idx: self.key_idx,
                frame_number: self.frame_number,
                ..Facts::default()
            },
            ..PacketMeta::default()
        }
    }
}

impl From<Mapped> for Sent {
    fn from(mapped: Mapped) -> Self {
        Self {
            seq: mapped.seq,
            timestamp: mapped.timestamp,
            marker: mapped.marker,
            empty: mapped.empty,
            picture_id: mapped.picture_id,
            tl0_pic_idx: mapped.tl0_pic_idx,
            key_idx: mapped.key_idx,
            frame_number: mapped.frame_number,
        }
    }
}
