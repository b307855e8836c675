//! Who sits in a receiver's slots, by its policy.
//!
//! | policy | audio | video |
//! | --- | --- | --- |
//! | `JoinOrder` | tracks in order of coming up | the same, screen shares first among those that wait |
//! | `Dominant` | the dominant speaker's | the same |
//! | `Speakers` | the floor, see `speakers/floor.rs` | screen shares, pinned tiles, tiles, last-N |
//!
//! Who sits, stays where it sits: moving a picture to another slot costs a key frame and shows. So
//! video slot 0 carries the dominant speaker where it is the only one; elsewhere it keeps whom it
//! has. It shares its msid with audio slot 0, so that browsers keep the two in sync: audio slot 0
//! carries the voice of whoever is seen in video slot 0 while that one is on the floor. Moving a
//! voice costs nothing that is heard.

use super::Shard;
use crate::limits;
use crate::speakers::SEATS;
use std::cmp::Reverse;
use std::time::Instant;
use weir_sfu_api::{Event, MediaKind, PeerId, SlotPolicy, SourceKind};

/// What a receiver should have, most important first.
#[derive(Default)]
struct Wish {
    tracks: Vec<u32>,
    /// It would take one more.
    hungry: bool,
    /// Cameras in the order of speaking among them.
    reach: u16,
}

impl Shard {
    /// Fills all slots of a peer, after its slots, view or rights changed.
    pub(super) fn fill_slots(&mut self, now: Instant, key: u32) {
        self.note_concerns(key);
        for kind in [MediaKind::Audio, MediaKind::Video] {
            self.fill(now, key, kind);
        }
    }

    /// Fills the slots of everybody who hears the floor.
    pub(super) fn fill_listeners(&mut self, now: Instant, room: u32) {
        let listeners = self.rooms.get(room).map(|room| room.concerned.listeners.clone());
        for key in listeners.unwrap_or_default() {
            self.fill(now, key, MediaKind::Audio);
        }
    }

    /// Fills the slots of those who follow the dominant speaker.
    pub(super) fn fill_dominant(&mut self, now: Instant, room: u32) {
        let followers = self.rooms.get(room).map(|room| room.concerned.dominant.clone());
        for key in followers.unwrap_or_default() {
            for kind in [MediaKind::Audio, MediaKind::Video] {
                self.fill(now, key, kind);
            }
        }
    }

    /// Puts the tracks of the room into a peer's slots of one kind.
    pub(super) fn fill(&mut self, now: Instant, key: u32, kind: MediaKind) {
        let Some(peer) = self.peers.get(key) else { return };
        self.counters.seatings = self.counters.seatings.wrapping_add(1);
        let (room, policy) = (peer.room, peer.policy);
        let slots = peer.open_slots(kind);
        let wish = match (peer.rights.subscribe, policy, kind) {
            (false, ..) => Wish::default(),
            (true, SlotPolicy::JoinOrder, _) => self.in_order_of_joining(key, room, kind, slots),
            (true, SlotPolicy::Dominant, _) => Wish {
                tracks: self.dominant_track(key, room, kind).into_iter().collect(),
                ..Wish::default()
            },
            (true, SlotPolicy::Speakers, MediaKind::Audio) => self.heard(now, key, room, slots),
            (true, SlotPolicy::Speakers, MediaKind::Video) => self.seen(key, room, slots),
        };
        self.seat(key, kind, &wish.tracks);
        if policy == SlotPolicy::Speakers {
            self.pair_lips(key);
        }
        let Some(room) = self.rooms.get_mut(room) else { return };
        let concerned = &mut room.concerned;
        if wish.hungry {
            concerned.hungry(kind).insert(key);
        } else {
            concerned.hungry(kind).remove(&key);
        }
        if kind == MediaKind::Video
            && let Some(peer) = self.peers.get_mut(key)
            && peer.reach != wish.reach
        {
            concerned.reach.remove(&(peer.reach, key));
            peer.reach = wish.reach;
            if peer.reach > 0 {
                concerned.reach.insert((peer.reach, key));
            }
        }
    }

    /// Seats `wanted` in the open slots of `kind`; who sits, stays.
    fn seat(&mut self, key: u32, kind: MediaKind, wanted: &[u32]) {
        let Some(peer) = self.peers.get(key) else { return };
        let mut free = Vec::new();
        let mut seated = Vec::new();
        for (index, slot) in peer.slots.iter().enumerate() {
            if slot.section.kind != kind || !slot.open {
                continue;
            }
            match slot.track.filter(|track| wanted.contains(track)) {
                Some(track) => seated.push(track),
                None => free.push(index),
            }
        }
        let mut waiting = wanted.iter().filter(|track| !seated.contains(track));
        for index in free {
            self.assign_slot(key, index, waiting.next().copied());
        }
    }

