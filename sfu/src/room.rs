//! A room: who is in it, what is published, who speaks.

use crate::peer::PeerCounters;
use crate::speakers::Speakers;
use weir_sfu_api::{RoomId, TrackInfo};

/// One receiver of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscriber {
    /// Index in the shard's peers.
    pub(crate) peer: u32,
    /// Index of the slot in the peer.
    pub(crate) slot: u16,
}

/// A published track and its receivers (step 5: who wants it?).
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) info: TrackInfo,
    pub(crate) room: u32,
    /// Index in the shard's peers.
    pub(crate) publisher: u32,
    /// Index in the publisher's publications.
    pub(crate) publication: u8,
    pub(crate) subscribers: Vec<Subscriber>,
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    /// In order of joining.
    pub(crate) peers: Vec<u32>,
    /// In order of coming up.
    pub(crate) tracks: Vec<u32>,
    pub(crate) speakers: Speakers,
    /// Numbers of peers that are gone.
    pub(crate) past: PeerCounters,
}

impl Room {
    pub(crate) fn new(id: RoomId) -> Self {
        Self {
            id,
            peers: Vec::new(),
            tracks: Vec::new(),
            speakers: Speakers::default(),
            past: PeerCounters::default(),
        }
    }
}
