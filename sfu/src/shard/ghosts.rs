//! What other shards say, and the publishers there: peers without a transport.

use super::Shard;
use crate::border::{Batch, Message, TrackName, TrackUp};
use crate::counters::DropReason;
use crate::ingress::admit::{Refused, admit};
use crate::ingress::publication::{Binding, Publication};
use crate::limits;
use crate::peer::Peer;
use crate::pool::PacketRef;
use crate::room::Remote;
use rand::RngExt;
use std::time::Instant;
use weir_sfu_api::{Direction, ExtensionKind, MediaKind, Rights, ShardId, SlotPolicy};

impl Shard {
    /// What another shard says.
    pub(super) fn on_border(&mut self, now: Instant, from: ShardId, batch: &Batch) {
        let mut bytes = batch.bytes.as_slice();
        for message in &batch.messages {
            match message {
                Message::TrackUp(up) => self.ghost_track(now, from, up),
                Message::TrackDown(name) => {
                    if let Some(track) = self.named(*name) {
                        self.remove_track(now, track);
                    }
                }
                Message::PeerGone(id) => {
                    if let Some(key) = self.peer_ids.get(id).copied()
                        && self.is_ghost(key) == Some(from)
                    {
                        self.remove_ghost(now, key);
                    }
                }
                Message::Muted { peer, source, muted } => {
                    self.set_muted(now, *peer, *source, *muted);
                }
                Message::Demand { track, layers } => self.on_demand(now, from, *track, *layers),
                Message::KeyFrame { track, layer } => {
                    if let Some(key) = self.peer_ids.get(&track.peer).copied() {
                        self.want_key_frame(key, track.publication, *layer);
                    }
                }
                Message::Packet { track, layer, ssrc, len } => {
                    let (packet, rest) =
                        bytes.split_at_checked(usize::from(*len)).unwrap_or_default();
                    bytes = rest;
                    if let Err(reason) = self.ghost_packet(now, *track, *layer, *ssrc, packet) {
                        self.counters.dropped(reason);
                    }
                }
                Message::SenderReport { peer, ssrc, ntp, rtp } => {
                    if let Some(key) = self.peer_ids.get(peer).copied() {
                        self.on_sender_report(now, key, *ssrc, *ntp, *rtp);
                    }
                }
                Message::Level { track, level } => {
                    if let Some(track) = self.named(*track) {
                        self.note_level(now, track, *level);
                    }
                }
                Message::Floor { room, seats, dominant } => {
                    let Some(index) = self.room_ids.get(room).copied() else { continue };
                    let Some(room) = self.rooms.get_mut(index) else { continue };
                    let floor = std::mem::replace(&mut room.far_floor, *seats) != *seats;
                    let other = std::mem::replace(&mut room.far_dominant, *dominant) != *dominant;
                    if floor {
                        self.fill_listeners(now, index);
                        let seats = seats.iter().flatten().filter_map(|name| self.named(*name));
                        for track in seats.collect::<Vec<_>>() {
                            self.catch_up(now, track);
                        }
                    }
                    if other {
                        self.fill_dominant(now, index);
                    }
                }
                Message::Turn { track, turn } => {
                    if let Some(track) = self.named(*track) {
                        self.camera_moves(now, track, *turn);
                    }
                }
            }
        }
    }

    /// Another shard wants these layers of a track, and no others.
    fn on_demand(&mut self, now: Instant, from: ShardId, name: TrackName, layers: u8) {
        let Some(index) = self.named(name) else { return };
        let Some(track) = self.tracks.get_mut(index) else { return };
        // A ghost's shard is asked by those who want it.
        if self.peers.get(track.publisher).is_none_or(|peer| peer.origin.is_some()) {
            return;
        }
        let known = track.remotes.iter().position(|remote| remote.shard == from);
        let place = match (known, layers) {
            (Some(place), 0) => {
                track.remotes.swap_remove(place);
                return self.look_at_demand_of(now, index);
            }
            (None, 0) => return,
            (Some(place), _) => place,
            (None, _) => {
                let skips = [false; limits::LAYERS];
                track.remotes.push(Remote { shard: from, wanted: 0, skips });
                track.remotes.len().saturating_sub(1)
            }
        };
        let Some(remote) = track.remotes.get_mut(place) else { return };
        remote.wanted = layers;
        let (remote, publisher, publication) = (*remote, track.publisher, track.publication);
        if track.info.kind != MediaKind::Video {
            if let Some((packet, admitted)) = self.last_of(now, index) {
                self.cross_to(index, place, remote, packet, &admitted);
            }
            return;
        }
        let back = self.layers_wanted(now, index, layers);
        if known.is_none() || back {
            // Which other layers need one shows once they are there.
            let best = self
                .peers
                .get(publisher)
                .and_then(|peer| Some(peer.publications.get(usize::from(publication))?.best));
            self.want_key_frame(publisher, publication, best.unwrap_or(0));
        }
        self.look_at_demand(now, publisher);
    }

    fn look_at_demand_of(&mut self, now: Instant, index: u32) {
        if let Some(publisher) = self.tracks.get(index).map(|track| track.publisher) {
            self.look_at_demand(now, publisher);
        }
    }

