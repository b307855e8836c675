//! Shards, peers and the links between them in virtual time.

mod border;
mod check;
mod wire;

use crate::net::{Link, LinkConfig};
use crate::peer::{PeerSetup, SimPeer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_session::Certificate;
use weir_session::srtp::{MasterKey, SrtpSession};
use weir_sfu::{Batch, Clock, Input, Seed, Shard, ShardConfig};
use weir_sfu_api::{
    Command, Event, LayerDemand, Mid, PeerId, Reply, ReplyBody, RequestId, Rights, ShardId,
    SlotState, SrtpProfile, View,
};

/// Steps without progress of time after which something runs in a circle.
const STANDSTILL: u32 = 100_000;

/// One shard and what it said.
struct Home {
    shard: Shard,
    addr: SocketAddr,
    deadline: Option<(Instant, &'static str)>,
    touched: bool,
}

/// One peer and its two ways.
struct Guest {
    peer: SimPeer,
    home: usize,
    up: Link,
    down: Link,
    left: bool,
    /// Of the peer, as it stands in [`World::deadlines`].
    deadline: Option<Instant>,
}

#[derive(Clone, Copy)]
enum To {
    Shard(usize),
    Peer(usize),
}

struct Flying {
    to: To,
    from: SocketAddr,
    data: Vec<u8>,
}

/// What left the shards, for measures of trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrainCounters {
    /// Trains of more than one datagram.
    pub trains: u64,
    /// Datagrams in them.
    pub in_trains: u64,
    /// All datagrams.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The world.
pub struct World {
    /// Every event but statistics: since the start, shard, event.
    pub events: Vec<(Duration, usize, Event)>,
    /// What left the shards.
    pub trains: TrainCounters,
    /// For new peers' links, both ways.
    pub link: LinkConfig,
    /// How long the control plane takes to tell a publisher what is wanted of it.
    pub signalling: Duration,
    /// Whether shards take what others have for them.
    pub border_open: bool,
    base: Instant,
    now: Instant,
    seed: u64,
    homes: Vec<Home>,
    guests: Vec<Guest>,
    /// Guests' deadlines, the next one first.
    deadlines: BTreeSet<(Instant, usize)>,
    /// On the way from shard to shard: from, to.
    crossing: VecDeque<(ShardId, usize, Batch)>,
    /// Guests whose deadline may have changed.
    stale: Vec<usize>,
    by_addr: BTreeMap<SocketAddr, usize>,
    by_id: BTreeMap<PeerId, usize>,
    /// Demands on their way to publishers.
    demands: VecDeque<(Instant, PeerId, Mid, Vec<LayerDemand>)>,
    flying: BTreeMap<(Instant, u64), Flying>,
    serial: u64,
    /// Memory for what a shard sends at once.
    sent: Vec<(SocketAddr, Vec<u8>)>,
    request: u64,
    standing: u32,
    digest: u64,
}

impl World {
    /// A world with so many shards. `base` is the start of virtual time.
    ///
    /// # Panics
    /// When no certificate can be made.
    #[must_use]
    pub fn new(base: Instant, seed: u64, shards: u16) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let certificate = Certificate::generate().expect("a certificate");
        let homes = (0..shards).map(|id| {
            let addr = SocketAddr::from(([203, 0, 113, 1], 3478 + id));
            let mut secret = [0; 32];
            secret.fill_with(|| rng.random());
            let shard = Shard::new(ShardConfig {
                id: ShardId(id),
                seed: Seed { public: rng.random(), secret },
                certificate: certificate.clone(),
                candidates: vec![addr],
                clock: Clock::new(base, Duration::from_secs(1_700_000_000)),
            });
            Home { shard, addr, deadline: None, touched: false }
        });
        let homes = homes.collect();
        Self {
            events: Vec::new(),
            trains: TrainCounters::default(),
            link: LinkConfig::clean(Duration::from_millis(10)),
            signalling: Duration::from_millis(30),
            border_open: true,
            base,
            now: base,
            seed,
            homes,
            guests: Vec::new(),
            deadlines: BTreeSet::new(),
            crossing: VecDeque::new(),
            stale: Vec::new(),
            by_addr: BTreeMap::new(),
            by_id: BTreeMap::new(),
            demands: VecDeque::new(),
            flying: BTreeMap::new(),
            serial: 0,
            sent: Vec::new(),
            request: 0,
            standing: 0,
            digest: 0,
        }
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Since the start of virtual time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - self.base
    }

    /// A hash over everything that was sent, when and to whom: equal for equal runs.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// A peer, by the number [`Self::join`] gave.
    #[must_use]
    pub fn peer(&self, peer: usize) -> &SimPeer {
        &self.guests[peer].peer
    }

    /// A peer to change.
    pub fn peer_mut(&mut self, peer: usize) -> &mut SimPeer {
        self.stale.push(peer);
        &mut self.guests[peer].peer
    }

    /// All peers ever.
    pub fn peers(&self) -> impl Iterator<Item = &SimPeer> {
        self.guests.iter().map(|guest| &guest.peer)
    }

    /// A shard.
    #[must_use]
    pub fn shard(&self, shard: usize) -> &Shard {
        &self.homes[shard].shard
    }

    /// A shard, to be driven by hand.
    pub fn shard_mut(&mut self, shard: usize) -> &mut Shard {
        &mut self.homes[shard].shard
    }

    /// A peer's way to the server.
    pub fn up(&mut self, peer: usize) -> &mut Link {
        &mut self.guests[peer].up
    }

    /// A peer's way from the server.
    pub fn down(&mut self, peer: usize) -> &mut Link {
        &mut self.guests[peer].down
    }

    /// A peer joins on a shard, makes its first offer and gets its keys (or starts its
    /// handshake). Gives its number.
    ///
    /// # Panics
    /// When the shard refuses.
    pub fn join(&mut self, home: usize, setup: PeerSetup) -> usize {
        let number = self.guests.len();
        let addr = SocketAddr::from((
            [10, 1, (number / 250) as u8, (number % 250) as u8 + 1],
            40_000 + (number % 1_000) as u16,
        ));
        // Each peer has randomness of its own: who else is here changes nothing for it.
        let own = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rng = StdRng::seed_from_u64(self.seed ^ own);
        let seed = rng.random();
        let round_trip = (self.link.delay + self.link.jitter) * 2;
        let peer = SimPeer::new(setup, addr, seed, self.base, self.now, round_trip);
        let join = Command::Join {
            req: RequestId(0),
            peer: peer.id(),
            room: peer.room(),
            rights: peer.setup.rights,
            slots: peer.setup.policy,
        };
        let up = Link::new(self.link, rng.random());
        let down = Link::new(self.link, rng.random());
        self.guests.push(Guest { peer, home, up, down, left: false, deadline: None });
        self.by_addr.insert(addr, number);
        self.by_id.insert(self.guests[number].peer.id(), number);
        self.stale.push(number);
        self.command(home, join);
        self.offer(number);
        if !self.guests[number].peer.setup.handshake {
            let mut key = || MasterKey {
                key: (0..16).map(|_| rng.random()).collect(),
                salt: (0..12).map(|_| rng.random()).collect(),
            };
            let (one, two) = (key(), key());
            let profile = SrtpProfile::AeadAes128Gcm;
            let session = |local, remote| SrtpSession::new(profile, local, remote).expect("keys");
            let peer = &mut self.guests[number].peer;
            peer.set_keys(session(&one, &two));
            let (id, addr) = (peer.id(), peer.addr);
            let shard = &mut self.homes[home].shard;
            assert!(shard.key_peer(self.now, id, addr, session(&two, &one)));
            self.drain(home);
        }
        number
    }

    /// A peer offers what it is now; it takes the answer at once.
    ///
    /// # Panics
    /// When the shard refuses.
    pub fn offer(&mut self, number: usize) {
        let guest = &self.guests[number];
        let (home, peer) = (guest.home, guest.peer.id());
        let description = Box::new(guest.peer.description());
        self.request += 1;
        let req = RequestId(self.request);
        self.command(home, Command::Offer { req, peer, description });
        let reply = self.events.iter().rev().find_map(|(_, _, event)| match event {
            Event::Reply(Reply { req: answered, result }) if *answered == req => Some(result),
            _ => None,
        });
        match reply {
            Some(Ok(ReplyBody::Answer { transport, media })) => {
                let (transport, media) = (transport.clone(), media.clone());
                let now = self.now;
                self.peer_mut(number).take_answer(now, &transport, &media);
            }
            other => panic!("offer of peer {peer}: {other:?}"),
        }
    }

    /// Gives a command to a shard.
    pub fn command(&mut self, home: usize, command: Command) {
        self.homes[home].shard.handle_input(self.now, Input::Command(command));
        self.drain(home);
        self.take_over();
    }

    /// The shard of a peer.
    #[must_use]
    pub fn home(&self, number: usize) -> usize {
        self.guests[number].home
    }

    /// A peer leaves by command.
    pub fn leave(&mut self, number: usize) {
        self.stale.push(number);
        let guest = &mut self.guests[number];
        guest.left = true;
        guest.peer.alive = false;
        let (home, peer) = (guest.home, guest.peer.id());
        self.command(home, Command::Leave { peer });
    }

    /// A peer vanishes without a word.
    pub fn vanish(&mut self, number: usize) {
        self.peer_mut(number).alive = false;
    }

    /// A peer moves to another address, for example from Wi-Fi to a mobile network, and checks it
    /// at once.
    pub fn move_to(&mut self, number: usize, addr: SocketAddr) {
        self.by_addr.insert(addr, number);
        let now = self.now;
        self.peer_mut(number).move_to(now, addr);
    }

    /// Changes what a peer may do.
    pub fn set_rights(&mut self, number: usize, rights: Rights) {
        let guest = &self.guests[number];
        let (home, peer) = (guest.home, guest.peer.id());
        self.command(home, Command::SetRights { peer, rights });
    }

    /// Throws a datagram at a shard.
    pub fn inject(&mut self, home: usize, src: SocketAddr, data: &[u8]) {
        let input = Input::Datagram { src, dst: None, data };
        self.homes[home].shard.handle_input(self.now, input);
        self.homes[home].touched = true;
    }

    /// The last state of a peer's slots that the shard told.
    #[must_use]
    pub fn slot_states(&self, number: usize) -> Vec<SlotState> {
        let id = self.guests[number].peer.id();
        let last = self.events.iter().rev().find_map(|(_, _, event)| match event {
            Event::Slots { peer, slots } if *peer == id => Some(slots.clone()),
            _ => None,
        });
        last.unwrap_or_default()
    }

    /// A peer tells what it wants to see.
    pub fn view(&mut self, number: usize, view: View) {
        let guest = &self.guests[number];
        let (home, peer) = (guest.home, guest.peer.id());
        self.command(home, Command::SetView { peer, view: Box::new(view) });
    }

    /// Lets `time` pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until `done` or until `limit` is over; gives whether it was done.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if done(self) {
                return true;
            }
            if !self.step(end) {
                self.now = end;
                return done(self);
            }
        }
    }

    /// Everybody leaves; checks that nothing is left of them.
    ///
    /// # Panics
    /// When something is.
    pub fn finish(mut self) {
        for number in 0..self.guests.len() {
            if !self.guests[number].left {
                self.leave(number);
            }
        }
        self.run(Duration::from_secs(1));
        self.assert_empty();
    }

    /// Checks that no shard holds anything.
    ///
    /// # Panics
    /// When one does.
    pub fn assert_empty(&self) {
        for home in &self.homes {
            assert_eq!(home.shard.packets_in_use(), 0, "packets");
            assert_eq!(home.shard.population(), (0, 0, 0), "peers, rooms, tracks");
            assert_eq!(home.shard.known_addresses(), 0, "addresses");
        }
    }

    /// One moment; false when nothing happens until `end`.
    fn step(&mut self, end: Instant) -> bool {
        for number in std::mem::take(&mut self.stale) {
            let guest = &mut self.guests[number];
            let next = guest.peer.next_deadline();
            if let Some(old) = std::mem::replace(&mut guest.deadline, next) {
                self.deadlines.remove(&(old, number));
            }
            self.deadlines.extend(next.map(|at| (at, number)));
        }
        let wire = self.flying.first_key_value().map(|((at, _), _)| *at);
        let shards = self.homes.iter().filter_map(|home| Some(home.deadline?.0)).min();
        let peers = self.deadlines.first().map(|(at, _)| *at);
        let touched = self.homes.iter().any(|home| home.touched) || !self.crossing.is_empty();
        let touched = touched.then_some(self.now);
        let demands = self.demands.front().map(|(at, ..)| *at);
        let Some(next) = [wire, shards, peers, touched, demands].into_iter().flatten().min() else {
            return false;
        };
        if next > end {
            return false;
        }
        if next > self.now {
            self.now = next;
            self.standing = 0;
        }
        self.standing += 1;
        assert!(
            self.standing < STANDSTILL,
            "time stands still: {:?}",
            self.homes.iter().map(|home| home.deadline).collect::<Vec<_>>()
        );
        while let Some((at, peer, mid, layers)) = self.demands.front()
            && *at <= self.now
        {
            if let Some(number) = self.by_id.get(peer) {
                self.guests[*number].peer.take_demand(*mid, layers);
            }
            self.demands.pop_front();
        }
        self.deliver();
        self.take_over();
        for home in 0..self.homes.len() {
            if std::mem::take(&mut self.homes[home].touched) {
                self.homes[home].shard.handle_input(self.now, Input::BatchEnd);
                self.drain(home);
            }
            if self.homes[home].deadline.is_some_and(|(at, _)| at <= self.now) {
                self.homes[home].shard.handle_input(self.now, Input::Timeout);
                self.drain(home);
            }
        }
        let due = self.deadlines.range(..=(self.now, usize::MAX));
        let mut due: Vec<usize> = due.map(|(_, number)| *number).collect();
        due.sort_unstable();
        for number in due {
            self.guests[number].peer.handle_timeout(self.now);
            self.stale.push(number);
            self.transmit(number);
        }
        true
    }
}
