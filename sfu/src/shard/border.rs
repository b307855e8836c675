//! Rooms on several shards: what is told to the others, and what they tell. See `crate::border`.

use super::Shard;
use crate::border::{Batch, Message, TrackName, TrackUp};
use crate::counters::{DropReason, bump};
use crate::ingress::admit::{Admitted, Refused, admit};
use crate::ingress::publication::{Binding, Publication};
use crate::limits;
use crate::peer::Peer;
use crate::pool::PacketRef;
use crate::room::{Remote, Room, Subscriber};
use rand::RngExt;
use std::time::Instant;
use weir_sfu_api::{Direction, ExtensionKind, MediaKind, Rights, RoomId, ShardId, SlotPolicy};
use weir_wire::ext::AudioLevel;
use weir_wire::rtp::{parse_header, set_padding_bit};

impl Shard {
    /// The shards of a room changed. Tracks of here are told to those that are new.
    pub(super) fn span(&mut self, now: Instant, id: RoomId, home: ShardId, shards: &[ShardId]) {
        let own = self.config.id;
        if !shards.contains(&own) {
            if let Some(room) = self.room_ids.get(&id).copied() {
                let ghosts = self.rooms.get(room).map(|room| room.ghosts.clone());
                for key in ghosts.unwrap_or_default() {
                    self.remove_ghost(now, key);
                }
                self.close_empty_room(room);
            }
            return;
        }
        let index = self.room_of(id);
        let Some(room) = self.rooms.get_mut(index) else { return };
        let moved = std::mem::replace(&mut room.home, (home != own).then_some(home)) != room.home;
        let others: Vec<ShardId> =
            shards.iter().copied().filter(|s| *s != own).take(limits::SHARDS).collect();
        let before = std::mem::replace(&mut room.others, others.clone());
        let tracks: Vec<u32> = [MediaKind::Audio, MediaKind::Video]
            .iter()
            .flat_map(|kind| room.tracks(*kind).values().copied())
            .collect();
        for index in &tracks {
            if let Some(track) = self.tracks.get_mut(*index) {
                track.remotes.retain(|remote| others.contains(&remote.shard));
            }
        }
        let fresh: Vec<ShardId> = others.into_iter().filter(|s| !before.contains(s)).collect();
        for index in tracks {
            self.tell_track(index, &fresh);
        }
        self.tell_floor(index);
        if moved {
            self.fill_listeners(now, index);
        }
    }

    /// The room, which comes to be with its first peer, ghost or mention.
    pub(super) fn room_of(&mut self, id: RoomId) -> u32 {
        match self.room_ids.get(&id) {
            Some(room) => *room,
            None => {
                let room = self.rooms.insert(Room::new(id));
                self.room_ids.insert(id, room);
                room
            }
        }
    }

    /// Batches that wait: `take` gets each and says whether it took it; then the batch is replaced
    /// by whatever `take` left in its place, emptied. What is not taken waits on.
    pub fn send_border(&mut self, mut take: impl FnMut(ShardId, &mut Batch) -> bool) {
        for (shard, batch) in (0..).map(ShardId).zip(&mut self.border) {
            if !batch.is_empty() && take(shard, batch) {
                batch.clear();
            }
        }
    }

    fn tell(&mut self, to: ShardId, message: Message) {
        let place = usize::from(to.0);
        if place >= limits::SHARDS {
            return;
        }
        if self.border.len() <= place {
            self.border.resize_with(place.saturating_add(1), Batch::default);
        }
        if let Some(batch) = self.border.get_mut(place) {
            batch.messages.push(message);
        }
    }

    fn name_of(&self, track: u32) -> Option<TrackName> {
        let track = self.tracks.get(track)?;
        Some(TrackName { peer: track.info.peer, publication: track.publication })
    }

    /// A named track here.
    pub(super) fn named(&self, name: TrackName) -> Option<u32> {
        let peer = self.peers.get(*self.peer_ids.get(&name.peer)?)?;
        peer.publications.get(usize::from(name.publication))?.track
    }

    pub(super) fn is_ghost(&self, key: u32) -> Option<ShardId> {
        self.peers.get(key)?.origin
    }

    /// Tells `shards` what they need to know of a track of here.
    fn tell_track(&mut self, index: u32, shards: &[ShardId]) {
        let Some(track) = self.tracks.get(index) else { return };
        let Some(publisher) = self.peers.get(track.publisher).filter(|p| p.origin.is_none()) else {
            return;
        };
        let Some(room) = self.rooms.get(track.room) else { return };
        let Some(publication) = publisher.publications.get(usize::from(track.publication)) else {
            return;
        };
        let up = TrackUp {
            room: room.id,
            home: room.home.unwrap_or(self.config.id),
            publication: track.publication,
            info: track.info.clone(),
            came_us: track.order.0,
            section: publication.section.clone(),
            turn: track.camera.map_or(0, |(turn, _)| turn.0),
            muted: publisher.is_muted(track.info.source),
        };
        for shard in shards {
            self.tell(*shard, Message::TrackUp(Box::new(up.clone())));
        }
    }

