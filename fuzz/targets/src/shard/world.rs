//! The shard, the people around it, and what must hold between them.

use super::guest::{Guest, Receiving, WILD, read_mark};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use weir_session::Certificate;
use weir_sfu::{Clock, Input, Output, Seed, Shard, ShardConfig};
use weir_sfu_api::{
    Command, Event, MediaKind, PeerId, Reply, ReplyBody, RequestId, Rights, RoomId, ShardId,
    SlotPolicy, SlotState, SourceKind, View,
};
use weir_wire::rtp::RtpPacket;
use weir_wire::{DatagramKind, classify, rtcp, rtp};

/// Most people of one run, those who left included.
const GUESTS: usize = 10;
/// Audio is with its receivers after this time.
const SOON: Duration = Duration::from_millis(200);

/// A content that somebody must get.
struct Due {
    receiver: usize,
    content: (usize, usize, u32),
    at: Instant,
}

pub(super) struct World {
    pub(super) guests: Vec<Guest>,
    shard: Shard,
    base: Instant,
    now: Instant,
    deadline: Option<Instant>,
    due: Vec<Due>,
    request: u64,
    answer: Option<Reply>,
}

/// One for all runs: a key costs more than a run.
fn certificate() -> Certificate {
    static ONE: OnceLock<Certificate> = OnceLock::new();
    ONE.get_or_init(|| Certificate::generate().expect("a certificate")).clone()
}

