//! What a shard tells the control plane.

use crate::{
    LayerDemand, MediaAnswer, MediaKind, Mid, PeerId, RequestId, Rid, RoomId, SrtpProfile, TrackId,
    TrackInfo, TransportAnswer,
};

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// No such peer: it left or its consent expired.
    #[error("no such peer")]
    UnknownPeer,
    /// No such room.
    #[error("no such room")]
    UnknownRoom,
    /// A limit would be exceeded; the text names it and its value.
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// The offer cannot follow the one before it, for example a changed fingerprint.
    #[error("offer not applicable: {0}")]
    BadOffer(String),
    /// The peer id is already in use.
    #[error("peer already exists")]
    PeerExists,
}

/// The answer to one command.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Which command.
    pub req: RequestId,
    /// What came of it.
    pub result: Result<ReplyBody, ApiError>,
}

/// The good answers.
#[derive(Debug, Clone)]
pub enum ReplyBody {
    /// It is done.
    Done,
    /// The shard's part of an SDP answer.
    Answer {
        /// ICE and DTLS.
        transport: TransportAnswer,
        /// Slots.
        media: MediaAnswer,
    },
    /// A room's numbers.
    Room(RoomStats),
    /// A peer's numbers.
    Peer(Box<PeerStats>),
}

/// Why a peer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GoneReason {
    /// By command.
    Left,
    /// No authenticated connectivity check for 30 s (RFC 7675).
    ConsentExpired,
    /// No handshake within its time or it failed.
    HandshakeFailed,
    /// The peer closed its DTLS association.
    Closed,
    /// Its room was closed.
    RoomClosed,
}

/// Why nothing is sent in a slot that has a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PausedBy {
    /// Not even its smallest layer fits the receiver's estimate.
    Bandwidth,
    /// The receiver's own view.
    View,
}

/// Who sits in one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotState {
    /// The receiving m-line.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// The track in it, `None` when empty.
    pub track: Option<TrackInfo>,
    /// The layer being sent, where the track has layers.
    pub rid: Option<Rid>,
    /// The receiver has no codec in common with the track.
    pub unavailable: bool,
    /// The publisher switched the source off.
    pub muted: bool,
    /// Nothing is sent, and why.
    pub paused_by: Option<PausedBy>,
}

/// One speaker, with its smoothed level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeakerState {
    /// Who.
    pub peer: PeerId,
    /// -dBov as in RFC 6464: 0 is loudest, 127 silence.
    pub level: u8,
}

/// Something happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Answer to a command.
    Reply(Reply),
    /// DTLS completed and media can flow (also after an ICE restart with a new path).
    Connected {
        /// Who.
        peer: PeerId,
        /// The negotiated SRTP profile.
        profile: SrtpProfile,
        /// From the first offer to here, in microseconds.
        setup_us: u64,
    },
    /// The peer's state is freed.
    Gone {
        /// Who.
        peer: PeerId,
        /// Its room.
        room: RoomId,
        /// Why.
        reason: GoneReason,
    },
    /// A track began to carry media.
    TrackUp {
        /// Where.
        room: RoomId,
        /// What.
        track: TrackInfo,
    },
    /// A track ended.
    TrackDown {
        /// Where.
        room: RoomId,
        /// Which.
        track: TrackId,
    },
    /// The complete new state of a peer's slots, sent when anything in it changed.
    Slots {
        /// Whose slots.
        peer: PeerId,
        /// All of them, in m-line order.
        slots: Vec<SlotState>,
    },
    /// Who speaks, loudest first; at most five times a second and only on change.
    Speakers {
        /// Where.
        room: RoomId,
        /// Speakers.
        speakers: Vec<SpeakerState>,
    },
    /// Which layers of one of its tracks a publisher should send from now on; all of them are
    /// listed. Sent on change; until the first one everything is wanted.
    LayerDemand {
        /// The publisher.
        peer: PeerId,
        /// Its m-line.
        mid: Mid,
        /// Its layers in the order of `a=simulcast`.
        layers: Vec<LayerDemand>,
    },
    /// A shard's own numbers, once a second.
    Stats(Box<ShardStats>),
    /// The client should offer again.
    Renegotiate {
        /// Who.
        peer: PeerId,
        /// With new ICE credentials?
        ice_restart: bool,
        /// Why, in words.
        reason: &'static str,
    },
}

/// A room's numbers, summed over its peers since the room came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoomStats {
    /// Peers now.
    pub peers: u32,
    /// Published tracks now.
    pub tracks: u32,
    /// RTP bytes sent to peers, headers included, without SRTP tags.
    pub bytes_sent: u64,
    /// RTP bytes received.
    pub bytes_received: u64,
    /// RTP packets sent, retransmissions included.
    pub packets_sent: u64,
    /// RTP packets received, retransmissions included.
    pub packets_received: u64,
    /// Packets lost on the way in and not recovered.
    pub packets_lost: u64,
}

