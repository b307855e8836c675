//! What is known about one packet, copied wherever it goes.

use crate::select::Levels;
use std::ops::Range;
use weir_sfu_api::{CodecKind, ExtensionKind};

/// Header extensions that are passed on to receivers who negotiated them.
pub(crate) const FORWARDED: [ExtensionKind; 6] = [
    ExtensionKind::AudioLevel,
    ExtensionKind::VideoOrientation,
    ExtensionKind::PlayoutDelay,
    ExtensionKind::VideoContentType,
    ExtensionKind::ColorSpace,
    ExtensionKind::DependencyDescriptor,
];

/// One forwarded extension: its bytes lie in the packet's slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExtensionRange {
    /// Which.
    pub kind: ExtensionKind,
    /// First byte in the slot.
    pub start: u16,
    /// Bytes.
    pub len: u8,
}

/// Codec facts needed to route and rewrite.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    /// Belongs to a key frame (or to the first packet of one, where only that is known).
    pub key_frame: bool,
    /// First packet of a frame (of one spatial layer).
    pub frame_start: bool,
    /// Last packet of a frame of one spatial layer, where the codec says so.
    pub frame_end: bool,
    /// Spatial layer, 0 without SVC.
    pub spatial: u8,
    /// Temporal layer, 0 without.
    pub temporal: u8,
    /// Who needs it.
    pub needed: Levels,
    /// What may be had from this frame on, by those who are at one of `entry_from`.
    pub entry: Levels,
    /// See `entry`.
    pub entry_from: Levels,
    /// `entry` holds for higher spatial layers, too.
    pub enters_spatial: bool,
    /// Decode targets of its structure, where receivers are to be told which are active.
    pub decode_targets: u8,
    /// VP8 / VP9 picture id.
    pub picture_id: Option<u16>,
    /// Picture id has 15 bits, not 7.
    pub long_picture_id: bool,
    /// VP8 / VP9 TL0PICIDX.
    pub tl0_pic_idx: Option<u8>,
    /// VP8 KEYIDX, 5 bits.
    pub key_idx: Option<u8>,
    /// Bytes of the payload descriptor that may be rewritten, from the payload's start.
    pub descriptor_len: u8,
    /// AV1 / dependency-descriptor frame number.
    pub frame_number: Option<u16>,
    /// Width x height of a key frame, where the payload says so.
    pub resolution: Option<(u16, u16)>,
}

/// One decrypted packet in a pool slot.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PacketMeta {
    /// Unique id of the incoming stream (SSRC life); a new one after a reset.
    pub stream: u32,
    /// Extended sequence number of the incoming stream.
    pub seq: u64,
    /// RTP timestamp as received.
    pub timestamp: u32,
    /// Marker bit.
    pub marker: bool,
    /// Payload type as received (of the media, not of RTX).
    pub payload_type: u8,
    /// Codec, once known.
    pub codec: Option<CodecKind>,
    /// Payload without padding, in the slot.
    pub payload_start: u16,
    /// Payload length.
    pub payload_len: u16,
    /// Codec facts.
    pub facts: Facts,
    pub(crate) extensions: [Option<ExtensionRange>; FORWARDED.len()],
    /// Any of them is there.
    pub(crate) extended: bool,
}

impl PacketMeta {
    /// Where the payload lies in the slot.
    #[must_use]
    pub(crate) fn payload(&self) -> Range<usize> {
        let start = usize::from(self.payload_start);
        start..start.saturating_add(usize::from(self.payload_len))
    }

    /// Notes an extension; ones that are not forwarded are ignored.
    pub(crate) fn note_extension(&mut self, range: ExtensionRange) {
        if let Some(position) = FORWARDED.iter().position(|kind| *kind == range.kind)
            && let Some(slot) = self.extensions.get_mut(position)
        {
            *slot = Some(range);
            self.extended = true;
        }
    }

    /// The forwarded extensions.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = ExtensionRange> + '_ {
        self.extensions.iter().filter_map(|entry| *entry)
    }
}
