//! A shard: one thread's worth of peers as pure state. Read [`Shard::way_in`] and
//! [`Shard::way_out`] and you know the server.

mod border;
mod control;
pub(crate) mod demand;
mod describe;
mod feedback;
mod ghosts;
#[cfg(feature = "sim")]
mod keyed;
mod levels;
mod outbox;
mod seating;
mod share;
mod slots;
mod tick;

#[cfg(feature = "sim")]
pub use keyed::ForcedWish;

use crate::allocate::Claim;
use crate::border::Batch;
use crate::clock::Clock;
use crate::counters::{Counters, DropReason, LateReason, add, bump};
use crate::egress::queue::Item;
use crate::egress::reports;
use crate::egress::train::{self, Exit, Layout};
use crate::ingress::admit::{self, Admitted, Refused};
use crate::limits;
use crate::peer::Peer;
use crate::pool::{PacketRef, Pool};
use crate::room::{Room, Subscriber, Track};
use crate::select::{self, Decision, Level, Offered};
use crate::slab::Slab;
use crate::slot::Outgoing;
use foldhash::fast::FixedState;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use weir_session::demux::Demux;
use weir_session::{Certificate, SrtpError};
use weir_sfu_api::{Command, Event, PeerId, RoomId, ShardId};
use weir_wire::classify::{DatagramKind, classify};
use weir_wire::rtcp::ReportBlock;
use weir_wire::rtp::parse_header;
use weir_wire::train::TrainBuf;

/// Randomness in two streams: what shows on the wire, and what must stay secret.
#[derive(Clone)]
pub struct Seed {
    /// For SSRCs, sequence numbers and hash tables.
    pub public: u64,
    /// For ICE credentials.
    pub secret: [u8; 32],
}

/// What a shard is given at its start.
pub struct ShardConfig {
    /// Its number.
    pub id: ShardId,
    /// Randomness.
    pub seed: Seed,
    /// The server's DTLS certificate.
    pub certificate: Certificate,
    /// Where clients reach the shard's socket.
    pub candidates: Vec<SocketAddr>,
    /// Ties `Instant`s to wall time.
    pub clock: Clock,
}

/// Something for the shard to handle.
pub enum Input<'a> {
    /// A datagram that came in at `dst`.
    Datagram {
        /// Sender.
        src: SocketAddr,
        /// The local address it was sent to.
        dst: Option<IpAddr>,
        /// Its payload.
        data: &'a [u8],
    },
    /// From the control plane.
    Command(Command),
    /// What another shard says, see [`Shard::send_border`].
    Border {
        /// Which.
        from: ShardId,
        /// What it says.
        batch: &'a Batch,
    },
    /// The receive batch is over: what waits for receivers leaves now.
    BatchEnd,
    /// A deadline of [`Output::Timeout`] has come.
    Timeout,
}

