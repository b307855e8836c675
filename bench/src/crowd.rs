//! Many clients in one thread on one socket, each with an address of its own on the loopback
//! interface: the simulator's peers in real time.

use crate::Error;
use crate::running::Running;
use crate::sink::socket;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use weir_net::{Backend, BackendChoice};
use weir_sfu_api::{Command, MediaKind, Reply, ReplyBody, RequestId};
use weir_sim::{PeerSetup, SimPeer};
use weir_wire::train::TrainBuf;

/// One client and what was seen of it.
pub struct Member {
    /// The client.
    pub peer: SimPeer,
    /// When it asked to join.
    pub joined: Instant,
    /// When its first picture was complete.
    pub first_frame: Option<Instant>,
    deadline: Option<Instant>,
}

/// Clients on one socket.
pub struct Crowd {
    backend: Box<dyn Backend>,
    /// In order of joining.
    pub members: Vec<Member>,
    by_ip: HashMap<IpAddr, usize>,
    out: TrainBuf,
    base: Instant,
}

impl Crowd {
    /// An empty crowd.
    ///
    /// # Errors
    /// When there is no socket.
    pub fn new(base: Instant) -> Result<Self, Error> {
        let (backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(Ipv4Addr::UNSPECIFIED))?;
        Ok(Self {
            backend,
            members: Vec::new(),
            by_ip: HashMap::new(),
            out: TrainBuf::default(),
            base,
        })
    }

    /// A new client, which the shard does not know yet; its number.
    pub fn add(&mut self, setup: PeerSetup) -> usize {
        let number = self.members.len();
        let ip = IpAddr::V4(Ipv4Addr::from(0x7f02_0001 + number as u32));
        let addr = SocketAddr::new(ip, self.backend.local_addr().port());
        let now = Instant::now();
        let round_trip = Duration::from_millis(1);
        let peer = SimPeer::new(setup, addr, number as u64, self.base, now, round_trip);
        self.members.push(Member { peer, joined: now, first_frame: None, deadline: None });
        self.by_ip.insert(ip, number);
        number
    }

    /// The commands by which a client joins and offers.
    #[must_use]
    pub fn join_commands(&self, number: usize) -> [Command; 2] {
        let peer = &self.members[number].peer;
        let req = RequestId(number as u64 + 1);
        let description = Box::new(peer.description());
        let (id, room) = (peer.id(), peer.room());
        let (rights, slots) = (peer.setup.rights, peer.setup.policy);
        [
            Command::Join { req: RequestId(0), peer: id, room, rights, slots },
            Command::Offer { req, peer: id, description },
        ]
    }

    /// Takes the shard's answer to [`Self::join_commands`].
    ///
    /// # Errors
    /// When the shard refused.
    pub fn take(&mut self, reply: Reply) -> Result<(), Error> {
        let Some(number) = (reply.req.0 as usize).checked_sub(1) else { return Ok(()) };
        let ReplyBody::Answer { transport, media } = reply.result? else { return Ok(()) };
        let now = Instant::now();
        let member = self.members.get_mut(number).ok_or("an answer to nobody")?;
        member.peer.take_answer(now, &transport, &media);
        member.deadline = member.peer.next_deadline();
        Ok(())
    }

    /// Serves all clients until `end`: what comes in, timers, what goes out.
    ///
    /// # Errors
    /// When the socket fails or the shard refuses somebody.
    pub fn run(&mut self, server: &Running, end: Instant) -> Result<(), Error> {
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            while let Some(reply) = server.reply() {
                self.take(reply)?;
            }
            let (members, by_ip) = (&mut self.members, &self.by_ip);
            let mut touched = Vec::new();
            self.backend.receive(Some(Duration::from_millis(1)), &mut |datagram| {
                let number = datagram.dst.and_then(|dst| by_ip.get(&dst).copied());
                if let Some(member) = number.and_then(|number| members.get_mut(number)) {
                    member.peer.handle_input(now, datagram.src, datagram.data);
                    touched.extend(number);
                }
            })?;
            touched.sort_unstable();
            touched.dedup();
            for number in touched {
                self.members[number].note_first_frame(now);
                self.send(number, server.addr());
            }
            let now = Instant::now();
            for number in 0..self.members.len() {
                if self.members[number].deadline.is_some_and(|at| at <= now) {
                    self.members[number].peer.handle_timeout(now);
                    self.send(number, server.addr());
                }
            }
            self.backend.send(&mut self.out);
            self.out.clear();
        }
    }

    fn send(&mut self, number: usize, server: SocketAddr) {
        let member = &mut self.members[number];
        let source = Some(member.peer.addr.ip());
        while let Some(datagram) = member.peer.poll_transmit() {
            self.out.push(server, source, &datagram);
        }
        member.deadline = member.peer.next_deadline();
    }

    /// Packets of all slots of a kind, and pictures or pieces of sound completed.
    #[must_use]
    pub fn received(&self, kind: MediaKind) -> (u64, u64) {
        let slots = self.members.iter().flat_map(|member| &member.peer.slots);
        slots.filter(|slot| slot.kind == kind).fold((0, 0), |(packets, frames), slot| {
            (packets + slot.counters.packets, frames + slot.frames.len() as u64)
        })
    }
}

impl Member {
    fn note_first_frame(&mut self, now: Instant) {
        if self.first_frame.is_none()
            && self
                .peer
                .slots
                .iter()
                .any(|slot| slot.kind == MediaKind::Video && !slot.frames.is_empty())
        {
            self.first_frame = Some(now);
        }
    }
}
