//! Step 5: who wants it? Tracks come and go, and the control plane is told who sits where.

use super::Shard;
use crate::border::{Message, TrackName};
use crate::ingress::admit::Admitted;
use crate::room::{Subscriber, Track};
use crate::shard::demand::Demand;
use std::cmp::Reverse;
use std::time::Instant;
use weir_sfu_api::{Event, ExtensionKind, MediaKind, SlotState, SourceKind, TrackId, TrackInfo};

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
        let came = self.config.clock.micros(now);
        let track = self.new_track(now, key, admitted.publication, info.clone(), came)?;
        self.look_at_demand(now, key);
        let peer = self.peers.get_mut(key)?;
        let room = peer.room;
        if let Some(publication) = peer.publications.get_mut(usize::from(admitted.publication)) {
            publication.best = admitted.layer;
            publication.choose_best(now, true);
        }
        let room = self.rooms.get(room)?.id;
        self.events.push_back(Event::TrackUp { room, track: info });
        self.tell_others_of_track(track);
        Some(track)
    }

    /// A track of a publisher here, or of a ghost.
    pub(super) fn new_track(
        &mut self,
        now: Instant,
        key: u32,
        publication: u8,
        info: TrackInfo,
        came_us: u64,
    ) -> Option<u32> {
        let peer = self.peers.get_mut(key)?;
        let room = peer.room;
        let entry = peer.publications.get_mut(usize::from(publication))?;
        let measured = entry.section.extensions.id(ExtensionKind::AudioLevel).is_some();
        let track = self.tracks.insert(Track {
            order: (came_us, info.id),
            info,
            room,
            publisher: key,
            publication,
            subscribers: Vec::new(),
            remotes: Vec::new(),
            last: None,
            demanded: 0,
            voice: None,
            camera: None,
            demand: Demand::default(),
        });
        entry.track = Some(track);
        self.track_up(now, track, measured);
        Some(track)
    }

    /// A new track touches those who have room for it, who named it, and (a screen share) everybody
    /// who sees such.
    fn track_up(&mut self, now: Instant, index: u32, measured: bool) {
        let Some(track) = self.tracks.get_mut(index) else { return };
        let Some(room) = self.rooms.get_mut(track.room) else { return };
        let (room_index, publisher, info) = (track.room, track.publisher, track.info.clone());
        room.add_track(index, &info, track.order);
        let sits = room
            .far_floor
            .iter()
            .flatten()
            .any(|name| (name.peer, name.publication) == (info.peer, track.publication));
        if room.home.is_some() {
            // The home ranks; it may have named a track that only now came up here.
            if sits {
                self.fill_listeners(now, room_index);
            }
        } else if info.kind == MediaKind::Audio {
            let microphone = info.source == SourceKind::Microphone;
            let (voice, seated) = room.speakers.add(index, publisher, microphone, measured);
            track.voice = Some(voice);
            if seated {
                self.fill_listeners(now, room_index);
                self.tell_floor(room_index);
            }
        }
        let muted = self.peers.get(publisher).is_some_and(|peer| peer.is_muted(info.source));
        if info.source == SourceKind::Camera && !muted {
            self.camera_on(index);
        }
        let dominant = self.rooms.get(room_index).and_then(|room| self.dominant_of(room));
        let Some(room) = self.rooms.get_mut(room_index) else { return };
        let concerned = &mut room.concerned;
        let mut touched = concerned.hungry(info.kind).clone();
        if info.kind == MediaKind::Video {
            let named = (info.peer, 0)..=(info.peer, u32::MAX);
            touched.extend(concerned.named.range(named).map(|(_, peer)| *peer));
        }
        if info.source == SourceKind::Screen {
            touched.extend(&concerned.viewers);
        }
        // Before anybody spoke, the first one counts as the dominant speaker.
        if dominant == Some(publisher) || room.tracks(info.kind).len() <= 2 {
            touched.extend(&room.concerned.dominant);
        }
        touched.remove(&publisher);
        for key in touched {
            self.fill(now, key, info.kind);
        }
    }

    /// A camera takes its place in the order of speaking: behind those who spoke.
    pub(super) fn camera_on(&mut self, index: u32) {
        let Some(track) = self.tracks.get_mut(index).filter(|track| track.camera.is_none()) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(track.room) else { return };
        let key = (Reverse(0), track.order);
        track.camera = Some(key);
        room.cameras.insert(key, index);
    }

    /// A camera that is off has no place in the order.
    pub(super) fn camera_off(&mut self, index: u32) {
        let Some(track) = self.tracks.get_mut(index) else { return };
        let Some(room) = self.rooms.get_mut(track.room) else { return };
        if let Some(key) = track.camera.take() {
            room.cameras.remove(&key);
        }
    }

    /// A track ends: its slots are free for others.
    pub(super) fn remove_track(&mut self, now: Instant, index: u32) {
        self.camera_off(index);
        self.want_all_layers(index);
        let Some(track) = self.tracks.remove(index) else { return };
        if let Some((last, _)) = track.last {
            self.pool.release(last);
        }
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
        room.remove_track(&track.info, track.order);
        let id = room.id;
        if self.peers.get(track.publisher).is_none_or(|peer| peer.origin.is_none()) {
            self.events.push_back(Event::TrackDown { room: id, track: track.info.id });
            let name = TrackName { peer: track.info.peer, publication: track.publication };
            self.tell_others(track.publisher, &Message::TrackDown(name));
        }
        let Some(room) = self.rooms.get_mut(track.room) else { return };
        if let Some(voice) = track.voice {
            let (floor, dominant) = room.speakers.remove(voice, now);
            if floor {
                self.fill_listeners(now, track.room);
            }
            if dominant {
                self.fill_dominant(now, track.room);
            }
            if floor || dominant {
                self.tell_floor(track.room);
            }
        }
        for subscriber in &track.subscribers {
            self.fill(now, subscriber.peer, track.info.kind);
        }
    }

    /// Puts a track into one slot, or empties it.
    pub(super) fn assign_slot(&mut self, key: u32, index: usize, track: Option<u32>) {
        let Ok(position) = u16::try_from(index) else { return };
        let Some(slot) = self.peers.get_mut(key).and_then(|peer| peer.slots.get_mut(index)) else {
            return;
        };
        if slot.track == track {
            return;
        }
        let (before, place) = (slot.track, slot.place);
        slot.assign(track);
        debug_assert!(track.is_none() || self.sits_once(key, track), "a track sits in one slot");
        self.slots_changed(key);
        if let Some(before) = before {
            self.unsubscribe(before, place);
        }
        let entry = Subscriber { peer: key, slot: position };
        self.seated.extend([before, track].into_iter().flatten().map(|track| (track, entry)));
        if let Some(track) = track.and_then(|track| self.tracks.get_mut(track)) {
            let place = u32::try_from(track.subscribers.len()).unwrap_or(u32::MAX);
            track.subscribers.push(entry);
            if let Some(slot) = self.slot_mut(entry) {
                slot.place = place;
            }
        }
        if let Some(track) = track {
            self.note_demand(track);
            self.want_all_key_frames(key, track);
        }
    }

    fn sits_once(&self, key: u32, track: Option<u32>) -> bool {
        let slots = self.peers.get(key).map(|peer| &peer.slots);
        slots.is_some_and(|slots| slots.iter().filter(|slot| slot.track == track).count() == 1)
    }

    /// Takes the subscriber at `place` from a track; the last one takes its place.
    pub(super) fn unsubscribe(&mut self, index: u32, place: u32) {
        let Some(track) = self.tracks.get_mut(index) else { return };
        if (place as usize) >= track.subscribers.len() {
            debug_assert!(false, "a subscriber knows its place");
            return;
        }
        track.subscribers.swap_remove(place as usize);
        if let Some(moved) = track.subscribers.get(place as usize).copied()
            && let Some(slot) = self.slot_mut(moved)
        {
            slot.place = place;
        }
        self.note_demand(index);
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
                    paused_by: slot.paused_by,
                    muted: track
                        .zip(publisher)
                        .is_some_and(|(track, publisher)| publisher.is_muted(track.info.source)),
                }
            })
            .collect()
    }
}
