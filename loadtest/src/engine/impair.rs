//! A bad network between a connection and the world, both ways.

use super::lots::Lots;
use crate::plan::Impairment;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What waits before a narrow downlink, at most.
const QUEUE: Duration = Duration::from_millis(200);
/// IPv4 and UDP.
const OVERHEAD: usize = 28;

/// A datagram under way.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    at: Instant,
    number: u64,
    addr: SocketAddr,
    data: Vec<u8>,
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // The heap's greatest is the next one.
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One direction.
#[derive(Debug)]
struct Way {
    plan: Impairment,
    lots: Lots,
    held: BinaryHeap<Held>,
    number: u64,
    /// Bits a second, and when the line is free.
    line: Option<(u64, Instant)>,
}

impl Way {
    fn new(plan: Impairment, bps: Option<u64>, now: Instant, lots: Lots) -> Self {
        let line = bps.filter(|bps| *bps > 0).map(|bps| (bps, now));
        Self { plan, lots, held: BinaryHeap::new(), number: 0, line }
    }

    /// False: lost.
    fn push(&mut self, now: Instant, addr: SocketAddr, data: &[u8]) -> bool {
        if self.lots.share() < self.plan.loss {
            return false;
        }
        let mut at = now;
        if let Some((bps, free)) = &mut self.line {
            let begin = (*free).max(now);
            if begin - now > QUEUE {
                return false;
            }
            let bits = (data.len() + OVERHEAD) as f64 * 8.0;
            *free = begin + Duration::from_secs_f64(bits / *bps as f64);
            at = *free;
        }
        at += self.plan.delay + self.lots.below(self.plan.jitter);
        self.number += 1;
        self.held.push(Held { at, number: self.number, addr, data: data.to_vec() });
        true
    }

    fn pop(&mut self, now: Instant) -> Option<(Instant, SocketAddr, Vec<u8>)> {
        if self.held.peek()?.at > now {
            return None;
        }
        self.held.pop().map(|held| (held.at, held.addr, held.data))
    }
}

/// Both directions of a connection.
#[derive(Debug)]
pub(super) struct Impaired {
    up: Way,
    down: Way,
}

impl Impaired {
    /// `None` where the network is good.
    pub(super) fn of(plan: Impairment, now: Instant, lots: &mut Lots) -> Option<Box<Self>> {
        if plan == Impairment::default() {
            return None;
        }
        let mut way = |bps| Way::new(plan, bps, now, Lots::new(lots.next()));
        Some(Box::new(Self { up: way(None), down: way(plan.down_bps) }))
    }

    /// On its way to the server. False: lost.
    pub(super) fn send(&mut self, now: Instant, to: SocketAddr, data: &[u8]) -> bool {
        self.up.push(now, to, data)
    }

    /// On its way to us. False: lost.
    pub(super) fn receive(&mut self, now: Instant, from: SocketAddr, data: &[u8]) -> bool {
        self.down.push(now, from, data)
    }

    /// What leaves now.
    pub(super) fn sent(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        self.up.pop(now).map(|(_, addr, data)| (addr, data))
    }

    /// What arrives now, with its time.
    pub(super) fn received(&mut self, now: Instant) -> Option<(Instant, SocketAddr, Vec<u8>)> {
        self.down.pop(now)
    }

    /// When the next one leaves or arrives.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let first = |way: &Way| way.held.peek().map(|held| held.at);
        first(&self.up).into_iter().chain(first(&self.down)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    #[test]
    fn three_percent_are_lost_and_the_rest_is_late() {
        let now = Instant::now();
        let (delay, jitter) = (Duration::from_millis(50), Duration::from_millis(10));
        let plan = Impairment { loss: 0.03, delay, jitter, down_bps: None };
        let mut net = Impaired::of(plan, now, &mut Lots::new(3)).unwrap();
        let lost = (0..10_000).filter(|_| !net.receive(now, addr(), &[1])).count();
        assert!((250..350).contains(&lost), "{lost}");
        assert!(net.next_deadline().unwrap() >= now + delay);
        assert_eq!(net.received(now + delay - Duration::from_millis(1)), None);
        let end = now + delay + jitter;
        let mut last = now;
        let mut came = 0;
        while let Some((at, _, _)) = net.received(end) {
            assert!(at >= last);
            (last, came) = (at, came + 1);
        }
        assert_eq!(came, 10_000 - lost);
    }

    #[test]
    fn a_narrow_line_queues_for_200_ms_and_drops_more() {
        let now = Instant::now();
        let plan = Impairment { down_bps: Some(1_000_000), ..Impairment::default() };
        let mut net = Impaired::of(plan, now, &mut Lots::new(3)).unwrap();
        // 1,000 bytes with headers: 8 ms each.
        let data = [0; 1_000 - OVERHEAD];
        let taken = (0..100).filter(|_| net.receive(now, addr(), &data)).count();
        assert_eq!(taken, 26);
        assert_eq!(net.next_deadline(), Some(now + Duration::from_millis(8)));
        assert!(Impaired::of(Impairment::default(), now, &mut Lots::new(1)).is_none());
    }
}