    /// A track of here came up or was negotiated anew.
    pub(super) fn tell_others_of_track(&mut self, index: u32) {
        let others = self.tracks.get(index).and_then(|track| self.rooms.get(track.room));
        let others = others.map(|room| room.others.clone()).unwrap_or_default();
        self.tell_track(index, &others);
    }

    /// Tells the other shards of a room something about a peer of here.
    pub(super) fn tell_others(&mut self, key: u32, message: &Message) {
        let Some(peer) = self.peers.get(key).filter(|peer| peer.origin.is_none()) else { return };
        let others = self.rooms.get(peer.room).map(|room| room.others.clone()).unwrap_or_default();
        for shard in others {
            self.tell(shard, message.clone());
        }
    }

    /// The home tells who sits on the floor.
    pub(super) fn tell_floor(&mut self, room_index: u32) {
        let Some(room) = self.rooms.get(room_index) else { return };
        if room.home.is_some() || room.others.is_empty() {
            return;
        }
        let (id, others) = (room.id, room.others.clone());
        let seats = room.speakers.floor().map(|track| track.and_then(|track| self.name_of(track)));
        let dominant = room.speakers.dominant().and_then(|key| self.peers.get(key));
        let dominant = dominant.map(|peer| peer.id);
        for shard in others {
            self.tell(shard, Message::Floor { room: id, seats, dominant });
        }
    }

    /// The home tells a camera's new place in the order of speaking.
    pub(super) fn tell_turn(&mut self, index: u32) {
        let Some(track) = self.tracks.get(index) else { return };
        let Some(room) = self.rooms.get(track.room).filter(|room| room.home.is_none()) else {
            return;
        };
        let (Some((turn, _)), Some(name)) = (track.camera, self.name_of(index)) else { return };
        for shard in room.others.clone() {
            self.tell(shard, Message::Turn { track: name, turn: turn.0 });
        }
    }

    /// Where the home of a room is elsewhere, a level goes there. True when that is so.
    pub(super) fn level_goes_home(&mut self, index: u32, level: Option<AudioLevel>) -> bool {
        let Some(track) = self.tracks.get(index) else { return false };
        let Some(home) = self.rooms.get(track.room).and_then(|room| room.home) else {
            return false;
        };
        let audio = track.info.kind == MediaKind::Audio;
        if audio
            && self.is_ghost(track.publisher).is_none()
            && let Some(track) = self.name_of(index)
        {
            self.tell(home, Message::Level { track, level });
        }
        true
    }

    /// Somebody here receives a track of elsewhere, or nobody any more.
    pub(super) fn note_demand(&mut self, index: u32) {
        let Some(track) = self.tracks.get_mut(index) else { return };
        let wanted = !track.subscribers.is_empty();
        if track.demanded == wanted {
            return;
        }
        let Some(shard) = self.peers.get(track.publisher).and_then(|peer| peer.origin) else {
            return;
        };
        track.demanded = wanted;
        if let Some(track) = self.name_of(index) {
            self.tell(shard, Message::Demand { track, wanted });
        }
    }

    /// A ghost's key frame is asked for where the publisher is. True when it is a ghost.
    pub(super) fn key_frame_from_afar(&mut self, now: Instant, key: u32, p: u8, layer: u8) -> bool {
        let Some(shard) = self.is_ghost(key) else { return false };
        let Some(peer) = self.peers.get_mut(key) else { return true };
        let id = peer.id;
        let entry = peer.publications.get_mut(usize::from(p)).and_then(|p| p.layer(layer));
        let Some(entry) = entry.filter(|entry| entry.key_frame_wanted) else { return true };
        let recent = entry
            .last_key_frame_request
            .is_some_and(|at| now.saturating_duration_since(at) < limits::KEY_FRAME_INTERVAL);
        if !recent {
            entry.last_key_frame_request = Some(now);
            let track = TrackName { peer: id, publication: p };
            self.tell(shard, Message::KeyFrame { track, layer });
        }
        if let Some(peer) = self.peers.get_mut(key) {
            let at = now.checked_add(limits::KEY_FRAME_INTERVAL);
            peer.timers.key_frame = peer.timers.key_frame.or(at);
        }
        self.reschedule(key);
        true
    }

    /// A publisher's sender report goes wherever its tracks go.
    pub(super) fn report_crosses(&mut self, key: u32, ssrc: u32, ntp: u64, rtp: u32) {
        let Some(peer) = self.peers.get(key).filter(|peer| peer.origin.is_none()) else { return };
        let id = peer.id;
        let holds = |p: &&Publication| {
            let mut streams = p.layers.iter().filter_map(|layer| layer.stream.as_ref());
            streams.any(|stream| stream.ssrc == ssrc)
        };
        let track = peer.publications.iter().find(holds).and_then(|p| self.tracks.get(p.track?));
        let shards: Vec<ShardId> =
            track.map(|t| t.remotes.iter().map(|r| r.shard).collect()).unwrap_or_default();
        for shard in shards {
            self.tell(shard, Message::SenderReport { peer: id, ssrc, ntp, rtp });
        }
    }

