//! Rooms on several shards: what is told to the others, and what they tell. See `crate::border`.

use super::Shard;
use super::demand::bit;
use crate::border::{Batch, Message, TrackName, TrackUp};
use crate::counters::{DropReason, bump};
use crate::ingress::admit::Admitted;
use crate::ingress::publication::Publication;
use crate::limits;
use crate::pool::PacketRef;
use crate::room::{Remote, Room};
use std::time::Instant;
use weir_sfu_api::{MediaKind, RoomId, ShardId};
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

    /// Tells the publisher's shard which layers of a ghost's track are wanted here: all until receivers
    /// chose. What nobody shows any more ends at once if it is audio; of video, see
    /// [`Self::on_demand_timer`].
    pub(super) fn note_demand(&mut self, index: u32) {
        let Some(track) = self.tracks.get(index) else { return };
        let Some(shard) = self.is_ghost(track.publisher) else { return };
        let idle = track.subscribers.is_empty();
        let layers = match track.info.kind {
            _ if idle && track.demanded == 0 => 0,
            MediaKind::Audio => u8::from(!idle),
            MediaKind::Video => self.demanded_layers(track),
        };
        if track.demanded == layers {
            return;
        }
        let Some(name) = self.name_of(index) else { return };
        if let Some(track) = self.tracks.get_mut(index) {
            track.demanded = layers;
        }
        self.tell(shard, Message::Demand { track: name, layers });
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
    pub(super) fn cross(
        &mut self,
        now: Instant,
        index: u32,
        packet: PacketRef,
        admitted: &Admitted,
    ) {
        self.keep_last(now, index, packet);
        let count = self.tracks.get(index).map_or(0, |track| track.remotes.len());
        for position in 0..count {
            let remote = self.tracks.get(index).and_then(|track| track.remotes.get(position));
            let Some(remote) = remote.copied() else { return };
            self.cross_to(index, position, remote, packet, admitted);
        }
    }

    fn keep_last(&mut self, now: Instant, index: u32, packet: PacketRef) {
        let Some(track) = self.tracks.get_mut(index) else { return };
        let here = self.peers.get(track.publisher).is_some_and(|peer| peer.origin.is_none());
        let several = self.rooms.get(track.room).is_some_and(|room| !room.others.is_empty());
        if track.info.kind != MediaKind::Audio || !here || !several {
            return;
        }
        self.pool.hold(packet);
        if let Some((old, _)) = track.last.replace((packet, now)) {
            self.pool.release(old);
        }
    }

    /// The last packet of an audio track and how it was admitted, if it is fresh.
    pub(super) fn last_of(&self, now: Instant, index: u32) -> Option<(PacketRef, Admitted)> {
        let track = self.tracks.get(index)?;
        let (packet, at) = track.last?;
        let fresh = now.saturating_duration_since(at) < limits::LAST_AUDIO;
        fresh.then(|| {
            let admitted = Admitted {
                publication: track.publication,
                layer: 0,
                meta: self.pool.meta(packet),
                audio_level: None,
                broken: false,
                feedback_full: false,
            };
            (packet, admitted)
        })
    }

    /// The home's word that a track of here is heard comes after the packet that led to it: who was
    /// given no packet of it yet gets that one.
    pub(super) fn catch_up(&mut self, now: Instant, index: u32) {
        let Some((packet, admitted)) = self.last_of(now, index) else { return };
        let Some(track) = self.tracks.get(index) else { return };
        let (publisher, subscribers) = (track.publisher, track.subscribers.clone());
        let offered = self
            .peers
            .get_mut(publisher)
            .and_then(|peer| peer.publications.get_mut(usize::from(admitted.publication)))
            .map(|publication| publication.offered(0));
        let Some(offered) = offered else { return };
        for to in subscribers {
            let current = self.slot_mut(to).and_then(|slot| slot.rewriter.current());
            if current != Some(admitted.meta.stream) {
                self.offer_packet(now, publisher, packet, &admitted, &offered, to);
            }
        }
    }

    pub(super) fn cross_to(
        &mut self,
        index: u32,
        position: usize,
        remote: Remote,
        packet: PacketRef,
        admitted: &Admitted,
    ) -> Option<()> {
        if remote.wanted & bit(admitted.layer) == 0 {
            return None;
        }
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
