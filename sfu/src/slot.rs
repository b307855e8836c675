//! A slot: one receiving m-line of a peer and the stream we send in it.

use crate::allocate;
use crate::egress::guard::Guard;
use crate::egress::queue::Item;
use crate::limits;
use crate::rewrite::{Mapped, Rewriter};
use crate::select::Wanted;
use std::time::Instant;
use weir_sfu_api::{
    Codec, CodecKind, MediaKind, MediaSection, PausedBy, PayloadType, SectionAnswer, SsrcGroup,
};

/// How a source's payload type looks in this slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Payload type of the source.
    pub(crate) source: u8,
    /// Payload type to send.
    pub(crate) payload_type: u8,
    /// RTX payload type to send.
    pub(crate) rtx: Option<u8>,
    /// Send only the primary block of RED as plain Opus.
    pub(crate) strip_red: bool,
}

/// One receiving m-line.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) section: MediaSection,
    pub(crate) answer: SectionAnswer,
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    /// Index in the shard's tracks.
    pub(crate) track: Option<u32>,
    /// Its place among the track's subscribers.
    pub(crate) place: u32,
    /// The track before: what it sent may still be asked for again.
    pub(crate) previous: Option<u32>,
    /// Offered as receiving now.
    pub(crate) open: bool,
    /// No common codec with the track.
    pub(crate) unavailable: bool,
    pub(crate) outgoing: Option<Outgoing>,
    /// What the allocator gives it, see [`Wanted`].
    pub(crate) wanted: Wanted,
    /// Pictures for which a higher temporal layer was waited for.
    pub(crate) waited: u8,
    /// Shows a screen: sharp before smooth, also if it takes a while.
    pub(crate) screen: bool,
    /// A test says what it gets.
    pub(crate) forced: bool,
    /// What the allocator remembers of it.
    pub(crate) share: allocate::Memory,
    /// Why nothing is sent although somebody sits here.
    pub(crate) paused_by: Option<PausedBy>,
    pub(crate) rewriter: Rewriter,
    pub(crate) rtx_seq: u64,
    pub(crate) sent_packets: u64,
    pub(crate) sent_octets: u64,
    pub(crate) fraction_lost: u8,
    pub(crate) guard: Guard,
    /// The newest packet that left, and whether its frame goes on.
    last_sent: Option<Mapped>,
    frame_open: bool,
    resent: Vec<(u16, Instant)>,
    resent_next: usize,
}

/// Random starting points of a slot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotSeed {
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    pub(crate) seq: u16,
    pub(crate) rtx_seq: u16,
    pub(crate) timestamp: u32,
}

impl Slot {
    /// `ordinal` counts the slots of the same kind; slot 0 of both kinds share a stream id.
    pub(crate) fn new(section: MediaSection, ordinal: usize, cname: &str, seed: SlotSeed) -> Self {
        let clock_rate = match section.kind {
            MediaKind::Audio => 48_000,
            MediaKind::Video => 90_000,
        };
        let kind = section.kind.as_str();
        let stream_id = match ordinal {
            0 => "weir-main".to_owned(),
            _ => format!("weir-{kind}-{ordinal}"),
        };
        let answer = SectionAnswer {
            mid: section.mid,
            ssrcs: Some(SsrcGroup {
                media: seed.ssrc,
                rtx: (section.kind == MediaKind::Video).then_some(seed.rtx_ssrc),
            }),
            cname: cname.to_owned(),
            stream_id,
            track_id: format!("weir-{kind}-slot-{ordinal}"),
        };
        Self {
            section,
            answer,
            ssrc: seed.ssrc,
            rtx_ssrc: seed.rtx_ssrc,
            track: None,
            place: 0,
            previous: None,
            open: true,
            unavailable: false,
            outgoing: None,
            wanted: Wanted::default(),
            waited: 0,
            screen: false,
            forced: false,
            share: allocate::Memory::default(),
            paused_by: None,
            rewriter: Rewriter::new(clock_rate, seed.seq, seed.timestamp),
            rtx_seq: u64::from(seed.rtx_seq & 0x7fff),
            sent_packets: 0,
            sent_octets: 0,
            fraction_lost: 0,
            guard: Guard::default(),
            last_sent: None,
            frame_open: false,
            resent: Vec::new(),
            resent_next: 0,
        }
    }

