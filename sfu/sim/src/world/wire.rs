//! Datagrams between shards and peers.

use super::{Flying, To, World};
use std::net::SocketAddr;
use std::time::Instant;
use weir_sfu::{Input, Output};
use weir_sfu_api::Event;

impl World {
    pub(super) fn deliver(&mut self) {
        while let Some(first) = self.flying.first_entry()
            && first.key().0 <= self.now
        {
            let Flying { to, from, data } = first.remove();
            match to {
                To::Shard(home) => self.inject(home, from, &data),
                To::Peer(number) => {
                    self.guests[number].peer.handle_input(self.now, from, &data);
                    self.stale.push(number);
                    self.transmit(number);
                }
            }
        }
    }

    /// What a peer sends goes on its way.
    pub(super) fn transmit(&mut self, number: usize) {
        while let Some(data) = self.guests[number].peer.poll_transmit() {
            let guest = &mut self.guests[number];
            let (from, to) = (guest.peer.addr, To::Shard(guest.home));
            let arrivals = guest.up.send(self.now, data.len());
            self.note(&data, from);
            self.fly(arrivals, to, from, data);
        }
    }

    fn fly(&mut self, arrivals: [Option<Instant>; 2], to: To, from: SocketAddr, data: Vec<u8>) {
        let [first, second] = arrivals;
        let copy = second.map(|at| (at, data.clone()));
        for (at, data) in first.map(|at| (at, data)).into_iter().chain(copy) {
            self.serial += 1;
            self.flying.insert((at, self.serial), Flying { to, from, data });
        }
    }

    /// Takes everything a shard has to say and send.
    pub(super) fn drain(&mut self, home: usize) {
        loop {
            loop {
                match self.homes[home].shard.poll_output() {
                    Output::Event(Event::Stats(_)) => {}
                    Output::Event(Event::LayerDemand { peer, mid, layers }) => {
                        let at = self.now + self.signalling;
                        self.demands.push_back((at, peer, mid, layers.clone()));
                        let event = Event::LayerDemand { peer, mid, layers };
                        self.events.push((self.now - self.base, home, event));
                    }
                    Output::Event(event) => {
                        let since = self.now - self.base;
                        self.events.push((since, home, event));
                    }
                    Output::Timeout(next) => {
                        self.homes[home].deadline = next;
                        break;
                    }
                }
            }
            let mut sent = std::mem::take(&mut self.sent);
            let counters = &mut self.trains;
            self.homes[home].shard.send_trains(|trains| {
                for train in trains.trains() {
                    counters.datagrams += u64::from(train.count);
                    counters.bytes += u64::from(train.len);
                    if train.count > 1 {
                        counters.trains += 1;
                        counters.in_trains += u64::from(train.count);
                    }
                    assert!(train.segment <= 1_500, "{train:?} does not fit an Ethernet frame");
                    sent.extend(trains.datagrams(train).map(|data| (train.dst, data.to_vec())));
                }
            });
            for (to, data) in sent.drain(..) {
                self.send_down(home, to, data);
            }
            self.sent = sent;
            self.cross(home);
            if !self.homes[home].shard.wants_flush() {
                break self.check(home);
            }
            self.homes[home].shard.handle_input(self.now, Input::BatchEnd);
        }
    }

    fn send_down(&mut self, home: usize, to: SocketAddr, data: Vec<u8>) {
        self.note(&data, to);
        let from = self.homes[home].addr;
        let Some(number) = self.by_addr.get(&to).copied() else { return };
        if self.guests[number].peer.addr != to || self.guests[number].home != home {
            return;
        }
        let arrivals = self.guests[number].down.send(self.now, data.len());
        self.fly(arrivals, To::Peer(number), from, data);
    }

    fn note(&mut self, data: &[u8], other: SocketAddr) {
        let since = (self.now - self.base).as_nanos() as u64;
        let mut digest = self.digest ^ since ^ u64::from(other.port()) << 48;
        let (words, rest) = data.as_chunks::<8>();
        let rest = rest.iter().map(|byte| u64::from(*byte));
        for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain(rest) {
            digest = (digest ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(29);
        }
        self.digest = digest;
    }
}