/// What the shard wants.
#[derive(Debug)]
pub enum Output {
    /// For the control plane.
    Event(Event),
    /// Nothing more: wake me then (and say why), or with the next input.
    Timeout(Option<(Instant, &'static str)>),
}

/// A peer that left a moment ago, whose last datagrams are still on the way.
struct Departed {
    /// Where it was, if it ever was.
    addr: Option<SocketAddr>,
    /// What its checks name.
    ufrag: String,
    at: Instant,
}

/// One thread's worth of peers.
pub struct Shard {
    config: ShardConfig,
    pool: Pool,
    peers: Slab<Peer>,
    peer_ids: HashMap<PeerId, u32, FixedState>,
    rooms: Slab<Room>,
    room_ids: HashMap<RoomId, u32, FixedState>,
    tracks: Slab<Track>,
    demux: Demux,
    timers: BinaryHeap<Reverse<(Instant, u32)>>,
    /// Peers whose queue is not empty.
    dirty: Vec<u32>,
    /// Peers whose slots changed and who have not been told.
    changed: Vec<u32>,
    /// Layers of which somebody wants a key frame: peer, publication, layer.
    key_frames: Vec<(u32, u8, u8)>,
    handshakes: VecDeque<(SocketAddr, Vec<u8>)>,
    /// At most [`limits::DEPARTED`].
    departed: VecDeque<Departed>,
    handshakes_done: usize,
    out: TrainBuf,
    layout: Box<Layout>,
    /// What waits for other shards, by their number.
    border: Vec<Batch>,
    events: VecDeque<Event>,
    counters: Counters,
    public: StdRng,
    secret: StdRng,
    next_uid: u32,
    next_track: u64,
    rtcp_in: Vec<u8>,
    rtcp_out: Vec<u8>,
    nacks: Vec<u16>,
    claims: Vec<Claim>,
    /// Slots that were filled or emptied: track and receiver.
    seated: Vec<(u32, Subscriber)>,
    blocks: Vec<ReportBlock>,
    next_stats: Option<Instant>,
    #[cfg(debug_assertions)]
    drained: bool,
}

impl Shard {
    /// An empty shard.
    #[must_use]
    pub fn new(config: ShardConfig) -> Self {
        let hash = || FixedState::with_seed(config.seed.public);
        Self {
            pool: Pool::new(),
            peers: Slab::default(),
            peer_ids: HashMap::with_hasher(hash()),
            rooms: Slab::default(),
            room_ids: HashMap::with_hasher(hash()),
            tracks: Slab::default(),
            demux: Demux::new(config.seed.public),
            timers: BinaryHeap::new(),
            dirty: Vec::new(),
            changed: Vec::new(),
            key_frames: Vec::new(),
            handshakes: VecDeque::new(),
            departed: VecDeque::new(),
            handshakes_done: 0,
            out: TrainBuf::default(),
            layout: Box::default(),
            border: Vec::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            public: StdRng::seed_from_u64(config.seed.public),
            secret: StdRng::from_seed(config.seed.secret),
            next_uid: 0,
            next_track: 0,
            rtcp_in: vec![0; limits::PACKET_BYTES],
            rtcp_out: Vec::with_capacity(limits::PACKET_BYTES),
            nacks: Vec::with_capacity(limits::MISSING),
            claims: Vec::new(),
            seated: Vec::new(),
            blocks: Vec::new(),
            next_stats: None,
            #[cfg(debug_assertions)]
            drained: true,
            config,
        }
    }

    /// Takes one input. Except within a batch of datagrams, [`Self::poll_output`] must be drained
    /// to its `Timeout` before the next: one mutation, then drain.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        #[cfg(debug_assertions)]
        {
            let batch = matches!(input, Input::Datagram { .. } | Input::BatchEnd);
            debug_assert!(batch || self.drained, "poll_output was not drained");
            self.drained = false;
        }
        match input {
            Input::Datagram { src, dst, data } => self.way_in(now, src, dst, data),
            Input::Command(command) => {
                self.next_stats = self.next_stats.or(now.checked_add(limits::STATS_INTERVAL));
                self.on_command(now, command);
                self.way_out(now);
            }
            Input::Border { from, batch } => {
                self.on_border(now, from, batch);
                self.way_out(now);
            }
            Input::BatchEnd => {
                self.handshakes_done = 0;
                self.wait_over(now);
                self.way_out(now);
            }
            Input::Timeout => {
                self.on_timers(now);
                self.way_out(now);
            }
        }
    }

    /// Drains what the last inputs led to: events, and at last when to wake.
    pub fn poll_output(&mut self) -> Output {
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        #[cfg(debug_assertions)]
        {
            self.drained = true;
        }
        Output::Timeout(self.next_deadline())
    }

    /// Hands the trains that wait to `send` and forgets them.
    pub fn send_trains(&mut self, send: impl FnOnce(&mut TrainBuf)) {
        if self.out.is_empty() {
            return;
        }
        for train in self.out.trains() {
            add(&mut self.counters.datagrams_out, usize::from(train.count));
        }
        add(&mut self.counters.bytes_out, self.out.byte_len());
        send(&mut self.out);
        self.out.clear();
    }

    /// Whether more waits than fits one round of trains: send them, then give another
    /// [`Input::BatchEnd`].
    #[must_use]
    pub fn wants_flush(&self) -> bool {
        !self.dirty.is_empty() || !self.handshakes.is_empty()
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Packets held now, for leak checks.
    #[must_use]
    pub fn packets_in_use(&self) -> usize {
        self.pool.in_use()
    }

    /// Packets that wait for receivers' pacers, for leak checks.
    #[must_use]
    pub fn packets_waiting(&self) -> usize {
        self.peers.iter().map(|(_, peer)| peer.queue.len()).sum()
    }

    /// User name fragments and addresses known, for leak checks.
    #[must_use]
    pub fn known_addresses(&self) -> usize {
        self.demux.len()
    }

    /// Peers, rooms and tracks, for leak checks.
    #[must_use]
    pub fn population(&self) -> (usize, usize, usize) {
        (self.peers.len(), self.rooms.len(), self.tracks.len())
    }

    /// The way in: steps 2 (demux) to 5 (route).
    fn way_in(&mut self, now: Instant, src: SocketAddr, dst: Option<IpAddr>, data: &[u8]) {
        bump(&mut self.counters.datagrams_in);
        add(&mut self.counters.bytes_in, data.len());
        let kind = classify(data);
        if kind == DatagramKind::Stun {
            return self.on_stun(now, src, dst, data);
        }
        let Some(key) = self.demux.by_addr(&src) else {
            return self.on_stranger(now, src, None, DropReason::UnknownSource);
        };
        let result = match kind {
            DatagramKind::Rtp => self.on_rtp(now, key, data),
            DatagramKind::Rtcp => self.on_rtcp(now, key, data),
            DatagramKind::Dtls => {
                self.on_dtls(now, key, src, data);
                Ok(())
            }
            DatagramKind::Stun | DatagramKind::Unknown => Err(DropReason::Unclassified),
        };
        if let Err(reason) = result {
            self.counters.dropped(reason);
            tracing::trace!(shard = %self.config.id, peer = key, reason = reason.label(), "dropped");
        }
        self.reschedule(key);
    }

    /// A datagram of nobody known: a drop for this reason, unless its sender, or who it is for,
    /// just left.
    fn on_stranger(
        &mut self,
        now: Instant,
        src: SocketAddr,
        ufrag: Option<&str>,
        reason: DropReason,
    ) {
        let late = self.departed.iter().any(|departed| {
            (departed.addr == Some(src) || ufrag == Some(departed.ufrag.as_str()))
                && now.saturating_duration_since(departed.at) < limits::DEPARTED_FOR
        });
        if late {
            self.counters.late(LateReason::Departed);
        } else {
            self.counters.dropped(reason);
        }
    }

    /// Steps 3 (decrypt) to 7 (rewrite) of one RTP packet.
    fn on_rtp(&mut self, now: Instant, key: u32, data: &[u8]) -> Result<(), DropReason> {
        if data.len() > limits::PACKET_BYTES {
            return Err(DropReason::Oversized);
        }
        let header = parse_header(data).map_err(|_| DropReason::MalformedRtp)?;
        let packet = self.pool.take().ok_or(DropReason::PoolExhausted)?;
        let result = self
            .decrypt(key, data, &header, packet)
            .and_then(|len| self.ingress(now, key, packet, len))
            .map(|admitted| {
                if let Some(admitted) = admitted {
                    self.route(now, key, packet, &admitted);
                }
            });
        self.pool.release(packet);
        result
    }

    /// Step 3: opened from the datagram straight into the pool.
    fn decrypt(
        &mut self,
        key: u32,
        data: &[u8],
        header: &weir_wire::rtp::RtpHeader,
        packet: PacketRef,
    ) -> Result<usize, DropReason> {
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownSource)?;
        let transport = peer.transport.as_mut().ok_or(DropReason::UnknownSource)?;
        match transport.open_rtp(data, header, self.pool.bytes_mut(packet)) {
            Ok(opened) => {
                bump(&mut self.counters.rtp_in);
                bump(&mut peer.counters.packets_received);
                add(&mut peer.counters.bytes_received, opened.len);
                Ok(opened.len)
            }
            Err(SrtpError::Replayed) => Err(DropReason::Replayed),
            Err(_) => Err(DropReason::Unauthentic),
        }
    }

    /// Step 4: which track and layer, and what was lost?
    fn ingress(
        &mut self,
        now: Instant,
        key: u32,
        packet: PacketRef,
        len: usize,
    ) -> Result<Option<Admitted>, DropReason> {
        let now_us = self.config.clock.micros(now);
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownSource)?;
        let admitted =
            admit::admit(peer, &mut self.pool, packet, len, &mut self.next_uid, now, now_us);
        self.arm_feedback(now, key);
        let admitted = match admitted {
            Ok(Some(admitted)) => admitted,
            Ok(None) => return Ok(None),
            Err(Refused::Late(reason)) => {
                self.counters.late(reason);
                return Ok(None);
            }
            Err(Refused::Drop(reason)) => return Err(reason),
        };
        if admitted.broken {
            self.want_key_frame(key, admitted.publication, admitted.layer);
        }
        if admitted.feedback_full {
            self.send_transport_feedback(now, key);
        }
        Ok(Some(admitted))
    }