    /// Tracks of others in order of coming up. Who sits, stays; of those who wait a screen share
    /// goes first. A client with too few slots is asked once to offer more.
    fn in_order_of_joining(&mut self, key: u32, room: u32, kind: MediaKind, slots: usize) -> Wish {
        let (Some(room), Some(peer)) = (self.rooms.get(room), self.peers.get_mut(key)) else {
            return Wish::default();
        };
        let mut tracks: Vec<u32> = peer.seated(kind).collect();
        let screens = room.screens.values().filter(|_| kind == MediaKind::Video);
        for track in screens.chain(room.tracks(kind).values()) {
            if tracks.len() > slots {
                break;
            }
            let own = self.tracks.get(*track).is_none_or(|track| track.publisher == key);
            if !own && !tracks.contains(track) {
                tracks.push(*track);
            }
        }
        let of_kind = peer.slot_count(kind);
        let may_ask = peer.transport.is_some()
            && peer.asked_at.is_none_or(|slots| slots < peer.slots.len())
            && peer.slots.len() < limits::SECTIONS
            && of_kind < limits::JOIN_ORDER_SLOTS;
        let lacks = tracks.len() > slots;
        if lacks && may_ask {
            peer.asked_at = Some(peer.slots.len());
            let peer = peer.id;
            let reason = "more tracks than receiving m-lines";
            self.events.push_back(Event::Renegotiate { peer, ice_restart: false, reason });
        }
        let hungry = tracks.len() < slots || (may_ask && !lacks);
        tracks.truncate(slots);
        Wish { tracks, hungry, reach: 0 }
    }

    /// The dominant speaker's microphone, or camera; the first there is until somebody speaks.
    fn dominant_track(&self, key: u32, room: u32, kind: MediaKind) -> Option<u32> {
        let room = self.rooms.get(room)?;
        let source = match kind {
            MediaKind::Audio => SourceKind::Microphone,
            MediaKind::Video => SourceKind::Camera,
        };
        let speaker = self.dominant_of(room).filter(|speaker| *speaker != key);
        let of_speaker = speaker.and_then(|speaker| self.track_of(speaker, source));
        of_speaker.or_else(|| {
            // Stay with who is shown, so that nothing changes without a reason.
            let current = self.peers.get(key)?.seated(kind).next();
            let screens = room.screens.values().filter(|_| kind == MediaKind::Video);
            current.or_else(|| {
                let mut tracks = screens.chain(room.tracks(kind).values()).copied();
                tracks.find(|track| self.tracks.get(*track).is_some_and(|t| t.publisher != key))
            })
        })
    }

    /// What a peer publishes of `source`.
    fn track_of(&self, publisher: u32, source: SourceKind) -> Option<u32> {
        let publications = &self.peers.get(publisher)?.publications;
        let mut tracks = publications.iter().filter_map(|publication| publication.track);
        tracks.find(|track| self.tracks.get(*track).is_some_and(|t| t.info.source == source))
    }

    /// The floor without oneself. Who has fewer slots gets the dominant speaker, then the loudest.
    fn heard(&self, now: Instant, key: u32, room: u32, slots: usize) -> Wish {
        let Some(room) = self.rooms.get(room) else { return Wish::default() };
        let floor = self.floor_of(room);
        let own = |track: u32| self.tracks.get(track).is_none_or(|track| track.publisher == key);
        let (seats, reserve) = floor.split_at(limits::LOUDEST);
        let sits = seats.iter().flatten().any(|track| own(*track));
        let reserve = reserve.iter().filter(|_| sits);
        let heard = seats.iter().chain(reserve).flatten().copied();
        let mut tracks: Vec<u32> = heard.filter(|track| !own(*track)).collect();
        if tracks.len() > slots {
            let dominant = self.dominant_of(room);
            tracks.sort_by_key(|track| {
                let publisher = self.tracks.get(*track).map(|track| track.publisher);
                (publisher != dominant, Reverse(room.speakers.score(*track, now)))
            });
            tracks.truncate(slots);
        }
        Wish { tracks, ..Wish::default() }
    }

