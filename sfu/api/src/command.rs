//! What the control plane asks of a shard.

use crate::{
    MediaDescription, PeerId, RequestId, RoomId, ShardId, SourceKind, TransportDescription, View,
};

/// What a peer may do. Enforced in the shard: what is not allowed is dropped, through any door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// May its microphone be heard?
    pub publish_audio: bool,
    /// May its camera be seen?
    pub publish_video: bool,
    /// May its screen be seen (and heard)?
    pub publish_screen: bool,
    /// May it receive media?
    pub subscribe: bool,
}

impl Rights {
    /// Everything.
    pub const ALL: Self =
        Self { publish_audio: true, publish_video: true, publish_screen: true, subscribe: true };
    /// Nothing: who waits or was removed.
    pub const NONE: Self = Self {
        publish_audio: false,
        publish_video: false,
        publish_screen: false,
        subscribe: false,
    };
}

/// How a peer's slots are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlotPolicy {
    /// Other people's tracks in order of joining, sticky.
    #[default]
    JoinOrder,
    /// The dominant speaker's audio and video (a WHEP player with one m-line of each).
    Dominant,
    /// By the peer's [`View`] and the order of speaking; see [`Command::SetView`].
    Speakers,
}

/// A command to a shard. Commands with a [`RequestId`] are answered by exactly one
/// [`crate::Reply`].
#[derive(Debug, Clone)]
pub enum Command {
    /// Puts a peer into a room; the room comes to be with its first peer. It has no media until
    /// its first `Offer`.
    Join {
        /// Answered with [`crate::ReplyBody::Done`].
        req: RequestId,
        /// The new peer.
        peer: PeerId,
        /// Its room.
        room: RoomId,
        /// What it may do.
        rights: Rights,
        /// How its slots are filled.
        slots: SlotPolicy,
    },
    /// Applies an offer: the first one, a renegotiation, or (with new ICE credentials) an ICE
    /// restart. Answered with [`crate::ReplyBody::Answer`].
    Offer {
        /// Request.
        req: RequestId,
        /// The peer.
        peer: PeerId,
        /// What was negotiated.
        description: Box<MediaDescription>,
    },
    /// ICE restart without new media (WHIP PATCH). Answered with [`crate::ReplyBody::Answer`].
    IceRestart {
        /// Request.
        req: RequestId,
        /// The peer.
        peer: PeerId,
        /// The client's new credentials; fingerprints and role must be unchanged.
        transport: Box<TransportDescription>,
    },
    /// Changes what a peer may do. Takes effect with the next packet.
    SetRights {
        /// The peer.
        peer: PeerId,
        /// Its new rights.
        rights: Rights,
    },
    /// The peer's own statement that a source is off or on; others' slots learn it by an event.
    SetMuted {
        /// The peer.
        peer: PeerId,
        /// Which of its sources.
        source: SourceKind,
        /// Off?
        muted: bool,
    },
    /// What the peer wants to see from now on. Makes its policy [`SlotPolicy::Speakers`] unless that
    /// is [`SlotPolicy::Dominant`].
    SetView {
        /// The peer.
        peer: PeerId,
        /// The whole view; it replaces the one before.
        view: Box<View>,
    },
    /// A room has peers on several shards, or will have: told to each of them, before the first peer
    /// joins there, and to all when the set changes. A room that was never spanned is on one shard.
    Span {
        /// The room.
        room: RoomId,
        /// The shard that ranks its speakers; the same for the room's life.
        home: ShardId,
        /// All its shards, the home among them. A shard that is not in it forgets the others'
        /// publishers.
        shards: Vec<ShardId>,
    },
    /// Removes a peer and all its state. Unknown peers are ignored.
    Leave {
        /// The peer.
        peer: PeerId,
    },
    /// Removes a room with all its peers.
    CloseRoom {
        /// The room.
        room: RoomId,
    },
    /// Asks for a room's numbers. Answered with [`crate::ReplyBody::Room`].
    RoomStats {
        /// Request.
        req: RequestId,
        /// The room.
        room: RoomId,
    },
    /// Asks for a peer's numbers. Answered with [`crate::ReplyBody::Peer`].
    PeerStats {
        /// Request.
        req: RequestId,
        /// The peer.
        peer: PeerId,
    },
    /// Closes every peer (DTLS close_notify) before the process ends.
    /// Answered with [`crate::ReplyBody::Done`].
    Shutdown {
        /// Request.
        req: RequestId,
    },
}
