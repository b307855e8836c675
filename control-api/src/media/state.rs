//! Everything known about rooms and peers, behind one lock and free of IO.

use super::events::{PeerEvent, SlotContent, SlotView, SpeakerList, SpeakerView};
use super::spread::{Place, Spread};
use super::view::{WantedView, Whose};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use weir_sfu_api::{
    ApiError, Command, PeerId, ReplyBody, RequestId, Rights, RoomId, ShardId, SlotPolicy,
    SlotState, SpeakerState, TrackInfo,
};

/// Who wants to take part in a room.
#[derive(Debug, Clone)]
pub struct NewPeer {
    /// The meeting, which is the room.
    pub room: RoomId,
    /// Whose peer it is; guests have negative numbers or 0.
    pub user_id: i64,
    /// Its name, for slots.
    pub username: String,
    /// Public spelling, `peer_...`.
    pub peer_id: String,
    /// What it may do.
    pub rights: Rights,
    /// How its slots are filled.
    pub slots: SlotPolicy,
}

/// A peer as REST shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerView {
    /// Its number.
    pub peer: PeerId,
    /// Public spelling.
    pub peer_id: String,
    /// The meeting.
    pub room: RoomId,
    /// Whose.
    pub user_id: i64,
    /// Its name.
    pub username: String,
    /// What it may do.
    pub rights: Rights,
    /// DTLS is done.
    pub connected: bool,
    /// What it publishes now.
    pub tracks: Vec<TrackInfo>,
}

pub(super) struct Peer {
    pub(super) shard: ShardId,
    pub(super) view: PeerView,
    /// What it wants to see.
    pub(super) wanted: Option<Box<WantedView>>,
    events: mpsc::Sender<PeerEvent>,
}

struct Room {
    spread: Spread,
    peers: BTreeSet<PeerId>,
    /// Peers by user.
    users: HashMap<i64, BTreeSet<PeerId>>,
    /// Who wants to see whom.
    watchers: HashMap<Whose, BTreeSet<PeerId>>,
}

/// A command's answer on its way.
pub(super) type Pending = oneshot::Sender<Result<ReplyBody, ApiError>>;

/// One lock's worth.
pub(super) struct State {
    next_peer: u64,
    next_request: u64,
    peers: HashMap<PeerId, Peer>,
    /// By public spelling; the newest where a session has made a new peer.
    public: HashMap<String, PeerId>,
    rooms: BTreeMap<RoomId, Room>,
    /// Peers of one room on one shard before it spills over.
    spill: NonZeroU32,
    /// Peers on each shard.
    load: Vec<u32>,
    pub(super) pending: HashMap<RequestId, (ShardId, Pending)>,
}

impl State {
    pub(super) fn new(shards: u16, spill: NonZeroU32) -> Self {
        Self {
            spill,
            next_peer: 1,
            next_request: 1,
            peers: HashMap::new(),
            public: HashMap::new(),
            rooms: BTreeMap::new(),
            load: vec![0; usize::from(shards.max(1))],
            pending: HashMap::new(),
        }
    }

    pub(super) fn request(&mut self, shard: ShardId, reply: Pending) -> RequestId {
        let request = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        self.pending.insert(request, (shard, reply));
        request
    }

    /// A room begins on the shard with the fewest peers, and spills over when it grows large. Gives
    /// also what shards must be told before the peer joins.
    pub(super) fn add(
        &mut self,
        new: NewPeer,
        events: mpsc::Sender<PeerEvent>,
    ) -> (PeerId, ShardId, Vec<(ShardId, Command)>) {
        let peer = PeerId(self.next_peer);
        self.next_peer = self.next_peer.wrapping_add(1);
        let (idlest, spill) = (self.idlest(), self.spill);
        let room = self.rooms.entry(new.room).or_insert_with(|| Room {
            spread: Spread::on(idlest, spill),
            peers: BTreeSet::new(),
            users: HashMap::new(),
            watchers: HashMap::new(),
        });
        let Place { shard, news } = room.spread.join(&self.load);
        let span = if news { room.spread.span(new.room) } else { Vec::new() };
        room.peers.insert(peer);
        room.users.entry(new.user_id).or_default().insert(peer);
        self.public.insert(new.peer_id.clone(), peer);
        if let Some(load) = self.load.get_mut(usize::from(shard.0)) {
            *load = load.saturating_add(1);
        }
        let view = PeerView {
            peer,
            peer_id: new.peer_id,
            room: new.room,
            user_id: new.user_id,
            username: new.username,
            rights: new.rights,
            connected: false,
            tracks: Vec::new(),
        };
        self.peers.insert(peer, Peer { shard, view, wanted: None, events });
        (peer, shard, span)
    }

    fn idlest(&self) -> ShardId {
        let least = self.load.iter().enumerate().min_by_key(|(_, load)| **load);
        ShardId(least.map_or(0, |(index, _)| u16::try_from(index).unwrap_or(0)))
    }