    /// Screen shares, the view's pinned tiles, its other tiles, then the last speakers.
    fn seen(&self, key: u32, room_index: u32, slots: usize) -> Wish {
        let (Some(room), Some(peer)) = (self.rooms.get(room_index), self.peers.get(key)) else {
            return Wish::default();
        };
        let view = &peer.view;
        let paused = |id: PeerId, source: SourceKind| {
            view.tiles.iter().any(|tile| tile.paused && (tile.peer, tile.source) == (id, source))
        };
        let mut tracks: Vec<u32> = Vec::with_capacity(slots);
        for index in room.screens.values() {
            let Some(track) = self.tracks.get(*index) else { continue };
            let info = &track.info;
            if track.publisher != key && !paused(info.peer, info.source) && tracks.len() < slots {
                tracks.push(*index);
            }
        }
        let pinned = view.tiles.iter().filter(|tile| tile.pinned);
        for tile in pinned.chain(view.tiles.iter().filter(|tile| !tile.pinned)) {
            if tracks.len() >= slots {
                break;
            }
            let publisher = self.peer_ids.get(&tile.peer).copied().filter(|peer| *peer != key);
            let here = |peer: &u32| self.peers.get(*peer).is_some_and(|p| p.room == room_index);
            let track = publisher.filter(here).and_then(|p| self.track_of(p, tile.source));
            if let Some(track) = track
                && !tile.paused
                && !tracks.contains(&track)
            {
                tracks.push(track);
            }
        }
        let left = slots.saturating_sub(tracks.len()).min(usize::from(view.last_n));
        let most = tracks.len().saturating_add(left);
        if left > 0 {
            for index in room.cameras.values() {
                let Some(track) = self.tracks.get(*index) else { continue };
                if track.publisher == key
                    || tracks.contains(index)
                    || paused(track.info.peer, track.info.source)
                {
                    continue;
                }
                tracks.push(*index);
                if tracks.len() >= most {
                    break;
                }
            }
        }
        Wish { hungry: tracks.len() < most, tracks, reach: u16::try_from(left).unwrap_or(u16::MAX) }
    }

    /// Audio slot 0 carries the voice of whoever is seen in video slot 0, if that voice sits at all.
    fn pair_lips(&mut self, key: u32) {
        let Some(peer) = self.peers.get(key) else { return };
        let first = |kind| {
            let mut slots = peer.slots.iter().enumerate();
            slots.find(|(_, slot)| slot.section.kind == kind)
        };
        let (Some((_, video)), Some((to, audio))) =
            (first(MediaKind::Video), first(MediaKind::Audio))
        else {
            return;
        };
        let publisher = |track: Option<u32>| self.tracks.get(track?).map(|track| track.publisher);
        let Some(seen) = publisher(video.track) else { return };
        if !audio.open || publisher(audio.track) == Some(seen) {
            return;
        }
        let from = peer.slots.iter().position(|slot| {
            slot.section.kind == MediaKind::Audio && publisher(slot.track) == Some(seen)
        });
        let Some(from) = from else { return };
        let (other, voice) = (audio.track, peer.slots.get(from).and_then(|slot| slot.track));
        self.assign_slot(key, from, None);
        self.assign_slot(key, to, voice);
        self.assign_slot(key, from, other);
    }

    /// Enters a peer where changes may concern it, by its policy, rights, slots and view.
    fn note_concerns(&mut self, key: u32) {
        self.concerns_nobody(key);
        let Some(peer) = self.peers.get(key) else { return };
        let (policy, subscribes) = (peer.policy, peer.rights.subscribe);
        let (audio, video) = (peer.open_slots(MediaKind::Audio), peer.open_slots(MediaKind::Video));
        let Some(room) = self.rooms.get_mut(peer.room).filter(|_| subscribes) else { return };
        let concerned = &mut room.concerned;
        match policy {
            SlotPolicy::JoinOrder => {}
            SlotPolicy::Dominant => {
                concerned.dominant.insert(key);
            }
            SlotPolicy::Speakers => {
                if audio > 0 {
                    concerned.listeners.insert(key);
                }
                if audio > 0 && audio < SEATS {
                    concerned.dominant.insert(key);
                }
                if video > 0 {
                    concerned.viewers.insert(key);
                    let names = peer.view.tiles.iter().map(|tile| (tile.peer, key));
                    concerned.named.extend(names);
                }
            }
        }
    }

