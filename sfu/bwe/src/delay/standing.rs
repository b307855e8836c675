//! The queue that does not drain: how far the least delay of late lies above the least of the path.
//!
//! Frames of a video wait at the bottleneck for each other, and their trend looks like overuse when a
//! layer begins; but the queue is empty between them. What stands is what counts (RFC 8289 3.1).

use super::Arrived;

/// The path's own delay: least of the last 10 to 20 s.
const PATH_US: i64 = 10_000_000;
/// The least of late: of the last 75 to 150 ms, two frames and more.
const LATE_US: i64 = 75_000;
/// The same where packets are held up together: several hold-ups.
const LONGER_US: i64 = 300_000;
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
/// So many hold-ups make a jitter: the least of the longest so many of the last 10 to 20 s.
const HOLD_UPS: usize = 3;

/// The longest hold-ups of a time, longest first, microseconds.
type Longest = [i64; HOLD_UPS];

#[derive(Debug)]
pub(super) struct Standing {
    path: Least,
    late: Least,
    longer: Least,
    /// Times of the packet that began the last 15 ms: sent, arrived.
    begun: Option<(i64, i64)>,
    /// By how much the packets of late have caught up in one go, microseconds.
    caught_up: i64,
    /// Of the current window and the one before, and when the current one began.
    longest: (Longest, Longest),
    since_us: i64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            path: Least::new(PATH_US),
            late: Least::new(LATE_US),
            longer: Least::new(LONGER_US),
            begun: None,
            caught_up: 0,
            longest: (Longest::default(), Longest::default()),
            since_us: i64::MIN,
        }
    }
}

impl Standing {
    pub(super) fn on_packet(&mut self, packet: &Arrived) {
        // On two clocks: only differences mean anything.
        let delay = packet.arrival_us.saturating_sub(packet.sent_us);
        self.path.add(packet.sent_us, delay);
        self.late.add(packet.sent_us, delay);
        self.longer.add(packet.sent_us, delay);
        let (sent, arrived) = *self.begun.get_or_insert((packet.sent_us, packet.arrival_us));
        let apart = packet.sent_us.saturating_sub(sent);
        if apart >= APART_US {
            let gap = packet.arrival_us.saturating_sub(arrived).max(0);
            if gap.saturating_mul(BUNCHED_PART) <= apart {
                let more = apart.saturating_sub(gap).min(PATH_US);
                self.caught_up = self.caught_up.saturating_add(more);
            } else {
                let caught_up = std::mem::take(&mut self.caught_up);
                self.note(packet.sent_us, caught_up);
            }
            self.begun = Some((packet.sent_us, packet.arrival_us));
        }
    }

    fn note(&mut self, at_us: i64, caught_up: i64) {
        if at_us.saturating_sub(self.since_us) >= PATH_US {
            self.longest = (Longest::default(), self.longest.0);
            self.since_us = at_us;
        }
        let mut more = caught_up;
        for longest in &mut self.longest.0 {
            if more > *longest {
                std::mem::swap(&mut more, longest);
            }
        }
    }

    /// Delay that comes of packets held up together, microseconds.
    pub(super) fn held_up_us(&self) -> i64 {
        let (current, before) = &self.longest;
        let least = |longest: &Longest| longest.last().copied().unwrap_or(0);
        least(current).max(least(before))
    }

    pub(super) fn stands(&self) -> bool {
        let jitter = self.held_up_us();
        let late = if jitter < STANDS_US { &self.late } else { &self.longer };
        late.get().saturating_sub(self.path.get()) >= STANDS_US.saturating_add(jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet each 33 ms, with such delays, ms.
    fn after(delays: impl Iterator<Item = i64>) -> Standing {
        let mut standing = Standing::default();
        let mut last = 0;
        for (n, delay) in (0..).zip(delays) {
            let sent_us = n * 33_000;
            // They keep their order.
            last = (sent_us + delay * 1_000).max(last);
            standing.on_packet(&Arrived { sent_us, arrival_us: last, bytes: 1_000, cluster: 0 });
        }
        standing
    }

    /// Now and then 130 ms late, with those behind it.
    fn jitter(n: i64) -> i64 {
        if n % 9 == 0 { 130 } else { 5 }
    }

    #[test]
    fn held_up_packets_are_known_and_no_queue() {
        let standing = after((0..200).map(jitter));
        assert!((80_000..140_000).contains(&standing.held_up_us()), "{}", standing.held_up_us());
        assert!(!standing.stands());
    }

    #[test]
    fn a_queue_stands_with_jitter_and_without() {
        let (calm, late) = (|n| i64::from(n > 180) * 40, |n| jitter(n) + i64::from(n > 170) * 200);
        assert!(after((0..200).map(calm)).stands());
        assert!(after((0..200).map(late)).stands());
    }

    #[test]
    fn a_queue_that_drains_twice_is_no_jitter() {
        let drains = after((0..300).map(|n| if n == 100 || n == 200 { 150 } else { 5 }));
        assert_eq!(drains.held_up_us(), 0);
    }
}