    pub(super) fn remove(&mut self, peer: PeerId) -> Option<Peer> {
        self.unwatch(peer);
        let gone = self.peers.remove(&peer)?;
        if self.public.get(&gone.view.peer_id) == Some(&peer) {
            self.public.remove(&gone.view.peer_id);
        }
        if let Some(load) = self.load.get_mut(usize::from(gone.shard.0)) {
            *load = load.saturating_sub(1);
        }
        if let Some(room) = self.rooms.get_mut(&gone.view.room) {
            room.peers.remove(&peer);
            room.spread.leave(gone.shard);
            if let Some(own) = room.users.get_mut(&gone.view.user_id) {
                own.remove(&peer);
                if own.is_empty() {
                    room.users.remove(&gone.view.user_id);
                }
            }
            if room.peers.is_empty() {
                self.rooms.remove(&gone.view.room);
            }
        }
        Some(gone)
    }

    pub(super) fn shard_of_peer(&self, peer: PeerId) -> Option<ShardId> {
        self.peers.get(&peer).map(|peer| peer.shard)
    }

    /// None for a room that is not there.
    pub(super) fn shards_of_room(&self, room: RoomId) -> Vec<ShardId> {
        self.rooms.get(&room).map(|room| room.spread.shards()).unwrap_or_default()
    }

    pub(super) fn peer_mut(&mut self, peer: PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(&peer)
    }

    pub(super) fn peer(&self, peer: PeerId) -> Option<&Peer> {
        self.peers.get(&peer)
    }

    pub(super) fn room_peers(&self, room: RoomId) -> impl Iterator<Item = &Peer> {
        let ids = self.rooms.get(&room).map(|room| &room.peers);
        ids.into_iter().flatten().filter_map(|peer| self.peers.get(peer))
    }

    pub(super) fn by_public_id(&self, peer_id: &str) -> Option<&Peer> {
        self.peers.get(self.public.get(peer_id)?)
    }

    pub(super) fn peers_of_user(&self, room: RoomId, user_id: i64) -> Vec<PeerId> {
        let own = self.rooms.get(&room).and_then(|room| room.users.get(&user_id));
        own.into_iter().flatten().copied().collect()
    }

    pub(super) fn watchers(
        &mut self,
        room: RoomId,
    ) -> Option<&mut HashMap<Whose, BTreeSet<PeerId>>> {
        self.rooms.get_mut(&room).map(|room| &mut room.watchers)
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.rooms.len(), self.peers.len())
    }

    pub(super) fn track_up(&mut self, track: TrackInfo) {
        if let Some(peer) = self.peers.get_mut(&track.peer) {
            peer.view.tracks.retain(|known| known.id != track.id);
            peer.view.tracks.push(track);
        }
    }

    pub(super) fn track_down(&mut self, room: RoomId, track: weir_sfu_api::TrackId) {
        let ids: Vec<PeerId> = self
            .rooms
            .get(&room)
            .map(|room| room.peers.iter().copied().collect())
            .unwrap_or_default();
        for id in ids {
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.view.tracks.retain(|known| known.id != track);
            }
        }
    }

    pub(super) fn slots(&self, peer: PeerId, slots: &[SlotState]) {
        if let Some(peer) = self.peers.get(&peer) {
            peer.tell(PeerEvent::Slots(slots.iter().map(|slot| self.slot_view(slot)).collect()));
        }
    }

    fn slot_view(&self, slot: &SlotState) -> SlotView {
        let content = slot.track.as_ref().and_then(|track| {
            let publisher = self.peers.get(&track.peer)?;
            Some(SlotContent {
                user_id: publisher.view.user_id,
                username: publisher.view.username.clone(),
                peer_id: publisher.view.peer_id.clone(),
                track: format!("track_{}", track.id),
                source: track.source,
            })
        });
        SlotView {
            mid: slot.mid,
            kind: slot.kind,
            content,
            rid: slot.rid,
            unavailable: slot.unavailable,
            muted: slot.muted,
            paused_by: slot.paused_by,
        }
    }

    pub(super) fn speakers(&self, room: RoomId, speakers: &[SpeakerState]) {
        let views: Vec<SpeakerView> = speakers
            .iter()
            .filter_map(|speaker| {
                let peer = self.peers.get(&speaker.peer)?;
                Some(SpeakerView {
                    user_id: peer.view.user_id,
                    peer_id: peer.view.peer_id.clone(),
                    level: speaker.level,
                })
            })
            .collect();
        let list = Arc::new(SpeakerList::new(views));
        for peer in self.room_peers(room) {
            peer.tell(PeerEvent::Speakers(Arc::clone(&list)));
        }
    }
}

impl Peer {
    /// An owner that does not read its events closes its end or loses them; each later `Slots`
    /// and `Speakers` is complete, so nothing stays wrong.
    pub(super) fn tell(&self, event: PeerEvent) {
        if self.events.try_send(event).is_err() {
            tracing::debug!(peer = %self.view.peer, "a peer's owner does not take its events");
        }
    }
}
