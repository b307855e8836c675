//! Commands from the control plane.

use super::Departed;
use super::Shard;
use crate::border::Message;
use crate::counters::DropReason;
use crate::limits;
use crate::peer::{Peer, PeerCounters};
use rand::RngExt;
use std::time::Instant;
use weir_session::PeerTransport;
use weir_sfu_api::{
    ApiError, Command, Event, GoneReason, MediaKind, PeerId, PeerStats, Reply, ReplyBody,
    RequestId, Rights, RoomId, RoomStats, SlotPolicy, SourceKind, TrackStats, View,
};

impl Shard {
    pub(super) fn on_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Join { req, peer, room, rights, slots } => {
                let result = self.join(peer, room, rights, slots).map(|()| ReplyBody::Done);
                self.reply(req, result);
            }
            Command::Offer { req, peer, description } => {
                let result = self.apply_offer(now, peer, &description);
                self.reply(req, result);
            }
            Command::IceRestart { req, peer, transport } => {
                let result = self.restart_ice(now, peer, &transport);
                self.reply(req, result);
            }
            Command::SetRights { peer, rights } => self.set_rights(now, peer, rights),
            Command::SetMuted { peer, source, muted } => self.set_muted(now, peer, source, muted),
            Command::SetView { peer, view } => self.set_view(now, peer, *view),
            Command::Span { room, home, shards } => self.span(now, room, home, &shards),
            Command::Leave { peer } => {
                if let Some(key) = self.peer_ids.get(&peer).copied() {
                    self.remove_peer(now, key, GoneReason::Left);
                }
            }
            Command::CloseRoom { room } => {
                let index = self.room_ids.get(&room).copied();
                let peers =
                    index.and_then(|index| self.rooms.get(index)).map(|room| room.peers.clone());
                for key in peers.unwrap_or_default() {
                    self.remove_peer(now, key, GoneReason::RoomClosed);
                }
                // It may have been spanned and never joined.
                if let Some(index) = index {
                    self.close_empty_room(index);
                }
            }
            Command::RoomStats { req, room } => {
                let result = self.room_stats(room).map(ReplyBody::Room);
                self.reply(req, result);
            }
            Command::PeerStats { req, peer } => {
                let result = self.peer_stats(peer).map(|stats| ReplyBody::Peer(Box::new(stats)));
                self.reply(req, result);
            }
            Command::Shutdown { req } => {
                let peers: Vec<u32> = self.peers.iter().map(|(key, _)| key).collect();
                for key in peers {
                    self.remove_peer(now, key, GoneReason::RoomClosed);
                }
                self.reply(req, Ok(ReplyBody::Done));
            }
        }
    }

    fn reply(&mut self, req: RequestId, result: Result<ReplyBody, ApiError>) {
        self.events.push_back(Event::Reply(Reply { req, result }));
    }

    fn join(
        &mut self,
        id: PeerId,
        room_id: RoomId,
        rights: Rights,
        policy: SlotPolicy,
    ) -> Result<(), ApiError> {
        if self.peer_ids.contains_key(&id) {
            return Err(ApiError::PeerExists);
        }
        if self.peers.len() >= limits::PEERS {
            self.counters.dropped(DropReason::Limit);
            return Err(ApiError::Limit("peers of one shard (4096)"));
        }
        let room = self.room_of(room_id);
        let feedback_ssrc = self.public.random();
        let key = self.peers.insert(Peer::new(id, room, rights, policy, feedback_ssrc));
        self.peer_ids.insert(id, key);
        if let Some(room) = self.rooms.get_mut(room) {
            room.peers.push(key);
        }
        Ok(())
    }

    fn set_rights(&mut self, now: Instant, id: PeerId, rights: Rights) {
        let Some(key) = self.peer_ids.get(&id).copied() else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.rights = rights;
        let deaf = !rights.subscribe;
        let withdrawn: Vec<u32> = peer
            .publications
            .iter()
            .filter(|publication| !peer.may_publish(publication.section.source))
            .filter_map(|publication| publication.track)
            .collect();
        // The track ends for the others; with the right back, its next packet makes a new one.
        for track in withdrawn {
            self.remove_track(now, track);
        }
        self.fill_slots(now, key);
        if deaf {
            self.cut_all(key);
        }
    }

    fn set_view(&mut self, now: Instant, id: PeerId, mut view: View) {
        let Some(key) = self.peer_ids.get(&id).copied() else { return };
        // A voice is no picture: it would take a video slot beside its own.
        view.tiles.retain(|tile| matches!(tile.source, SourceKind::Camera | SourceKind::Screen));
        if view.tiles.len() > limits::TILES {
            self.counters.dropped(DropReason::Limit);
            view.tiles.truncate(limits::TILES);
        }
        self.forget_names(key);
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.policy != SlotPolicy::Dominant {
            peer.policy = SlotPolicy::Speakers;
        }
        peer.view = view;
        self.fill_slots(now, key);
        // Also where everybody keeps a seat: sizes, pins and pauses count.
        self.share_soon(now, key, true);
        self.reschedule(key);
    }

    pub(super) fn set_muted(&mut self, now: Instant, id: PeerId, source: SourceKind, muted: bool) {
        let Some(key) = self.peer_ids.get(&id).copied() else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.is_muted(source) == muted {
            return;
        }
        peer.muted.retain(|known| *known != source);
        if muted {
            peer.muted.push(source);
        }
        let tracks: Vec<u32> = peer.publications.iter().filter_map(|p| p.track).collect();
        self.tell_others(key, &Message::Muted { peer: id, source, muted });
        for track in tracks {
            self.mark_subscribers(track);
            if self.tracks.get(track).is_some_and(|track| track.info.source == source) {
                self.source_muted(now, track, muted);
            }
        }
    }

    /// Frees everything a peer has.
    pub(super) fn remove_peer(&mut self, now: Instant, key: u32, reason: GoneReason) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.origin.is_some() {
            return self.remove_ghost(now, key);
        }
        tracing::debug!(peer = %peer.id, ?reason, "peer gone");
        let gone = Message::PeerGone(peer.id);
        let room_index = peer.room;
        let tracks: Vec<u32> = peer.publications.iter().filter_map(|p| p.track).collect();
        if let Some(transport) = peer.transport.as_mut() {
            transport.close(now);
        }
        self.drain_transport(now, key);
        for index in 0..self.peers.get(key).map_or(0, |peer| peer.slots.len()) {
            self.assign_slot(key, index, None);
        }
        self.concerns_nobody(key);
        for track in tracks {
            self.remove_track(now, track);
        }
        self.tell_others(key, &gone);
        let Some(mut peer) = self.peers.remove(key) else { return };
        self.dirty.retain(|dirty| *dirty != key);
        self.key_frames.retain(|(publisher, _, _)| *publisher != key);
        Self::empty_queue(&mut self.pool, &mut peer);
        for publication in &mut peer.publications {
            publication.clear(&mut self.pool);
        }
        self.demux.remove_key(key);
        if let Some(old) = &peer.old_ufrag {
            self.demux.remove_ufrag(old);
        }
        if let Some(transport) = &peer.transport {
            let ufrag = transport.local_credentials().ufrag.clone();
            self.demux.remove_ufrag(&ufrag);
            if self.departed.len() >= limits::DEPARTED {
                self.departed.pop_front();
            }
            let addr = transport.path().map(|path| path.remote);
            self.departed.push_back(Departed { addr, ufrag, at: now });
        }
        self.peer_ids.remove(&peer.id);
        self.leave_room(key, room_index, &peer);
        let room = self.rooms.get(room_index).map(|room| room.id);
        self.close_empty_room(room_index);
        if let Some(room) = room {
            self.events.push_back(Event::Gone { peer: peer.id, room, reason });
        }
    }

    fn leave_room(&mut self, key: u32, room_index: u32, peer: &Peer) {
        let Some(room) = self.rooms.get_mut(room_index) else { return };
        room.peers.retain(|member| *member != key);
        add_counters(&mut room.past, peer);
    }

    pub(super) fn close_empty_room(&mut self, room_index: u32) {
        if self
            .rooms
            .get(room_index)
            .is_some_and(|room| room.peers.is_empty() && room.ghosts.is_empty())
            && let Some(room) = self.rooms.remove(room_index)
        {
            debug_assert_eq!(room.track_count(), 0, "an empty room has no tracks");
            self.room_ids.remove(&room.id);
        }
    }

    fn room_stats(&self, id: RoomId) -> Result<RoomStats, ApiError> {
        let room = self
            .room_ids
            .get(&id)
            .and_then(|index| self.rooms.get(*index))
            .ok_or(ApiError::UnknownRoom)?;
        let mut sum = room.past;
        for peer in room.peers.iter().filter_map(|key| self.peers.get(*key)) {
            add_counters(&mut sum, peer);
        }
        // Those of ghosts are counted where they are published.
        let own = |track: &&u32| {
            let publisher = self.tracks.get(**track).and_then(|t| self.peers.get(t.publisher));
            publisher.is_some_and(|peer| peer.origin.is_none())
        };
        let tracks: usize = [MediaKind::Audio, MediaKind::Video]
            .map(|kind| room.tracks(kind).values().filter(own).count())
            .iter()
            .sum();
        Ok(RoomStats {
            peers: u32::try_from(room.peers.len()).unwrap_or(u32::MAX),
            tracks: u32::try_from(tracks).unwrap_or(u32::MAX),
            bytes_sent: sum.bytes_sent,
            bytes_received: sum.bytes_received,
            packets_sent: sum.packets_sent,
            packets_received: sum.packets_received,
            packets_lost: sum.lost,
        })
    }

    fn peer_stats(&mut self, id: PeerId) -> Result<PeerStats, ApiError> {
        let key = self.peer_ids.get(&id).copied().ok_or(ApiError::UnknownPeer)?;
        let pacing_us = self.peers.get_mut(key).map_or(0, Peer::pacing_us);
        let peer = self.peers.get(key).ok_or(ApiError::UnknownPeer)?;
        let look = peer.leg.look();
        let tracks = peer
            .publications
            .iter()
            .filter_map(|publication| {
                let info = self.tracks.get(publication.track?)?.info.clone();
                let streams = publication.layers.iter().filter_map(|layer| layer.stream.as_ref());
                let mut stats =
                    TrackStats { info, packets: 0, bytes: 0, lost: 0, recovered: 0, layers: 0 };
                for stream in streams {
                    stats.packets = stats.packets.wrapping_add(stream.packets);
                    stats.bytes = stats.bytes.wrapping_add(stream.bytes);
                    stats.lost = stats.lost.wrapping_add(stream.given_up);
                    stats.recovered = stats.recovered.wrapping_add(stream.recovered);
                    stats.layers = stats.layers.saturating_add(1);
                }
                Some(stats)
            })
            .collect();
        Ok(PeerStats {
            connected: peer.connected,
            profile: peer.transport.as_ref().and_then(PeerTransport::profile),
            packets_sent: peer.counters.packets_sent,
            packets_received: peer.counters.packets_received,
            bytes_sent: peer.counters.bytes_sent,
            bytes_received: peer.counters.bytes_received,
            retransmitted: peer.counters.retransmitted,
            fraction_lost: peer.slots.iter().map(|slot| slot.fraction_lost).max().unwrap_or(0),
            rtt_us: peer.rtt_us,
            estimate_bps: look.estimate_bps,
            wanted_bps: look.wanted_bps,
            allocated_bps: look.allocated_bps,
            pacing_us,
            probes: look.probes,
            tracks,
            slots: self.slot_states(peer),
        })
    }
}

fn add_counters(sum: &mut PeerCounters, peer: &Peer) {
    let counters = &peer.counters;
    sum.packets_sent = sum.packets_sent.wrapping_add(counters.packets_sent);
    sum.packets_received = sum.packets_received.wrapping_add(counters.packets_received);
    sum.bytes_sent = sum.bytes_sent.wrapping_add(counters.bytes_sent);
    sum.bytes_received = sum.bytes_received.wrapping_add(counters.bytes_received);
    sum.lost = sum.lost.wrapping_add(counters.lost);
    for stream in peer
        .publications
        .iter()
        .flat_map(|publication| &publication.layers)
        .filter_map(|layer| layer.stream.as_ref())
    {
        sum.lost = sum.lost.wrapping_add(stream.given_up);
    }
}
