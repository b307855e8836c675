//! What a peer's owner learns, in terms of users instead of peers.

use std::sync::{Arc, OnceLock};
use weir_sfu_api::{GoneReason, LayerDemand, MediaKind, Mid, PausedBy, Rid, SourceKind};

/// Something that concerns one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerEvent {
    /// DTLS is done.
    Connected,
    /// The peer's slots, all of them, in m-line order.
    Slots(Vec<SlotView>),
    /// Who speaks in the room, loudest first.
    Speakers(Arc<SpeakerList>),
    /// Which layers of one of its own tracks somebody wants.
    Layers {
        /// The m-line.
        mid: Mid,
        /// All of its layers.
        layers: Vec<LayerDemand>,
    },
    /// The client should offer again.
    Renegotiate {
        /// With new ICE credentials?
        ice_restart: bool,
        /// Why.
        reason: &'static str,
    },
    /// The peer is gone; nothing follows.
    Gone(GoneReason),
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotView {
    /// The receiving m-line.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// Whose track is in it; `None` when empty.
    pub content: Option<SlotContent>,
    /// The layer being sent.
    pub rid: Option<Rid>,
    /// The receiver has no codec in common with the publisher.
    pub unavailable: bool,
    /// The publisher switched the source off.
    pub muted: bool,
    /// Nothing is sent in it for now, and why.
    pub paused_by: Option<PausedBy>,
}

/// A track in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotContent {
    /// The publisher.
    pub user_id: i64,
    /// Its name.
    pub username: String,
    /// Its peer, public spelling.
    pub peer_id: String,
    /// The track, public spelling.
    pub track: String,
    /// What it shows.
    pub source: SourceKind,
}

/// The speakers of a room: one value for all who are told.
#[derive(Debug)]
pub struct SpeakerList {
    /// Loudest first.
    pub speakers: Vec<SpeakerView>,
    /// The message about it, written by the first connection that needs it.
    pub(crate) text: OnceLock<Arc<str>>,
}

impl SpeakerList {
    pub(super) fn new(speakers: Vec<SpeakerView>) -> Self {
        Self { speakers, text: OnceLock::new() }
    }
}

impl PartialEq for SpeakerList {
    fn eq(&self, other: &Self) -> bool {
        self.speakers == other.speakers
    }
}

impl Eq for SpeakerList {}

/// A speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerView {
    /// Who.
    pub user_id: i64,
    /// Its peer, public spelling.
    pub peer_id: String,
    /// -dBov: 0 is loudest, 127 silence.
    pub level: u8,
}
