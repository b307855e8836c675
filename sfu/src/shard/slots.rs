//! Step 5: who wants it? Tracks come and go; slots are filled.

use super::Shard;
use crate::ingress::admit::Admitted;
use crate::limits;
use crate::room::{Subscriber, Track};
use std::time::Instant;
use weir_sfu_api::{
    Event, MediaKind, SlotPolicy, SlotState, SourceKind, SpeakerState, TrackId, TrackInfo,
};

impl Shard {
    /// The track of an admitted packet: the known one, or a new one with the publication's first
    /// packet. `None` when the publisher may not send this.
    pub(super) fn track_for(&mut self, now: Instant, key: u32, admitted: &Admitted) -> Option<u32> {
        let peer = self.peers.get_mut(key)?;
        let publication = peer.publications.get(usize::from(admitted.publication))?;
        let source = publication.section.source;
        if !peer.may_publish(source) {
            self.counters.dropped(crate::counters::DropReason::NotAllowed);
            return None;
        }
        if let Some(track) = publication.track {
            return Some(track);
        }
        let room = peer.room;
        let serial = self.next_track.wrapping_add(1);
        self.next_track = serial;
        let info = TrackInfo {
            // The shard's number in the upper bits keeps ids of several shards apart.
            id: TrackId((u64::from(self.config.id.0) << 48) | (serial & 0xffff_ffff_ffff)),
            peer: peer.id,
            mid: publication.section.mid,
            kind: publication.section.kind,
            source,
        };
        let track = self.tracks.insert(Track {
            info: info.clone(),
            room,
            publisher: key,
            publication: admitted.publication,
            subscribers: Vec::new(),
        });
        let peer = self.peers.get_mut(key)?;
        if let Some(publication) = peer.publications.get_mut(usize::from(admitted.publication)) {
            publication.track = Some(track);
            publication.best = admitted.layer;
            publication.choose_best(now, true);
        }
        let room_id = {
            let room = self.rooms.get_mut(room)?;
            room.tracks.push(track);
            room.id
        };
        self.events.push_back(Event::TrackUp { room: room_id, track: info });
        self.refill_room(room);
        Some(track)
    }

    /// A track ends: its slots are free for others.
    pub(super) fn remove_track(&mut self, index: u32) {
        let Some(track) = self.tracks.remove(index) else { return };
        if let Some(publication) = self
            .peers
            .get_mut(track.publisher)
            .and_then(|peer| peer.publications.get_mut(usize::from(track.publication)))
        {
            publication.track = None;
        }
        for subscriber in &track.subscribers {
            if let Some(slot) = self.slot_mut(*subscriber) {
                slot.assign(None);
            }
            self.slots_changed(subscriber.peer);
        }
        let Some(room) = self.rooms.get_mut(track.room) else { return };
        room.tracks.retain(|known| *known != index);
        self.events.push_back(Event::TrackDown { room: room.id, track: track.info.id });
        self.refill_room(track.room);
    }

    /// Fills the slots of everybody in a room.
    pub(super) fn refill_room(&mut self, room: u32) {
        let peers = self.rooms.get(room).map(|room| room.peers.clone()).unwrap_or_default();
        for key in peers {
            self.fill_slots(key);
        }
    }

