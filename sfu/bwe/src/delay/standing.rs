//! The queue that does not drain: how far the least delay of late lies above the least of the path.
//!
//! Frames of a video wait at the bottleneck for each other, and their trend looks like overuse when a
//! layer begins; but the queue is empty between them. What stands is what counts (RFC 8289 3.1).

use super::Arrived;

/// The path's own delay: least of the last 10 to 20 s.
const PATH_US: i64 = 10_000_000;
/// The least of late: of the last 75 to 150 ms, two frames and more.
const LATE_US: i64 = 75_000;
/// A queue below this does not stand: one packet takes 16 ms at 600 kbit/s.
const STANDS_US: i64 = 20_000;

/// The least value of two windows, the current and the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    length_us: i64,
    begun_us: i64,
    current: i64,
    before: i64,
}

impl Least {
    pub(super) fn new(length_us: i64) -> Self {
        Self { length_us, begun_us: i64::MIN, current: i64::MAX, before: i64::MAX }
    }

    pub(super) fn add(&mut self, at_us: i64, value: i64) {
        let passed = at_us.saturating_sub(self.begun_us);
        if passed >= self.length_us {
            // A window without anything leaves nothing behind.
            let next = passed < self.length_us.saturating_mul(2);
            self.before = if next { self.current } else { i64::MAX };
            self.current = i64::MAX;
            self.begun_us = at_us;
        }
        self.current = self.current.min(value);
    }

    pub(super) fn get(&self) -> i64 {
        self.current.min(self.before)
    }
}

/// Packets sent this far apart which arrive within a quarter of it were held up together: a queue
/// lets them out one after the other.
const APART_US: i64 = 15_000;
const BUNCHED_PART: i64 = 4;
/// How slowly the mean of such hold-ups follows: it is of 64 pairs.
const SLOWLY: i64 = 64;
/// How much of this mean is no queue: a hold-up is made good in several steps.
const HELD_UP: i64 = 8;

#[derive(Debug)]
pub(super) struct Standing {
    path: Least,
    late: Least,
    /// Times of the packet that began the last 15 ms: sent, arrived.
    begun: Option<(i64, i64)>,
    /// Mean time by which packets caught up, 1/64 microseconds.
    bunched: i64,
}

impl Default for Standing {
    fn default() -> Self {
        Self { path: Least::new(PATH_US), late: Least::new(LATE_US), begun: None, bunched: 0 }
    }
}

impl Standing {
    pub(super) fn on_packet(&mut self, packet: &Arrived) {
        // On two clocks: only differences mean anything.
        let delay = packet.arrival_us.saturating_sub(packet.sent_us);
        self.path.add(packet.sent_us, delay);
        self.late.add(packet.sent_us, delay);
        let (sent, arrived) = *self.begun.get_or_insert((packet.sent_us, packet.arrival_us));
        let apart = packet.sent_us.saturating_sub(sent);
        if apart >= APART_US {
            let gap = packet.arrival_us.saturating_sub(arrived).max(0);
            let bunched = gap.saturating_mul(BUNCHED_PART) <= apart;
            let caught_up = if bunched { apart.saturating_sub(gap) } else { 0 };
            let error = caught_up.min(PATH_US).saturating_sub(self.bunched / SLOWLY);
            self.bunched = self.bunched.saturating_add(error);
            self.begun = Some((packet.sent_us, packet.arrival_us));
        }
    }

    /// Delay that comes of packets held up together, microseconds.
    pub(super) fn held_up_us(&self) -> i64 {
        (self.bunched / SLOWLY).saturating_mul(HELD_UP)
    }

    pub(super) fn stands(&self) -> bool {
        self.late.get().saturating_sub(self.path.get())
            >= STANDS_US.saturating_add(self.held_up_us())
    }
}