impl RoomStats {
    /// Adds those of the same room on another shard.
    pub fn add(&mut self, other: &Self) {
        self.peers = self.peers.saturating_add(other.peers);
        self.tracks = self.tracks.saturating_add(other.tracks);
        self.bytes_sent = self.bytes_sent.wrapping_add(other.bytes_sent);
        self.bytes_received = self.bytes_received.wrapping_add(other.bytes_received);
        self.packets_sent = self.packets_sent.wrapping_add(other.packets_sent);
        self.packets_received = self.packets_received.wrapping_add(other.packets_received);
        self.packets_lost = self.packets_lost.wrapping_add(other.packets_lost);
    }
}

/// Numbers of one published track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackStats {
    /// The track.
    pub info: TrackInfo,
    /// RTP packets received over all layers.
    pub packets: u64,
    /// RTP payload bytes received over all layers.
    pub bytes: u64,
    /// Lost and not recovered.
    pub lost: u64,
    /// Recovered by retransmission.
    pub recovered: u64,
    /// Layers seen.
    pub layers: u8,
}

/// A peer's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStats {
    /// DTLS is done and consent is fresh.
    pub connected: bool,
    /// SRTP profile, once connected.
    pub profile: Option<SrtpProfile>,
    /// RTP packets sent to it.
    pub packets_sent: u64,
    /// RTP packets received from it.
    pub packets_received: u64,
    /// RTP bytes sent to it.
    pub bytes_sent: u64,
    /// RTP bytes received from it.
    pub bytes_received: u64,
    /// Retransmissions sent to it.
    pub retransmitted: u64,
    /// Fraction lost in its last receiver report, 0 to 255.
    pub fraction_lost: u8,
    /// Round trip from its reports in microseconds, 0 while unknown.
    pub rtt_us: u64,
    /// Estimate of its path in bits per second, 0 where nothing tells of it.
    pub estimate_bps: u64,
    /// What the allocator would spend on it at most, bits per second, 0 without an estimate.
    pub wanted_bps: u64,
    /// What the allocator spends on its video now, bits per second, 0 without an estimate.
    pub allocated_bps: u64,
    /// How long a packet that comes now waits for the pacer, in microseconds.
    pub pacing_us: u64,
    /// Probes of its path.
    pub probes: u64,
    /// Tracks it publishes.
    pub tracks: Vec<TrackStats>,
    /// Its slots.
    pub slots: Vec<SlotState>,
}

/// A shard's numbers since it started, for metrics.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShardStats {
    /// Peers now.
    pub peers: u32,
    /// Peers whose DTLS is done, now.
    pub connected: u32,
    /// Rooms now.
    pub rooms: u32,
    /// Datagrams in.
    pub datagrams_received: u64,
    /// Bytes in, UDP payload.
    pub bytes_received: u64,
    /// Datagrams out.
    pub datagrams_sent: u64,
    /// Bytes out, UDP payload.
    pub bytes_sent: u64,
    /// RTP packets accepted.
    pub rtp_received: u64,
    /// RTP packets forwarded, retransmissions included.
    pub rtp_sent: u64,
    /// Retransmissions sent.
    pub retransmitted: u64,
    /// Packets padded to even out a train, retransmissions apart.
    pub padded: u64,
    /// Retransmissions padded likewise.
    pub padded_rtx: u64,
    /// Key frames asked of publishers.
    pub key_frame_requests: u64,
    /// Packets that went to other shards.
    pub border_packets: u64,
    /// Packets of padding that probed receivers' paths.
    pub probe_packets: u64,
    /// Probes of receivers' paths.
    pub probes: u64,
    /// Times a receiver's queue was too long and frames were dropped from it.
    pub queues_cut: u64,
    /// Receivers with an estimate, now.
    pub estimated: u32,
    /// Sum of their estimates, bits per second.
    pub estimate_bps: u64,
    /// Sum of what is given to their video, bits per second.
    pub allocated_bps: u64,
    /// The longest time a packet to one of them waits for its pacer, in microseconds.
    pub pacing_us: u64,
    /// Slots that nothing is sent to for want of bandwidth, now.
    pub paused_slots: u32,
    /// Layers that publishers were asked not to send.
    pub layers_off: u64,
    /// DTLS handshakes completed.
    pub handshakes_completed: u64,
    /// DTLS handshakes failed or given up.
    pub handshakes_failed: u64,
    /// What was dropped: reason and count, reasons that never happened left out.
    pub drops: Vec<(&'static str, u64)>,
    /// Datagrams that came too late to matter, no drops: kind and count, likewise.
    pub late: Vec<(&'static str, u64)>,
    /// Kernel calls that sent a train, trains refused by a full socket, and other send errors.
    pub send_would_block: u64,
    /// Send errors other than a full socket.
    pub send_errors: u64,
    /// Fraction of the last second in which the shard worked, 0 to 1.
    pub load: f64,
    /// The backend in use: `io_uring` or `mmsg`.
    pub backend: &'static str,
    /// The backend is a fallback: the preferred one is not available here.
    pub fallback: bool,
}