    /// A track of a publisher elsewhere.
    fn ghost_track(&mut self, now: Instant, from: ShardId, up: &TrackUp) {
        let room_index = self.room_of(up.room);
        if let Some(room) = self.rooms.get_mut(room_index) {
            room.home = (up.home != self.config.id).then_some(up.home);
        }
        let id = up.info.peer;
        let key = match self.peer_ids.get(&id).copied() {
            Some(key) if self.is_ghost(key) == Some(from) => key,
            // Somebody of here goes by this id.
            Some(_) => return self.counters.dropped(DropReason::Limit),
            None if self.peers.len() >= limits::PEERS => {
                return self.counters.dropped(DropReason::Limit);
            }
            None => {
                let ssrc = self.public.random();
                let policy = SlotPolicy::JoinOrder;
                let mut ghost = Peer::new(id, room_index, Rights::ALL, policy, ssrc);
                ghost.origin = Some(from);
                let key = self.peers.insert(ghost);
                self.peer_ids.insert(id, key);
                if let Some(room) = self.rooms.get_mut(room_index) {
                    room.ghosts.push(key);
                }
                key
            }
        };
        let Some(peer) = self.peers.get_mut(key) else { return };
        let mut section = up.section.clone();
        // Feedback on the way to the server is given where the publisher is.
        section.extensions.set(ExtensionKind::TransportCc, 0);
        let place = usize::from(up.publication);
        while peer.publications.len() <= place {
            let empty =
                weir_sfu_api::MediaSection { direction: Direction::Inactive, ..section.clone() };
            peer.publications.push(Publication::new(empty));
        }
        let Some(publication) = peer.publications.get_mut(place) else { return };
        if publication.section.simulcast == section.simulcast {
            publication.section = section;
        } else {
            publication.clear(&mut self.pool);
            let track = publication.track;
            *publication = Publication::new(section);
            publication.track = track;
        }
        let source = up.info.source;
        peer.muted.retain(|known| *known != source);
        if up.muted {
            peer.muted.push(source);
        }
        if publication.track.is_none() {
            self.new_track(now, key, up.publication, up.info.clone(), up.came_us);
        }
        if let Some(track) = self.named(TrackName { peer: id, publication: up.publication })
            && up.turn > 0
        {
            self.camera_moves(now, track, up.turn);
        }
    }

    /// A packet of a ghost: steps 4 to 7 as for anybody.
    fn ghost_packet(
        &mut self,
        now: Instant,
        name: TrackName,
        layer: u8,
        ssrc: u32,
        data: &[u8],
    ) -> Result<(), DropReason> {
        // It may have crossed with the end of its track.
        let Some(key) = self.peer_ids.get(&name.peer).copied() else { return Ok(()) };
        let Some(peer) = self.peers.get_mut(key).filter(|peer| peer.origin.is_some()) else {
            return Ok(());
        };
        let publication = name.publication;
        let binding = Binding { ssrc, publication, layer, rtx: false };
        if peer.publications.get(usize::from(publication)).is_none_or(|p| p.track.is_none()) {
            return Ok(());
        }
        if !peer.bindings.contains(&binding) {
            peer.bindings.retain(|old| old.ssrc != ssrc);
            let same = |old: &Binding| (old.publication, old.layer) == (publication, layer);
            if peer.bindings.iter().filter(|old| same(old)).count() >= 2
                && let Some(oldest) = peer.bindings.iter().position(same)
            {
                peer.bindings.remove(oldest);
            }
            peer.bindings.push(binding);
        }
        let packet = self.pool.take().ok_or(DropReason::PoolExhausted)?;
        let result = self.take_ghost_packet(now, key, packet, data);
        self.pool.release(packet);
        result
    }

    fn take_ghost_packet(
        &mut self,
        now: Instant,
        key: u32,
        packet: PacketRef,
        data: &[u8],
    ) -> Result<(), DropReason> {
        let bytes = self.pool.bytes_mut(packet);
        bytes.get_mut(..data.len()).ok_or(DropReason::Oversized)?.copy_from_slice(data);
        let now_us = self.config.clock.micros(now);
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownSource)?;
        let uid = &mut self.next_uid;
        let admitted = match admit(peer, &mut self.pool, packet, data.len(), uid, now, now_us) {
            Ok(Some(admitted)) => admitted,
            Ok(None) => return Ok(()),
            Err(Refused::Late(reason)) => {
                self.counters.late(reason);
                return Ok(());
            }
            Err(Refused::Drop(reason)) => return Err(reason),
        };
        self.arm_feedback(now, key);
        self.reschedule(key);
        if admitted.broken {
            self.want_key_frame(key, admitted.publication, admitted.layer);
        }
        self.route(now, key, packet, &admitted);
        Ok(())
    }

    /// A ghost and its tracks are gone; nobody is told, that is done where it was.
    pub(super) fn remove_ghost(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get(key) else { return };
        let tracks: Vec<u32> = peer.publications.iter().filter_map(|p| p.track).collect();
        for track in tracks {
            self.remove_track(now, track);
        }
        let Some(mut peer) = self.peers.remove(key) else { return };
        self.key_frames.retain(|(publisher, _, _)| *publisher != key);
        for publication in &mut peer.publications {
            publication.clear(&mut self.pool);
        }
        self.peer_ids.remove(&peer.id);
        if let Some(room) = self.rooms.get_mut(peer.room) {
            room.ghosts.retain(|ghost| *ghost != key);
        }
        self.close_empty_room(peer.room);
    }
}