    /// Puts the tracks of the room into a peer's slots by its policy. Who sits, stays.
    pub(super) fn fill_slots(&mut self, key: u32) {
        let Some(peer) = self.peers.get(key) else { return };
        let (room, policy) = (peer.room, peer.policy);
        let subscribes = peer.rights.subscribe;
        let mut unseated = 0usize;
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let wanted = match (subscribes, policy) {
                (false, _) => Vec::new(),
                (true, SlotPolicy::JoinOrder | SlotPolicy::Speakers) => {
                    self.tracks_in_order(key, room, kind)
                }
                (true, SlotPolicy::Dominant) => {
                    self.dominant_track(key, room, kind).into_iter().collect()
                }
            };
            unseated = unseated.saturating_add(self.seat(key, kind, &wanted));
        }
        self.ask_for_slots(key, policy, unseated);
    }

    /// Seats `wanted` in the open slots of `kind`; gives how many found none.
    fn seat(&mut self, key: u32, kind: MediaKind, wanted: &[u32]) -> usize {
        let Some(peer) = self.peers.get(key) else { return 0 };
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
        waiting.count()
    }

    /// A client with too few slots is asked to offer more, once for each further track.
    fn ask_for_slots(&mut self, key: u32, policy: SlotPolicy, unseated: usize) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let ask = policy == SlotPolicy::JoinOrder
            && peer.transport.is_some()
            && unseated > peer.asked_for_slots
            && peer.slots.len() < limits::SECTIONS;
        peer.asked_for_slots = unseated;
        if ask {
            let peer = peer.id;
            let reason = "more tracks than receiving m-lines";
            self.events.push_back(Event::Renegotiate { peer, ice_restart: false, reason });
        }
    }

    /// Tracks of others in order of coming up; a screen share goes before cameras.
    fn tracks_in_order(&self, key: u32, room: u32, kind: MediaKind) -> Vec<u32> {
        let Some(room) = self.rooms.get(room) else { return Vec::new() };
        let mut tracks: Vec<u32> = room
            .tracks
            .iter()
            .copied()
            .filter(|index| {
                self.tracks
                    .get(*index)
                    .is_some_and(|track| track.publisher != key && track.info.kind == kind)
            })
            .collect();
        tracks.sort_by_key(|index| {
            self.tracks.get(*index).is_none_or(|track| track.info.source != SourceKind::Screen)
        });
        tracks
    }

    /// The dominant speaker's microphone, or camera; the first there is until somebody speaks.
    fn dominant_track(&self, key: u32, room: u32, kind: MediaKind) -> Option<u32> {
        let speaker = self.rooms.get(room)?.speakers.dominant();
        let tracks = self.tracks_in_order(key, room, kind);
        let of_speaker = tracks.iter().copied().find(|index| {
            self.tracks.get(*index).is_some_and(|track| {
                Some(track.publisher) == speaker
                    && matches!(track.info.source, SourceKind::Microphone | SourceKind::Camera)
            })
        });
        of_speaker.or_else(|| {
            // Stay with who is shown, so that nothing changes without a reason.
            let current = self.peers.get(key)?.slots.iter().find_map(|slot| {
                slot.track.filter(|track| slot.section.kind == kind && tracks.contains(track))
            });
            current.or_else(|| tracks.first().copied())
        })
    }

    /// Puts a track into one slot, or empties it.
    pub(super) fn assign_slot(&mut self, key: u32, index: usize, track: Option<u32>) {
        let Ok(position) = u16::try_from(index) else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(slot) = peer.slots.get_mut(index) else { return };
        if slot.track == track {
            return;
        }
        let before = slot.track;
        slot.assign(track);
        self.slots_changed(key);
        let entry = Subscriber { peer: key, slot: position };
        if let Some(before) = before.and_then(|before| self.tracks.get_mut(before)) {
            before.subscribers.retain(|subscriber| *subscriber != entry);
        }
        if let Some(track) = track.and_then(|track| self.tracks.get_mut(track)) {
            debug_assert!(!track.subscribers.contains(&entry), "a slot subscribes once");
            track.subscribers.push(entry);
        }
        if let Some(track) = track {
            self.want_all_key_frames(key, track);
        }
    }

    /// A receiver needs a picture of `track`: its best layer's, once the receiver can take it.
    pub(super) fn want_all_key_frames(&mut self, receiver: u32, track: u32) {
        if !self.peers.get(receiver).is_some_and(crate::peer::Peer::receives) {
            return;
        }
        let Some(track) = self.tracks.get(track).filter(|t| t.info.kind == MediaKind::Video) else {
            return;
        };
        let (publisher, publication) = (track.publisher, track.publication);
        let best = self
            .peers
            .get(publisher)
            .and_then(|peer| peer.publications.get(usize::from(publication)))
            .map(|publication| publication.best);
        if let Some(best) = best {
            self.want_key_frame(publisher, publication, best);
        }
    }

    /// The state of this track shows in its receivers' slots.
    pub(super) fn mark_subscribers(&mut self, track: u32) {
        let subscribers =
            self.tracks.get(track).map(|track| track.subscribers.clone()).unwrap_or_default();
        for subscriber in subscribers {
            self.slots_changed(subscriber.peer);
        }
    }

    /// Notes that a peer's slots changed.
    pub(super) fn slots_changed(&mut self, key: u32) {
        if let Some(peer) = self.peers.get_mut(key)
            && !peer.slots_changed
        {
            peer.slots_changed = true;
            self.changed.push(key);
        }
    }

    /// Tells the control plane about slots that changed.
    pub(super) fn announce_slots(&mut self) {
        while let Some(key) = self.changed.pop() {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            if !std::mem::take(&mut peer.slots_changed) {
                continue;
            }
            let Some(peer) = self.peers.get(key) else { continue };
            let event = Event::Slots { peer: peer.id, slots: self.slot_states(peer) };
            self.events.push_back(event);
        }
    }

    pub(super) fn slot_states(&self, peer: &crate::peer::Peer) -> Vec<SlotState> {
        peer.slots
            .iter()
            .filter(|slot| slot.open)
            .map(|slot| {
                let track = slot.track.and_then(|track| self.tracks.get(track));
                let publisher = track.and_then(|track| self.peers.get(track.publisher));
                let rid = track.zip(publisher).and_then(|(track, publisher)| {
                    let current = slot.rewriter.current()?;
                    let publication = publisher.publications.get(usize::from(track.publication))?;
                    publication
                        .layers
                        .iter()
                        .find(|layer| {
                            layer.stream.as_ref().is_some_and(|stream| stream.uid == current)
                        })
                        .and_then(|layer| layer.rid)
                });
                SlotState {
                    mid: slot.section.mid,
                    kind: slot.section.kind,
                    track: track.map(|track| track.info.clone()),
                    rid,
                    unavailable: slot.unavailable,
                    muted: track
                        .zip(publisher)
                        .is_some_and(|(track, publisher)| publisher.is_muted(track.info.source)),
                }
            })
            .collect()
    }

    /// Takes an audio level; ranks the room's speakers when it is time.
    pub(super) fn note_level(&mut self, now: Instant, track: u32, level: u8) {
        let Some(track) = self.tracks.get(track) else { return };
        if track.info.source != SourceKind::Microphone {
            return;
        }
        let (room_index, publisher) = (track.room, track.publisher);
        let Some(room) = self.rooms.get_mut(room_index) else { return };
        if !room.speakers.note(publisher, level, now) {
            return;
        }
        let (dominant_changed, list_changed) = room.speakers.rank(now);
        if list_changed {
            let (id, speaking) = (room.id, room.speakers.speaking().collect::<Vec<_>>());
            let speakers = speaking
                .into_iter()
                .filter_map(|(key, level)| {
                    Some(SpeakerState { peer: self.peers.get(key)?.id, level })
                })
                .collect();
            self.events.push_back(Event::Speakers { room: id, speakers });
        }
        if dominant_changed {
            let peers =
                self.rooms.get(room_index).map(|room| room.peers.clone()).unwrap_or_default();
            for key in peers {
                let dominant =
                    self.peers.get(key).is_some_and(|peer| peer.policy == SlotPolicy::Dominant);
                if dominant {
                    self.fill_slots(key);
                }
            }
        }
    }
}