    /// Empties or fills the slot.
    pub(crate) fn assign(&mut self, track: Option<u32>) {
        if self.track != track {
            self.previous = self.track.or(self.previous);
            self.track = track;
            self.outgoing = None;
            self.unavailable = false;
            self.wanted = Wanted::default();
            self.paused_by = None;
            self.rewriter.stop();
        }
    }

    /// Notes that a packet of the media left.
    pub(crate) fn note_sent(&mut self, item: &Item) {
        if self.last_sent.is_none_or(|last| item.mapped.seq > last.seq) {
            self.last_sent = Some(item.mapped);
            self.frame_open = !item.mapped.marker && !item.mapped.empty;
        }
    }

    /// Payload type of padding on the RTX SSRC, to probe the path.
    pub(crate) fn padding_type(&self) -> Option<u8> {
        let types = self.section.payload_types.iter();
        let known = self.outgoing.and_then(|outgoing| outgoing.rtx);
        known.or_else(|| types.filter_map(|pt| pt.rtx).next()).filter(|_| self.open)
    }

    /// The newest packet of the media that left.
    pub(crate) fn last_sent(&self) -> Option<&Mapped> {
        self.last_sent.as_ref()
    }

    /// Timestamp of the frame of which a part left, while the rest has not.
    pub(crate) fn open_frame(&self) -> Option<u32> {
        self.last_sent.filter(|_| self.frame_open).map(|last| last.timestamp)
    }

    /// How to send what the publisher sends as `source` (`codec`); `None` without a common codec.
    pub(crate) fn outgoing_for(&mut self, source: &PayloadType) -> Option<Outgoing> {
        if let Some(outgoing) = self.outgoing.filter(|known| known.source == source.number) {
            return (!self.unavailable).then_some(outgoing);
        }
        let own = self.find(&source.codec);
        let (own, strip_red) = match own {
            Some(own) => (Some(own), false),
            // RED carries Opus: a receiver without RED gets the primary block.
            None if source.codec.kind == CodecKind::Red => {
                (self.find(&Codec { kind: CodecKind::Opus, profile: 0 }), true)
            }
            None => (None, false),
        };
        let outgoing = own.map(|own| Outgoing {
            source: source.number,
            payload_type: own.number,
            rtx: own.rtx,
            strip_red,
        });
        self.unavailable = outgoing.is_none();
        self.outgoing = outgoing.or(Some(Outgoing {
            source: source.number,
            payload_type: 0,
            rtx: None,
            strip_red: false,
        }));
        outgoing
    }

    /// The same for a packet that is sent again, which may be of the track before.
    pub(crate) fn outgoing_again(&self, source: &PayloadType) -> Option<Outgoing> {
        let own = self.find(&source.codec)?;
        Some(Outgoing {
            source: source.number,
            payload_type: own.number,
            rtx: own.rtx,
            strip_red: false,
        })
    }

    fn find(&self, codec: &Codec) -> Option<&PayloadType> {
        let types = &self.section.payload_types;
        types.iter().find(|pt| pt.codec == *codec).or_else(|| {
            // H264 decoders take any baseline flavour of the same packetization mode.
            types.iter().find(|pt| {
                codec.kind == CodecKind::H264
                    && pt.codec.kind == CodecKind::H264
                    && pt.codec.profile >> 16 == codec.profile >> 16
            })
        })
    }

    /// Whether `number` may be sent again now; notes that it is.
    pub(crate) fn may_resend(&mut self, number: u16, now: Instant) -> bool {
        let recent = self.resent.iter().any(|(sent, at)| {
            *sent == number && now.saturating_duration_since(*at) < limits::RESEND_INTERVAL
        });
        if recent {
            return false;
        }
        if self.resent.len() < limits::RESENT {
            self.resent.push((number, now));
        } else if let Some(entry) = self.resent.get_mut(self.resent_next) {
            *entry = (number, now);
            self.resent_next = self.resent_next.wrapping_add(1) % limits::RESENT;
        }
        true
    }
}
