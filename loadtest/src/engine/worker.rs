//! A thread with an epoll and its connections.

use super::clock::Clock;
use super::handle::State;
use super::ice::Out;
use super::outbox::Outbox;
use super::peer::{Peer, Turn};
use super::tally::{Tally, add_delays};
use super::{ConnectionPlan, Ended, LocalTrack, Negotiated};
use crate::measure::Snapshot;
use crate::media::Media;
use quinn_udp::{RecvMeta, UdpSocketState};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, mpsc};
use std::time::Instant;
use tokio::sync::{oneshot, watch};
use weir_session::Certificate;
use weir_sfu_api::IceCredentials;

const WAKER: mio::Token = mio::Token(0);
/// Messages of one receiving call; each may hold 64 datagrams.
const BATCH: usize = 8;
/// The longest message: what GRO puts together.
const MESSAGE: usize = 65_535;
/// Sockets that are read before the timers have a look.
const READS: usize = 16;

/// All that a worker needs for a new connection.
pub(super) struct Opening {
    pub(super) id: u64,
    pub(super) plan: ConnectionPlan,
    pub(super) tracks: Vec<LocalTrack>,
    pub(super) media: Vec<Media>,
    pub(super) socket: UdpSocket,
    pub(super) state: UdpSocketState,
    pub(super) ice: IceCredentials,
    pub(super) seed: u64,
    pub(super) told: watch::Sender<State>,
}

/// What workers are told.
pub(super) enum Command {
    Open(Box<Opening>),
    Connect(u64, Box<Negotiated>),
    Candidate(u64, SocketAddr),
    Layers(u64, usize, Vec<bool>),
    Close(u64),
    /// Of this role alone, or of all.
    Snapshot(Option<String>, oneshot::Sender<Snapshot>),
    Stop,
}

/// Lent to the connection whose turn it is.
struct Bench {
    clock: Clock,
    certificate: Certificate,
    roles: Vec<(String, Tally)>,
    out: Outbox,
    stun: Out,
    plain: Vec<u8>,
}

impl Bench {
    fn turn(&mut self, now: Instant, role: usize) -> Turn<'_> {
        Turn {
            now,
            clock: &self.clock,
            tally: &mut self.roles[role].1,
            out: &mut self.out,
            stun: &mut self.stun,
            plain: &mut self.plain,
        }
    }

    fn role(&mut self, name: &str) -> usize {
        self.roles.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.roles.push((name.to_owned(), Tally::default()));
            self.roles.len() - 1
        })
    }
}

type Timer = Reverse<(Instant, usize)>;

pub(super) struct Worker {
    poll: mio::Poll,
    inbox: mpsc::Receiver<Command>,
    bench: Bench,
    /// By id.
    places: HashMap<u64, usize>,
    peers: Vec<Option<Box<Peer>>>,
    free: Vec<usize>,
    timers: BinaryHeap<Timer>,
}