    /// Step 5: to everybody who wants it. Steps 6 and 7 for each of them.
    fn route(&mut self, now: Instant, key: u32, packet: PacketRef, admitted: &Admitted) {
        let Some(track_index) = self.track_for(now, key, admitted) else { return };
        // A ghost's levels come apart from its packets, and only to the room's home.
        if self.peers.get(key).is_some_and(|peer| peer.origin.is_none()) {
            self.note_level(now, track_index, admitted.audio_level);
        }
        let Some(publication) = self
            .peers
            .get_mut(key)
            .and_then(|peer| peer.publications.get_mut(usize::from(admitted.publication)))
        else {
            return;
        };
        let jumped = publication.look(now);
        let offered = publication.offered(admitted.layer);
        let count = self.tracks.get(track_index).map_or(0, |track| track.subscribers.len());
        let mut key_frame = false;
        for position in 0..count {
            let Some(subscriber) = self
                .tracks
                .get(track_index)
                .and_then(|track| track.subscribers.get(position).copied())
            else {
                break;
            };
            key_frame |= self.offer_packet(now, key, packet, admitted, &offered, subscriber);
        }
        self.cross(now, track_index, packet, admitted);
        if jumped {
            self.share_track(now, track_index);
        }
        if key_frame {
            self.want_key_frame(key, admitted.publication, admitted.layer);
        }
    }