    /// Takes a peer out of everything that [`Self::note_concerns`] and filling entered.
    pub(super) fn concerns_nobody(&mut self, key: u32) {
        self.forget_names(key);
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(room) = self.rooms.get_mut(peer.room) else { return };
        let concerned = &mut room.concerned;
        concerned.listeners.remove(&key);
        concerned.viewers.remove(&key);
        concerned.dominant.remove(&key);
        concerned.hungry(MediaKind::Audio).remove(&key);
        concerned.hungry(MediaKind::Video).remove(&key);
        concerned.reach.remove(&(peer.reach, key));
        peer.reach = 0;
    }

    /// The names in a peer's view lead to it no more.
    pub(super) fn forget_names(&mut self, key: u32) {
        let Some(peer) = self.peers.get(key) else { return };
        let Some(room) = self.rooms.get_mut(peer.room) else { return };
        for tile in &peer.view.tiles {
            room.concerned.named.remove(&(tile.peer, key));
        }
    }

    /// The order of speaking changed: a camera rises to the front, or right behind `first`. Those
    /// who showed it already see nothing of that, so only those are touched who show fewer than went
    /// before it.
    pub(super) fn camera_rises(&mut self, now: Instant, index: u32, first: Option<u32>) {
        let track = self.tracks.get(index);
        let Some(room) = track.and_then(|track| self.rooms.get(track.room)) else { return };
        let turn = room.next_turn();
        if let Some(first) = first {
            // It keeps its place before the other, so this concerns nobody.
            self.camera_turns(first, turn.wrapping_add(1));
            self.tell_turn(first);
        }
        self.camera_moves(now, index, turn);
        self.tell_turn(index);
    }

    /// Gives a camera another place in the order of speaking; gives the place it had.
    fn camera_turns(&mut self, index: u32, turn: u64) -> Option<u16> {
        let track = self.tracks.get_mut(index)?;
        let room = self.rooms.get_mut(track.room)?;
        let old = track.camera?;
        let place = room.place(old, usize::from(u16::MAX));
        let new = (Reverse(turn), track.order);
        track.camera = Some(new);
        room.cameras.remove(&old);
        room.cameras.insert(new, index);
        room.note_turn(turn);
        u16::try_from(place).ok()
    }

    /// The same, and touches those whom it concerns.
    pub(super) fn camera_moves(&mut self, now: Instant, index: u32, turn: u64) {
        let Some(place) = self.camera_turns(index, turn) else { return };
        let Some(track) = self.tracks.get(index) else { return };
        let Some(room) = self.rooms.get(track.room) else { return };
        let publisher = track.publisher;
        let short = room.concerned.reach.range(..=(place, u32::MAX));
        let touched: Vec<u32> = short.map(|(_, key)| *key).collect();
        for key in touched {
            if key != publisher {
                self.fill(now, key, MediaKind::Video);
            }
        }
    }

    /// A publisher switched a source off or on. A camera loses its place among the last speakers; a
    /// tile that names it keeps showing it as muted. On again it stands behind those who spoke.
    pub(super) fn source_muted(&mut self, now: Instant, index: u32, muted: bool) {
        let Some(track) = self.tracks.get(index) else { return };
        let (room_index, publisher, source) = (track.room, track.publisher, track.info.source);
        match source {
            SourceKind::Camera if muted => {
                let shows: Vec<u32> = track.subscribers.iter().map(|to| to.peer).collect();
                self.camera_off(index);
                for key in shows {
                    let follows =
                        self.peers.get(key).is_some_and(|peer| peer.policy == SlotPolicy::Speakers);
                    if follows {
                        self.fill(now, key, MediaKind::Video);
                    }
                }
            }
            SourceKind::Camera => {
                self.camera_on(index);
                let hungry = self
                    .rooms
                    .get_mut(room_index)
                    .map(|room| room.concerned.hungry(MediaKind::Video).clone());
                for key in hungry.unwrap_or_default() {
                    if key != publisher {
                        self.fill(now, key, MediaKind::Video);
                    }
                }
            }
            SourceKind::Microphone if muted => {
                let voice = track.voice;
                if let Some((room, voice)) = self.rooms.get_mut(room_index).zip(voice) {
                    room.speakers.hush(voice);
                }
            }
            _ => {}
        }
    }

    /// A publisher's camera, while it is on.
    pub(super) fn camera_of(&self, publisher: u32) -> Option<u32> {
        let index = self.track_of(publisher, SourceKind::Camera)?;
        self.tracks.get(index)?.camera.is_some().then_some(index)
    }
}
