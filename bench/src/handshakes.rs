//! Joins with real handshakes, without sockets: what a shard spends from the join command to the keys.

use crate::cpu::Stopwatch;
use crate::world::shard;
use crate::{Error, ROUNDS};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use weir_sfu::{Input, Output, Shard};
use weir_sfu_api::{Command, Event, Reply, ReplyBody, RequestId};
use weir_sim::{PeerSetup, SimPeer};

/// Joins in one measurement.
const JOINS: u64 = 100;

/// A shard whose work is timed.
struct Timed {
    shard: Shard,
    watch: Stopwatch,
    now: Instant,
}

/// CPU microseconds of the shard per join: two commands, a check, and a DTLS handshake with
/// certificates on both sides; the smallest of [`ROUNDS`] runs.
///
/// # Errors
/// When a handshake does not complete.
pub fn measure() -> Result<f64, Error> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        best = best.min(round()?);
    }
    Ok(best)
}

fn round() -> Result<f64, Error> {
    let now = Instant::now();
    let mut timed = Timed { shard: shard(now)?, watch: Stopwatch::new()?, now };
    // The first one warms up tables.
    timed.join(1_000)?;
    timed.watch.reset();
    for number in 0..JOINS {
        timed.join(number)?;
    }
    Ok(timed.watch.micros() / JOINS as f64)
}

impl Timed {
    fn join(&mut self, number: u64) -> Result<(), Error> {
        let ip = IpAddr::V4(Ipv4Addr::from(0x7f01_0001 + number as u32));
        let addr = SocketAddr::new(ip, 9);
        let setup = PeerSetup { handshake: true, ..PeerSetup::new(number + 1, 1).slots(1, 1) };
        let (rights, slots) = (setup.rights, setup.policy);
        let mut peer =
            SimPeer::new(setup, addr, number, self.now, self.now, Duration::from_millis(1));
        let (req, id, room) = (RequestId(1), peer.id(), peer.room());
        self.give(Input::Command(Command::Join { req, peer: id, room, rights, slots }))?;
        let description = Box::new(peer.description());
        let offer = Command::Offer { req: RequestId(2), peer: id, description };
        for reply in self.give(Input::Command(offer))? {
            if let ReplyBody::Answer { transport, media } = reply.result? {
                peer.take_answer(self.now, &transport, &media);
            }
        }
        for _ in 0..100 {
            self.now += Duration::from_millis(1);
            peer.handle_timeout(self.now);
            while let Some(data) = peer.poll_transmit() {
                self.give(Input::Datagram { src: addr, dst: None, data: &data })?;
                self.give(Input::BatchEnd)?;
            }
            let now = self.now;
            self.shard.send_trains(|trains| {
                for train in trains.trains() {
                    for datagram in trains.datagrams(train) {
                        peer.handle_input(now, addr, datagram);
                    }
                }
            });
            if peer.connected {
                return Ok(());
            }
        }
        Err("a handshake did not complete".into())
    }

    fn give(&mut self, input: Input<'_>) -> Result<Vec<Reply>, Error> {
        let (shard, now) = (&mut self.shard, self.now);
        let mut replies = Vec::new();
        self.watch.time(|| {
            shard.handle_input(now, input);
            loop {
                match shard.poll_output() {
                    Output::Timeout(_) => break,
                    Output::Event(Event::Reply(reply)) => replies.push(reply),
                    Output::Event(_) => {}
                }
            }
        })?;
        Ok(replies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_keys() {
        assert!(round().unwrap() > 0.0);
    }
}