    /// Steps 6 (select) and 7 (rewrite) for one receiver. True when it waits for a key frame.
    fn offer_packet(
        &mut self,
        now: Instant,
        publisher: u32,
        packet: PacketRef,
        admitted: &Admitted,
        offered: &Offered,
        subscriber: Subscriber,
    ) -> bool {
        let meta = &admitted.meta;
        let Some((outgoing, decision)) = self.choose(now, publisher, admitted, offered, subscriber)
        else {
            return false;
        };
        let ask = decision == Decision::ForwardAndAsk;
        match decision {
            Decision::Skip => return false,
            Decision::WantKeyFrame => return self.has_room(subscriber),
            Decision::Stop => {
                if let Some(slot) = self.slot_mut(subscriber) {
                    slot.rewriter.stop();
                }
                self.slots_changed(subscriber.peer);
                return false;
            }
            Decision::Switch(level) => {
                let aligned = self.aligned_time(publisher, admitted, subscriber);
                if let Some(slot) = self.slot_mut(subscriber) {
                    slot.rewriter.switch(meta, level, aligned, now);
                }
                self.slots_changed(subscriber.peer);
            }
            Decision::Forward | Decision::ForwardAndAsk => {}
        }
        let Some(receiver) = self.peers.get_mut(subscriber.peer) else { return ask };
        let Some(slot) = receiver.slots.get_mut(usize::from(subscriber.slot)) else { return ask };
        let Some(mut mapped) = slot.rewriter.map(meta, now) else { return ask };
        if meta.facts.decode_targets > 0 && mapped.level != Level::FULL {
            let at = (publisher, admitted.publication);
            mapped.active_targets = self.active_targets(at, meta.stream, mapped.level);
        }
        let slot = subscriber.slot;
        let bytes = meta.payload_len;
        let item = Item { slot, packet, outgoing, mapped, resend: false, bytes, turn: 0 };
        self.enqueue(subscriber.peer, item);
        ask
    }

