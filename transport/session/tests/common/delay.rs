//! A wire with delay: what is sent arrives half a round trip later.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use weir_session::Output;

use super::{Way, World};

/// A datagram that was sent, whether it arrived or not.
pub struct Sent {
    /// Since the first one.
    pub at: Duration,
    pub way: Way,
    pub data: Vec<u8>,
}

impl World {
    /// Like [`World::run`], with `rtt` between the two. Returns all that was sent, and ends when
    /// both are connected and nothing is under way.
    pub fn run_delayed(
        &mut self,
        rtt: Duration,
        limit: Duration,
        mut deliver: impl FnMut(Way, &[u8]) -> bool,
    ) -> Vec<Sent> {
        let begin = self.now;
        let mut sent = Vec::new();
        let mut wire: VecDeque<(Instant, Way, Vec<u8>)> = VecDeque::new();
        loop {
            while let Some((way, data)) = self.next_sent() {
                if deliver(way, &data) {
                    wire.push_back((self.now + rtt / 2, way, data.clone()));
                }
                sent.push(Sent { at: self.now - begin, way, data });
            }
            let done = self.server.is_connected() && self.client.completed;
            if (done && wire.is_empty()) || self.server.has_ended() {
                return sent;
            }
            let arrival = wire.front().map(|(at, ..)| *at);
            let timers = [self.server.poll_timeout().map(|(at, _)| at), self.client.timeout()];
            let next = timers.into_iter().chain([arrival]).flatten().min().unwrap();
            if next > begin + limit {
                self.now = begin + limit;
                return sent;
            }
            self.now = self.now.max(next);
            if arrival.is_some_and(|at| at <= self.now) {
                let (_, way, data) = wire.pop_front().unwrap();
                match way {
                    Way::ToClient => self.client.read(self.now, &data),
                    Way::ToServer => {
                        self.drops.extend(self.server.handle_dtls(self.now, self.src, &data).err());
                    }
                }
            } else {
                self.server.handle_timeout(self.now);
                self.client.handle_timeout(self.now);
            }
        }
    }

    fn next_sent(&mut self) -> Option<(Way, Vec<u8>)> {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Transmit { data, .. } if data[0] < 4 => {}
                Output::Transmit { dst, data, .. } => {
                    self.sent_to.push(dst);
                    return Some((Way::ToClient, data.to_vec()));
                }
                Output::Event(event) => self.events.push(event),
            }
        }
        self.client.poll_transmit().map(|data| (Way::ToServer, data))
    }
}
