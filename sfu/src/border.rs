//! What crosses from one shard to another, as plain values in batches.
//!
//! A publisher of another shard is a *ghost* here: a peer without a transport, whose packets come
//! over the border as they were decrypted there, and go through the same `ingress`, `route`,
//! `select` and NACK cache as anybody's. To the shard where the publisher is, this shard is one
//! receiver of a track.
//!
//! One shard of a room, its home, ranks the speakers; the others send it levels and are told.

use crate::speakers::SEATS;
use weir_sfu_api::{MediaSection, PeerId, RoomId, ShardId, SourceKind, TrackInfo};
use weir_wire::ext::AudioLevel;

/// A track, the same on all shards: its publisher and the index of its m-line there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TrackName {
    pub(crate) peer: PeerId,
    pub(crate) publication: u8,
}

/// What is known of a track before its packets come.
#[derive(Debug, Clone)]
pub(crate) struct TrackUp {
    pub(crate) room: RoomId,
    pub(crate) home: ShardId,
    pub(crate) publication: u8,
    pub(crate) info: TrackInfo,
    /// When it came up, in microseconds of the clock that shards share.
    pub(crate) came_us: u64,
    pub(crate) section: MediaSection,
    /// Place in the order of speaking; 0 for who has not spoken.
    pub(crate) turn: u64,
    /// The publisher says that it is off.
    pub(crate) muted: bool,
}

/// One message.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A track came up, or was negotiated anew.
    TrackUp(Box<TrackUp>),
    /// It ended.
    TrackDown(TrackName),
    /// A publisher left.
    PeerGone(PeerId),
    /// A source was switched off or on.
    Muted { peer: PeerId, source: SourceKind, muted: bool },
    /// To the publisher's shard: layers of the track that somebody here wants, as bits; 0: nobody
    /// shows it any more.
    Demand { track: TrackName, layers: u8 },
    /// To the publisher's shard: somebody here needs a key frame.
    KeyFrame { track: TrackName, layer: u8 },
    /// An RTP packet as decrypted, without padding and RTX header: `len` bytes of the batch.
    Packet { track: TrackName, layer: u8, ssrc: u32, len: u16 },
    /// A publisher's sender report.
    SenderReport { peer: PeerId, ssrc: u32, ntp: u64, rtp: u32 },
    /// To the room's home: an audio packet and its level.
    Level { track: TrackName, level: Option<AudioLevel> },
    /// From the room's home: who sits on the floor, and who is the dominant speaker.
    Floor { room: RoomId, seats: [Option<TrackName>; SEATS], dominant: Option<PeerId> },
    /// From the room's home: a camera's new place in the order of speaking.
    Turn { track: TrackName, turn: u64 },
}

/// What goes from one shard to another at once.
#[derive(Debug, Default)]
pub struct Batch {
    pub(crate) messages: Vec<Message>,
    /// Packets' bytes, one behind the other.
    pub(crate) bytes: Vec<u8>,
}

impl Batch {
    /// Nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Messages in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Bytes of packets in it.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Empties it; its memory stays for the next.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.bytes.clear();
    }
}