impl Worker {
    pub(super) fn new(
        inbox: mpsc::Receiver<Command>,
        clock: Clock,
        certificate: Certificate,
    ) -> std::io::Result<(Self, Arc<mio::Waker>)> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKER)?);
        let bench = Bench {
            clock,
            certificate,
            roles: Vec::new(),
            out: Outbox::default(),
            stun: Out::new(),
            plain: vec![0; MESSAGE],
        };
        let worker = Self {
            poll,
            inbox,
            bench,
            places: HashMap::new(),
            peers: Vec::new(),
            free: Vec::new(),
            timers: BinaryHeap::new(),
        };
        Ok((worker, waker))
    }

    pub(super) fn run(mut self) {
        let mut events = mio::Events::with_capacity(1_024);
        let mut buffers = vec![vec![0; MESSAGE]; BATCH];
        loop {
            let timeout = self
                .timers
                .peek()
                .map(|Reverse((at, _))| at.saturating_duration_since(Instant::now()));
            if self.poll.poll(&mut events, timeout).is_err() {
                continue;
            }
            let mut reads = 0;
            for event in &events {
                if event.token() == WAKER {
                    if !self.obey() {
                        return;
                    }
                    continue;
                }
                self.read(event.token().0 - 1, &mut buffers);
                reads += 1;
                if reads % READS == 0 {
                    self.expire();
                }
            }
            self.expire();
        }
    }

    /// False: stop.
    fn obey(&mut self) -> bool {
        while let Ok(command) = self.inbox.try_recv() {
            let now = Instant::now();
            match command {
                Command::Open(opening) => self.open(*opening, now),
                Command::Connect(id, negotiated) => {
                    let certificate = self.bench.certificate.clone();
                    self.with(id, now, |peer, turn| peer.connect(*negotiated, &certificate, turn));
                }
                Command::Candidate(id, addr) => {
                    self.with(id, now, |peer, turn| {
                        peer.add_candidate(now, addr);
                        peer.timeout(turn);
                    });
                }
                Command::Layers(id, track, wanted) => {
                    self.with(id, now, |peer, _| peer.set_layers(track, &wanted));
                }
                Command::Close(id) => self.close(id, now),
                Command::Snapshot(role, reply) => {
                    let _ = reply.send(self.snapshot(now, role.as_deref()));
                }
                Command::Stop => {
                    let ids: Vec<u64> = self.places.keys().copied().collect();
                    for id in ids {
                        self.close(id, now);
                    }
                    return false;
                }
            }
        }
        true
    }

    fn open(&mut self, opening: Opening, now: Instant) {
        let id = opening.id;
        let role = self.bench.role(&opening.plan.person.role);
        let mut peer = Box::new(Peer::new(opening, role, now));
        let at = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        let token = mio::Token(at + 1);
        if let Err(error) =
            self.poll.registry().register(&mut peer.port.socket, token, mio::Interest::READABLE)
        {
            let mut turn = self.bench.turn(now, role);
            peer.end(&mut turn, Ended::Handshake(format!("epoll: {error}")));
        }
        self.peers[at] = Some(peer);
        self.places.insert(id, at);
    }

    fn close(&mut self, id: u64, now: Instant) {
        self.with(id, now, |peer, turn| peer.end(turn, Ended::Closed));
        if let Some(at) = self.places.remove(&id)
            && let Some(mut peer) = self.peers[at].take()
        {
            let _ = self.poll.registry().deregister(&mut peer.port.socket);
            self.free.push(at);
        }
    }

    fn with(&mut self, id: u64, now: Instant, act: impl FnOnce(&mut Peer, &mut Turn<'_>)) {
        let Some(at) = self.places.get(&id).copied() else { return };
        self.turn(at, now, act);
    }

    /// A connection's turn: what it does, then what it sends, then its timer.
    fn turn(&mut self, at: usize, now: Instant, act: impl FnOnce(&mut Peer, &mut Turn<'_>)) {
        let Some(Some(peer)) = self.peers.get_mut(at) else { return };
        let mut turn = self.bench.turn(now, peer.role);
        act(peer, &mut turn);
        peer.flush(&mut turn);
        if let Some(next) = peer.next_deadline()
            && peer.scheduled.is_none_or(|known| next < known)
        {
            peer.scheduled = Some(next);
            self.timers.push(Reverse((next, at)));
        }
    }

    fn read(&mut self, at: usize, buffers: &mut [Vec<u8>]) {
        loop {
            let Some(Some(peer)) = self.peers.get(at) else { return };
            let mut slices: [IoSliceMut<'_>; BATCH] = {
                let mut all = buffers.iter_mut();
                std::array::from_fn(|_| IoSliceMut::new(all.next().map_or(&mut [][..], |b| b)))
            };
            let mut meta = [RecvMeta::default(); BATCH];
            let count = peer.port.receive(&mut slices, &mut meta);
            if count == 0 {
                return;
            }
            let now = Instant::now();
            self.turn(at, now, |peer, turn| {
                for (buffer, meta) in buffers.iter().zip(&meta[..count]) {
                    let arrived_us = turn.clock.arrival(now, meta.timestamp);
                    let bytes = &buffer[..meta.len.min(buffer.len())];
                    for datagram in bytes.chunks(meta.stride.max(1)) {
                        peer.input(turn, meta.addr, arrived_us, datagram);
                    }
                }
            });
            // The epoll is edge-triggered: a batch that is not full emptied the socket.
            if count < BATCH {
                return;
            }
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((due, at))) = self.timers.peek().copied()
            && due <= now
        {
            self.timers.pop();
            let Some(Some(peer)) = self.peers.get_mut(at) else { continue };
            if peer.scheduled != Some(due) {
                continue;
            }
            peer.scheduled = None;
            let act = peer.next_deadline().is_some_and(|next| next <= now);
            self.turn(at, now, |peer, turn| {
                if act {
                    peer.timeout(turn);
                }
            });
        }
    }

    fn snapshot(&mut self, now: Instant, role: Option<&str>) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (_, tally) in
            self.bench.roles.iter_mut().filter(|(name, _)| role.is_none_or(|role| role == name))
        {
            snapshot.counters.add(&tally.counters);
            add_delays(&mut snapshot.delays, &tally.delays);
            if role.is_none() {
                let since = tally.added_since.take();
                match (&mut snapshot.added_since, since) {
                    (Some(sum), Some(since)) => {
                        let _ = sum.add(&since);
                    }
                    (none @ None, since) => *none = since,
                    _ => {}
                }
            }
        }
        for peer in self.peers.iter().flatten() {
            let name = &self.bench.roles[peer.role].0;
            if role.is_none_or(|role| role == name) && peer.is_connected() {
                snapshot.connected += 1;
                snapshot.streams += peer.live(now, &mut snapshot.by_height);
            }
        }
        snapshot
    }
}