/// Who sits in the slot that `slot` is.
fn seated<'a>(told: &'a [SlotState], slot: &Receiving) -> Option<&'a SlotState> {
    told.iter().find(|state| state.mid == slot.mid && state.track.is_some())
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let base = crate::start();
        let shard = Shard::new(ShardConfig {
            id: ShardId(0),
            seed: Seed { public: seed, secret: [seed as u8; 32] },
            certificate: certificate(),
            candidates: vec![SocketAddr::from(([203, 0, 113, 1], 3_478))],
            clock: Clock::new(base, Duration::from_secs(1_700_000_000)),
        });
        Self {
            guests: Vec::new(),
            shard,
            base,
            now: base,
            deadline: None,
            due: Vec::new(),
            request: 0,
            answer: None,
        }
    }

    pub(super) fn join(&mut self, room: u64, policy: SlotPolicy, rights: Rights) {
        if self.guests.len() == GUESTS {
            return;
        }
        let guest = Guest::new(self.guests.len(), room, policy, rights);
        let (who, peer, room) = (guest.number, guest.id, guest.room);
        self.guests.push(guest);
        self.request += 1;
        let req = RequestId(self.request);
        self.command(Command::Join { req, peer, room, rights, slots: policy });
        self.offer(who);
        let guest = &mut self.guests[who];
        guest.keyed = true;
        let (addr, keys) = (guest.addr, guest.server_keys());
        assert!(self.shard.key_peer(self.now, peer, addr, keys));
        self.drain();
    }

    pub(super) fn offer(&mut self, who: usize) {
        let guest = &self.guests[who];
        if !guest.here {
            return;
        }
        let (peer, description) = (guest.id, Box::new(guest.description()));
        let sections = description.sections.clone();
        self.request += 1;
        let req = RequestId(self.request);
        // Who takes a track out gets nothing more from it, and others neither.
        self.due.clear();
        self.command(Command::Offer { req, peer, description });
        let reply = self.answer.take().expect("each request is answered");
        assert_eq!(reply.req, req);
        let Ok(ReplyBody::Answer { media, .. }) = reply.result else {
            panic!("{:?}", reply.result);
        };
        assert_eq!(media.sections.len(), sections.len());
        let guest = &mut self.guests[who];
        for (section, answer) in sections.iter().zip(&media.sections) {
            assert_eq!(
                (section.mid, section.direction.receives()),
                (answer.mid, answer.ssrcs.is_some())
            );
            let Some(group) = answer.ssrcs else { continue };
            match guest.slots.iter().find(|slot| slot.mid == section.mid) {
                Some(known) => assert_eq!((known.ssrc, known.rtx), (group.media, group.rtx)),
                None => guest.slots.push(Receiving {
                    mid: section.mid,
                    kind: section.kind,
                    ssrc: group.media,
                    rtx: group.rtx,
                    last_seq: None,
                }),
            }
        }
    }

    pub(super) fn leave(&mut self, who: usize) {
        let peer = self.guests[who].id;
        self.command(Command::Leave { peer });
        assert!(!self.guests[who].here, "who leaves is gone");
    }

    pub(super) fn close_room(&mut self, room: u64) {
        self.command(Command::CloseRoom { room: RoomId(room) });
        assert!(self.guests.iter().all(|guest| !guest.here || guest.room != RoomId(room)));
    }

    pub(super) fn set_rights(&mut self, who: usize, rights: Rights) {
        let guest = &mut self.guests[who];
        guest.rights = rights;
        let peer = guest.id;
        self.due.clear();
        self.command(Command::SetRights { peer, rights });
    }

    pub(super) fn mute(&mut self, who: usize, source: SourceKind, muted: bool) {
        let peer = self.guests[who].id;
        self.command(Command::SetMuted { peer, source, muted });
    }

    pub(super) fn view(&mut self, who: usize, view: View) {
        let guest = &mut self.guests[who];
        if guest.policy == SlotPolicy::JoinOrder {
            guest.policy = SlotPolicy::Speakers;
        }
        let peer = guest.id;
        self.command(Command::SetView { peer, view: Box::new(view) });
    }

    pub(super) fn publish(&mut self, who: usize, index: usize, key: bool) {
        let timestamp = (self.now - self.base).as_millis() as u32 * 90;
        let guest = &mut self.guests[who];
        let (counter, data) = guest.packet(index, key, timestamp);
        let track = &guest.tracks[index];
        let allowed = guest.here && guest.may_publish(track.source) && !track.stopped;
        let expected = allowed && !track.wild && track.kind() == MediaKind::Audio;
        let (id, mid, room, src) = (guest.id, track.mid, guest.room, guest.addr);
        guest.tracks[index].allowed.push(allowed);
        let has = |guest: &Guest| {
            guest.here
                && guest.rights.subscribe
                && guest.told.iter().any(|state| {
                    let track = state.track.as_ref();
                    track.is_some_and(|track| (track.peer, track.mid) == (id, mid))
                })
        };
        let sits: Vec<usize> =
            self.guests.iter().filter(|guest| has(guest)).map(|guest| guest.number).collect();
        self.datagram(src, &data);
        assert!(sits.iter().all(|one| self.guests[*one].room == room && *one != who));
        let content = (who, index, counter);
        for receiver in sits {
            let guest = &self.guests[receiver];
            if expected && has(guest) && !guest.received.contains(&content) {
                self.due.push(Due { receiver, content, at: self.now + SOON });
            }
        }
    }

    pub(super) fn publish_all(&mut self, key: bool) {
        for who in 0..self.guests.len() {
            for index in 0..self.guests[who].tracks.len() {
                self.publish(who, index, key);
            }
        }
    }

    pub(super) fn ask_key_frames(&mut self, who: usize) {
        let mut out = Vec::new();
        rtcp::write_receiver_report(&mut out, 9, &[]);
        for slot in &self.guests[who].slots {
            rtcp::write_pli(&mut out, 9, slot.ssrc);
        }
        self.rtcp(who, &out);
    }

    pub(super) fn ask_again(&mut self, who: usize, argument: u8) {
        let mut out = Vec::new();
        rtcp::write_receiver_report(&mut out, 9, &[]);
        for slot in &self.guests[who].slots {
            let last = slot.last_seq.unwrap_or(0).wrapping_sub(u16::from(argument >> 4));
            let numbers: Vec<u16> =
                (0..u16::from(argument & 15)).map(|n| last.wrapping_add(n)).collect();
            rtcp::write_nack(&mut out, 9, slot.ssrc, &numbers);
        }
        self.rtcp(who, &out);
    }

    /// Bytes of nobody, or of somebody's address.
    pub(super) fn throw(&mut self, who: Option<usize>, data: &[u8]) {
        let stranger = SocketAddr::from(([192, 0, 2, 9], 9));
        self.datagram(who.map_or(stranger, |who| self.guests[who].addr), data);
    }

    pub(super) fn throw_sealed(&mut self, who: usize, data: &[u8]) {
        let guest = &mut self.guests[who];
        let src = guest.addr;
        if let Some(data) = guest.wild(data) {
            self.due.retain(|due| due.content.0 != who);
            self.datagram(src, &data);
        }
    }

    pub(super) fn throw_rtcp(&mut self, who: usize, data: &[u8]) {
        if data.len() >= 8 {
            self.rtcp(who, data);
        }
    }

    fn rtcp(&mut self, who: usize, compound: &[u8]) {
        let guest = &mut self.guests[who];
        let mut out = vec![0; compound.len() + 64];
        if let Some(len) = guest.srtp.seal_rtcp(compound, &mut out) {
            let src = guest.addr;
            self.datagram(src, &out[..len]);
        }
    }

    fn command(&mut self, command: Command) {
        self.shard.handle_input(self.now, Input::Command(command));
        self.drain();
    }

    fn datagram(&mut self, src: SocketAddr, data: &[u8]) {
        self.shard.handle_input(self.now, Input::Datagram { src, dst: None, data });
        self.shard.handle_input(self.now, Input::BatchEnd);
        self.drain();
    }

    /// Lets milliseconds pass.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        let mut standing = 0;
        while let Some(at) = self.deadline.filter(|at| *at <= end) {
            standing = if at > self.now { 0 } else { standing + 1 };
            assert!(standing < 1_000, "time stands still");
            self.now = self.now.max(at);
            self.shard.handle_input(self.now, Input::Timeout);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        for guest in &mut self.guests {
            guest.told_before.clone_from(&guest.told);
        }
        let mut sent = Vec::new();
        loop {
            loop {
                match self.shard.poll_output() {
                    Output::Event(event) => self.on_event(event),
                    Output::Timeout(next) => {
                        self.deadline = next.map(|(at, _)| at);
                        break;
                    }
                    #[allow(unreachable_patterns, reason = "kinds of output may be added")]
                    _ => {}
                }
            }
            self.shard.send_trains(|trains| {
                for train in trains.trains() {
                    sent.extend(trains.datagrams(train).map(|data| (train.dst, data.to_vec())));
                }
            });
            if !self.shard.wants_flush() {
                break;
            }
            self.shard.handle_input(self.now, Input::BatchEnd);
        }
        for (dst, data) in sent {
            self.deliver(dst, &data);
        }
    }

    fn guest(&mut self, id: PeerId) -> &mut Guest {
        self.guests.iter_mut().find(|guest| guest.id == id).expect("events are about people here")
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Reply(reply) => self.answer = Some(reply),
            Event::Slots { peer, slots } => {
                let guest = self.guest(peer);
                assert!(guest.here);
                let (number, room) = (guest.number, guest.room);
                let subscribes = guest.rights.subscribe;
                guest.told.clone_from(&slots);
                self.due.retain(|due| due.receiver != number);
                for track in slots.iter().filter_map(|slot| slot.track.as_ref()) {
                    assert!(subscribes && track.peer != peer, "nobody sits opposite themselves");
                    let other = self.guest(track.peer);
                    assert!(other.here && other.room == room && other.may_publish(track.source));
                }
            }
            Event::Gone { peer, .. } => {
                let guest = self.guest(peer);
                assert!(guest.here, "one goes once");
                guest.here = false;
                guest.told.clear();
                let number = guest.number;
                self.due.retain(|due| due.receiver != number && due.content.0 != number);
            }
            _ => {}
        }
    }

    fn deliver(&mut self, dst: SocketAddr, data: &[u8]) {
        let Some(who) = self.guests.iter().position(|guest| guest.addr == dst) else { return };
        match classify(data) {
            DatagramKind::Rtp => self.on_rtp(who, data),
            DatagramKind::Rtcp => {
                let guest = &mut self.guests[who];
                assert!(guest.here && guest.keyed, "who left is told nothing");
                let mut plain = vec![0; data.len()];
                let len = guest.srtp.open_rtcp(data, &mut plain).expect("authentic");
                assert!(rtcp::packets(&plain[..len]).all(|packet| packet.is_ok()));
            }
            _ => {}
        }
    }

    fn on_rtp(&mut self, who: usize, data: &[u8]) {
        let guest = &mut self.guests[who];
        assert!(guest.here && guest.keyed && guest.rights.subscribe, "only who may, receives");
        let header = rtp::parse_header(data).expect("RTP");
        let mut plain = vec![0; data.len()];
        let (ssrc, seq) = (header.ssrc, header.sequence_number);
        let opened = guest.srtp.open_rtp(ssrc, seq, header.header_len, data, &mut plain);
        let len = opened.expect("authentic, and each number once").len;
        let packet = RtpPacket::parse(&plain[..len]).expect("RTP");
        let slot = guest
            .slots
            .iter_mut()
            .find(|slot| slot.ssrc == ssrc || slot.rtx == Some(ssrc))
            .expect("in a slot that was answered");
        let media = slot.ssrc == ssrc;
        if media {
            slot.last_seq = Some(seq);
        }
        // Padding alone holds a number or probes for bandwidth.
        if packet.payload().is_empty() {
            return;
        }
        let content = read_mark(packet.payload()).expect("somebody sent it");
        let (publisher, index, counter) = content;
        let told = |told: &[SlotState], slot: &Receiving, id: PeerId, mid| {
            let track = seated(told, slot).and_then(|state| state.track.clone());
            track.is_some_and(|track| (track.peer, track.mid) == (id, mid))
        };
        let guest = &self.guests[who];
        let from = &self.guests[publisher];
        let track = &from.tracks[index];
        assert!(publisher != who, "nobody hears themselves");
        assert!(from.here && from.room == guest.room, "from somebody in the room");
        assert!(from.may_publish(track.source), "who may be seen");
        assert!(counter == WILD || track.allowed[counter as usize], "sent while that was allowed");
        if media {
            let slot = guest.slots.iter().find(|slot| slot.ssrc == ssrc).expect("found before");
            assert_eq!(slot.kind, track.kind());
            assert!(
                told(&guest.told, slot, from.id, track.mid)
                    || told(&guest.told_before, slot, from.id, track.mid),
                "who is told to sit in {} is who sends there: {content:?} {:?}",
                slot.mid,
                guest.told
            );
            let new = self.guests[who].received.insert(content) || counter == WILD;
            assert!(new, "{content:?} came twice");
            self.due.retain(|due| (due.receiver, due.content) != (who, content));
        }
    }

    /// After each operation.
    pub(super) fn check(&self) {
        for due in &self.due {
            assert!(due.at > self.now, "peer {} missed {:?}", due.receiver, due.content);
        }
        let peers = self.guests.iter().filter(|guest| guest.here).count();
        assert_eq!(self.shard.population().0, peers);
    }

    /// With all rights and all sources on, everybody gets what they have room for.
    pub(super) fn settle(&mut self) {
        for who in 0..self.guests.len() {
            self.guests[who].tracks.iter_mut().for_each(|track| track.stopped = false);
            self.offer(who);
            self.set_rights(who, Rights::ALL);
        }
        for round in 0..8 {
            self.pass(400);
            if round == 4 {
                self.guests.iter_mut().for_each(|guest| guest.received.clear());
            }
            if round == 6 {
                self.guests.iter_mut().for_each(|guest| guest.steady.clone_from(&guest.told));
            }
            self.publish_all(true);
            self.check();
        }
        for guest in self.guests.iter().filter(|guest| guest.here) {
            for kind in [MediaKind::Audio, MediaKind::Video] {
                self.served(guest, kind);
            }
        }
    }

    fn served(&self, guest: &Guest, kind: MediaKind) {
        let slots = if kind == MediaKind::Audio { guest.audio_slots } else { guest.video_slots };
        let mut others = 0;
        let others_here = self.guests.iter().filter(|other| other.here && other.room == guest.room);
        for other in others_here.filter(|other| other.id != guest.id) {
            for (index, track) in other.tracks.iter().enumerate() {
                if track.kind() != kind || track.wild {
                    continue;
                }
                others += 1;
                let sits = |told: &[SlotState]| {
                    let mut seated = told.iter().filter_map(|state| state.track.as_ref());
                    seated.any(|info| (info.peer, info.mid) == (other.id, track.mid))
                };
                // Speakers take turns; who sat for the last rounds was sent.
                let sits = sits(&guest.told) && sits(&guest.steady);
                let all = (other.number, index, 0)..=(other.number, index, WILD);
                let got = guest.received.range(all).count();
                assert!(
                    !sits || got >= 1,
                    "peer {} has {} of {} in a slot and got {got}",
                    guest.id,
                    track.mid,
                    other.id
                );
            }
        }
        if guest.policy == SlotPolicy::JoinOrder {
            let seated =
                guest.told.iter().filter(|state| state.kind == kind && state.track.is_some());
            let seated = seated.count();
            assert!(seated >= others.min(slots), "{kind:?}: {seated} of {others} in {slots} slots");
        }
    }

    /// All go; nothing is left.
    pub(super) fn finish(mut self) {
        for who in 0..self.guests.len() {
            self.leave(who);
        }
        self.pass(2_000);
        assert_eq!(self.shard.packets_in_use(), 0, "packets");
        assert_eq!(self.shard.population(), (0, 0, 0), "peers, rooms, tracks");
        assert_eq!(self.shard.known_addresses(), 0, "addresses");
    }
}