    /// Which decode targets of a stream a receiver at `level` can still have.
    pub(super) fn active_targets(
        &self,
        (publisher, publication): (u32, u8),
        stream: u32,
        level: Level,
    ) -> Option<u32> {
        let publication = self.peers.get(publisher)?.publications.get(usize::from(publication))?;
        let mut streams = publication.layers.iter().filter_map(|layer| layer.stream.as_ref());
        let stream = streams.find(|known| known.uid == stream)?;
        Some(stream.structures.current()?.targets_of(level))
    }

    /// Whether the receiver can have the packet at all, and whether it gets it now. `None` when it
    /// receives nothing or has no codec for it.
    fn choose(
        &mut self,
        now: Instant,
        publisher: u32,
        admitted: &Admitted,
        offered: &Offered,
        subscriber: Subscriber,
    ) -> Option<(Outgoing, Decision)> {
        let (sender, receiver) = self.peers.get_pair_mut(publisher, subscriber.peer)?;
        if !receiver.receives() {
            return None;
        }
        let slot = receiver.slots.get_mut(usize::from(subscriber.slot))?;
        let publication = sender.publications.get(usize::from(admitted.publication))?;
        let source = publication.payload_type(admitted.meta.payload_type)?;
        let was_unavailable = slot.unavailable;
        let outgoing = slot.outgoing_for(source);
        let changed = was_unavailable != slot.unavailable;
        let decision = select::decide(slot, &admitted.meta, offered, |slot| {
            let current = slot.rewriter.current();
            let mut streams = publication.layers.iter().filter_map(|layer| layer.stream.as_ref());
            streams.any(|stream| Some(stream.uid) == current && stream.is_active(now))
        });
        if changed {
            self.slots_changed(subscriber.peer);
        }
        Some((outgoing?, decision))
    }

    /// The receiver's time of a packet that begins another layer of the same track.
    fn aligned_time(&self, publisher: u32, admitted: &Admitted, to: Subscriber) -> Option<u32> {
        let slot = self.peers.get(to.peer)?.slots.get(usize::from(to.slot))?;
        let current = slot.rewriter.current()?;
        let offset = slot.rewriter.timestamp_offset()?;
        let publication =
            self.peers.get(publisher)?.publications.get(usize::from(admitted.publication))?;
        let stream_of = |uid| {
            let mut streams = publication.layers.iter().filter_map(|layer| layer.stream.as_ref());
            streams.find(|stream| stream.uid == uid)
        };
        let (old, new) = (stream_of(current)?, stream_of(admitted.meta.stream)?);
        reports::align(old, new, admitted.meta.timestamp, offset)
    }

    /// The way out: key-frame requests, then steps 8 (egress) and 9 (encrypt) for everybody with
    /// something waiting, then news for the control plane.
    fn way_out(&mut self, now: Instant) {
        self.share_out(now);
        self.send_key_frame_requests(now);
        let mut dirty = std::mem::take(&mut self.dirty);
        // What goes beyond the bound leaves after the caller has sent this: see `wants_flush`.
        while self.out.byte_len() < limits::TRAIN_BYTES
            && let Some(key) = dirty.pop()
        {
            if let Some(peer) = self.peers.get_mut(key) {
                let (pool, out, counters) = (&mut self.pool, &mut self.out, &mut self.counters);
                let layout = &mut *self.layout;
                train::flush(peer, &mut Exit { pool, out, counters, layout, now });
                peer.dirty = false;
                peer.arm_pacer(now);
                peer.arm_reports(now);
                self.reschedule(key);
            }
        }
        self.dirty = dirty;
        self.announce_slots();
    }

    fn slot_mut(&mut self, at: Subscriber) -> Option<&mut crate::slot::Slot> {
        self.peers.get_mut(at.peer)?.slots.get_mut(usize::from(at.slot))
    }
}