    /// A packet goes to every shard that wants its track, once.
    pub(super) fn cross(&mut self, index: u32, packet: PacketRef, admitted: &Admitted) {
        let count = self.tracks.get(index).map_or(0, |track| track.remotes.len());
        for position in 0..count {
            let remote = self.tracks.get(index).and_then(|track| track.remotes.get(position));
            let Some(remote) = remote.copied() else { return };
            self.cross_to(index, position, remote, packet, admitted);
        }
    }

    fn cross_to(
        &mut self,
        index: u32,
        position: usize,
        remote: Remote,
        packet: PacketRef,
        admitted: &Admitted,
    ) -> Option<()> {
        let layer = usize::from(admitted.layer).min(limits::LAYERS.saturating_sub(1));
        let place = usize::from(remote.shard.0);
        let full = self.border.get(place).is_some_and(|b| b.byte_len() >= limits::BORDER_BYTES);
        // Whole frames go or stay: what lacks a packet helps nobody.
        let start = admitted.meta.facts.frame_start;
        let was = remote.skips.get(layer).copied().unwrap_or(false);
        let skips = full || (was && !start);
        if skips != was
            && let Some(remote) =
                self.tracks.get_mut(index).and_then(|track| track.remotes.get_mut(position))
            && let Some(entry) = remote.skips.get_mut(layer)
        {
            *entry = skips;
        }
        let track = self.tracks.get(index)?;
        let (publisher, p) = (track.publisher, track.publication);
        if skips {
            self.counters.dropped(DropReason::BorderFull);
            if !was && track.info.kind == MediaKind::Video {
                self.want_key_frame(publisher, p, admitted.layer);
            }
            return None;
        }
        let name = self.name_of(index)?;
        let stream = self.peers.get(publisher)?.publications.get(usize::from(p))?;
        let ssrc = stream.layers.get(usize::from(admitted.layer))?.stream.as_ref()?.ssrc;
        self.tell(
            remote.shard,
            Message::Packet { track: name, layer: admitted.layer, ssrc, len: 0 },
        );
        let batch = self.border.get_mut(place)?;
        let len = write_plain(&mut batch.bytes, self.pool.bytes(packet), admitted, ssrc);
        match (batch.messages.last_mut(), len) {
            (Some(Message::Packet { len: field, .. }), Some(len)) => *field = len,
            _ => {
                batch.messages.pop();
            }
        }
        bump(&mut self.counters.crossed);
        Some(())
    }

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
                Message::Demand { track, wanted } => self.on_demand(from, *track, *wanted),
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

    fn on_demand(&mut self, from: ShardId, name: TrackName, wanted: bool) {
        let Some(index) = self.named(name) else { return };
        let Some(track) = self.tracks.get_mut(index) else { return };
        track.remotes.retain(|remote| remote.shard != from);
        if !wanted {
            // Nobody in particular: a look at what is still wanted.
            self.seated.push((index, Subscriber { peer: u32::MAX, slot: 0 }));
            return;
        }
        track.remotes.push(Remote { shard: from, skips: [false; limits::LAYERS] });
        if track.info.kind != MediaKind::Video {
            return;
        }
        // Which of its layers is wanted there shows once they are there.
        let (publisher, publication) = (track.publisher, track.publication);
        self.want_all_layers(index);
        for layer in (0..limits::LAYERS).filter_map(|layer| u8::try_from(layer).ok()) {
            self.want_key_frame(publisher, publication, layer);
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

    /// The dominant speaker here, known or told.
    pub(super) fn dominant_of(&self, room: &Room) -> Option<u32> {
        match room.home {
            None => room.speakers.dominant(),
            Some(_) => self.peer_ids.get(&room.far_dominant?).copied(),
        }
    }

    /// Tracks on the floor here, known or told.
    pub(super) fn floor_of(&self, room: &Room) -> [Option<u32>; crate::speakers::SEATS] {
        match room.home {
            None => room.speakers.floor(),
            Some(_) => room.far_floor.map(|name| self.named(name?)),
        }
    }
}

/// Appends an admitted packet as its publisher first sent it: with its own SSRC and number though it
/// may have come as RTX, and without padding. Gives its length.
fn write_plain(out: &mut Vec<u8>, bytes: &[u8], admitted: &Admitted, ssrc: u32) -> Option<u16> {
    let meta = &admitted.meta;
    let header_len = parse_header(bytes).ok()?.header_len;
    let start = out.len();
    out.extend_from_slice(bytes.get(..header_len)?);
    let header = out.get_mut(start..)?;
    set_padding_bit(header, false);
    let second = header.get_mut(1)?;
    *second = (*second & 0x80) | meta.payload_type;
    header.get_mut(2..4)?.copy_from_slice(&(meta.seq as u16).to_be_bytes());
    header.get_mut(8..12)?.copy_from_slice(&ssrc.to_be_bytes());
    out.extend_from_slice(bytes.get(meta.payload())?);
    u16::try_from(out.len().saturating_sub(start)).ok()
}
