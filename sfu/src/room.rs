//! A room: who is in it, what is published, who speaks, and whom a change concerns.
//!
//! The indices here are what makes a large meeting cheap: who comes, goes or speaks touches only
//! receivers whose slots change. Nothing walks over all peers.

use crate::border::TrackName;
use crate::limits;
use crate::peer::PeerCounters;

use crate::pool::PacketRef;
use crate::shard::demand::Demand;
use crate::speakers::{SEATS, Speakers};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use weir_sfu_api::{MediaKind, PeerId, RoomId, ShardId, SourceKind, TrackId, TrackInfo};

/// One receiver of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subscriber {
    /// Index in the shard's peers.
    pub(crate) peer: u32,
    /// Index of the slot in the peer.
    pub(crate) slot: u16,
}

/// Another shard that receives a track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote {
    pub(crate) shard: ShardId,
    /// Layers that are wanted there, as bits: these cross.
    pub(crate) wanted: u8,
    /// By layer: it did not keep up, and gets no packet before the next frame.
    pub(crate) skips: [bool; limits::LAYERS],
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
    /// When it came up.
    pub(crate) order: Order,
    /// In no order; each slot knows its place, see [`crate::slot::Slot::place`].
    pub(crate) subscribers: Vec<Subscriber>,
    /// Other shards among the receivers.
    pub(crate) remotes: Vec<Remote>,
    /// Audio of a room on several shards: its last packet with one reference held, and when it came.
    /// The home's word that it is heard comes after it.
    pub(crate) last: Option<(PacketRef, Instant)>,
    /// A ghost's: layers that its shard was told are wanted here, as bits.
    pub(crate) demanded: u8,
    /// Audio, at the room's home: its index in [`Room::speakers`].
    pub(crate) voice: Option<u32>,
    /// A camera that is on: its key in [`Room::cameras`].
    pub(crate) camera: Option<CameraKey>,
    /// What they want of it.
    pub(crate) demand: Demand,
}

/// Place of a camera in the order of speaking: who spoke last first, then who came first.
pub(crate) type CameraKey = (Reverse<u64>, Order);

/// Place of a track in the order of coming up, on all shards the same: when, in microseconds of the
/// shards' clock, and which.
pub(crate) type Order = (u64, TrackId);

/// Peers that a change may concern, by the kind of change: indices in the shard's peers.
#[derive(Debug, Default)]
pub(crate) struct Concerned {
    /// Hear the floor.
    pub(crate) listeners: BTreeSet<u32>,
    /// See screen shares without asking.
    pub(crate) viewers: BTreeSet<u32>,
    /// Show the dominant speaker, or hear fewer than the floor has seats.
    pub(crate) dominant: BTreeSet<u32>,
    /// Have room for one more track, or would offer more room: audio, video.
    hungry: [BTreeSet<u32>; 2],
    /// By how many cameras in the order of speaking they show: those with fewer than the place from
    /// which somebody rises may change.
    pub(crate) reach: BTreeSet<(u16, u32)>,
    /// By the publisher whom their view names.
    pub(crate) named: BTreeSet<(PeerId, u32)>,
}

impl Concerned {
    pub(crate) fn hungry(&mut self, kind: MediaKind) -> &mut BTreeSet<u32> {
        let [audio, video] = &mut self.hungry;
        match kind {
            MediaKind::Audio => audio,
            MediaKind::Video => video,
        }
    }
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    /// In order of joining.
    pub(crate) peers: Vec<u32>,
    /// In order of coming up, by kind: audio, video.
    tracks: [BTreeMap<Order, u32>; 2],
    /// Screen shares among the video tracks.
    pub(crate) screens: BTreeMap<Order, u32>,
    /// Cameras that are on, in the order of speaking.
    pub(crate) cameras: BTreeMap<CameraKey, u32>,
    /// Counts who came to the front of [`Self::cameras`].
    turn: u64,
    pub(crate) speakers: Speakers,
    /// The shard that ranks the speakers, where it is another.
    pub(crate) home: Option<ShardId>,
    /// All other shards with peers of this room.
    pub(crate) others: Vec<ShardId>,
    /// Publishers of other shards.
    pub(crate) ghosts: Vec<u32>,
    /// What the home told.
    pub(crate) far_floor: [Option<TrackName>; SEATS],
    pub(crate) far_dominant: Option<PeerId>,
    pub(crate) concerned: Concerned,
    /// Numbers of peers that are gone.
    pub(crate) past: PeerCounters,
}

impl Room {
    pub(crate) fn new(id: RoomId) -> Self {
        Self {
            id,
            peers: Vec::new(),
            tracks: [BTreeMap::new(), BTreeMap::new()],
            screens: BTreeMap::new(),
            cameras: BTreeMap::new(),
            turn: 0,
            speakers: Speakers::default(),
            home: None,
            others: Vec::new(),
            ghosts: Vec::new(),
            far_floor: [None; SEATS],
            far_dominant: None,
            concerned: Concerned::default(),
            past: PeerCounters::default(),
        }
    }

    /// Tracks of one kind in order of coming up.
    pub(crate) fn tracks(&self, kind: MediaKind) -> &BTreeMap<Order, u32> {
        let [audio, video] = &self.tracks;
        match kind {
            MediaKind::Audio => audio,
            MediaKind::Video => video,
        }
    }

    fn tracks_mut(&mut self, kind: MediaKind) -> &mut BTreeMap<Order, u32> {
        let [audio, video] = &mut self.tracks;
        match kind {
            MediaKind::Audio => audio,
            MediaKind::Video => video,
        }
    }

    /// All tracks.
    pub(crate) fn track_count(&self) -> usize {
        self.tracks.iter().map(BTreeMap::len).sum()
    }

    pub(crate) fn add_track(&mut self, index: u32, info: &TrackInfo, order: Order) {
        self.tracks_mut(info.kind).insert(order, index);
        if info.source == SourceKind::Screen {
            self.screens.insert(order, index);
        }
    }

    pub(crate) fn remove_track(&mut self, info: &TrackInfo, order: Order) {
        self.tracks_mut(info.kind).remove(&order);
        self.screens.remove(&order);
    }

    /// What brings a camera to the front.
    pub(crate) fn next_turn(&self) -> u64 {
        self.turn.wrapping_add(1)
    }

    /// A turn was taken, here or at the home.
    pub(crate) fn note_turn(&mut self, turn: u64) {
        self.turn = self.turn.max(turn);
    }

    /// How many cameras go before the one with `key`; counts up to `most`.
    pub(crate) fn place(&self, key: CameraKey, most: usize) -> usize {
        self.cameras.range(..key).take(most).count()
    }
}
