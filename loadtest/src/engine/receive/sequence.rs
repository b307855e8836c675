//! Sequence numbers of a stream: what came, what is missing, for how long (RFC 3550 A.1, A.3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use weir_wire::rtp::seq::SeqUnwrapper;

/// A missing packet is given up after this time.
pub(super) const GIVEN_UP: Duration = Duration::from_secs(1);
/// A jump by this many is a sender that began anew, once the next packet confirms it (RFC 3550 A.1).
pub(super) const DROPOUT: u64 = 3_000;
/// Missing packets kept, at most: more are given up at once.
const MAX_MISSING: usize = 512;
/// Requests for one packet, at most.
const MAX_TRIES: u8 = 10;

/// The packet came.
pub(super) const CAME: u8 = 1;
/// Marker bit.
pub(super) const MARKER: u8 = 2;
/// A key frame starts here.
pub(super) const KEY: u8 = 4;
/// Padding alone.
pub(super) const PADDING: u8 = 16;

#[derive(Debug, Clone, Copy)]
struct Missing {
    number: u64,
    since: Instant,
    next: Instant,
    tries: u8,
}

/// What a number meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// First time; this many numbers are due since the last, 0 for one that was missing.
    New { number: u64, due: u64 },
    /// Came before, or too late to say.
    Repeat,
    /// The sender has jumped far: perhaps it began anew.
    Strange,
}

/// One stream's numbers.
#[derive(Debug)]
pub(super) struct Sequence {
    unwrapper: SeqUnwrapper,
    first: u64,
    /// Flags of the last numbers, by their lower bits.
    ring: Box<[u8]>,
    missing: VecDeque<Missing>,
    /// Since the first number, and of streams before that began anew.
    expected: u64,
    lost: u64,
    strange: Option<u16>,
}

impl Sequence {
    /// `window`: numbers remembered, a power of two.
    pub(super) fn new(window: usize) -> Self {
        Self {
            unwrapper: SeqUnwrapper::default(),
            first: 0,
            ring: vec![0; window.next_power_of_two()].into(),
            missing: VecDeque::new(),
            expected: 0,
            lost: 0,
            strange: None,
        }
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.unwrapper.highest()
    }

    /// Due since the beginning.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// Given up, and still missing.
    pub(super) fn absent(&self) -> u64 {
        self.lost + self.missing.len() as u64
    }

    pub(super) fn has_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    pub(super) fn is_missing(&self, number: u16) -> bool {
        let number = self.unwrapper.peek(number);
        self.missing.iter().any(|missing| missing.number == number)
    }

    fn place(&self, number: u64) -> usize {
        number as usize & (self.ring.len() - 1)
    }

    /// Flags of a number, 0 when it has not come or is too old.
    pub(super) fn flags(&self, number: u64) -> u8 {
        let highest = self.highest().unwrap_or(0);
        if number > highest || highest - number >= self.ring.len() as u64 {
            return 0;
        }
        self.ring[self.place(number)]
    }

    /// A packet with this number came.
    pub(super) fn take(&mut self, now: Instant, value: u16, flags: u8, wait: Duration) -> Arrival {
        let Some(highest) = self.highest() else {
            return self.begin(value, flags);
        };
        let number = self.unwrapper.peek(value);
        if number.abs_diff(highest) >= DROPOUT {
            if self.strange.is_some_and(|before| value == before.wrapping_add(1)) {
                // It did begin anew. What was missing never comes.
                self.lost += self.missing.len() as u64;
                self.missing.clear();
                self.unwrapper = SeqUnwrapper::default();
                return self.begin(value, flags);
            }
            self.strange = Some(value);
            return Arrival::Strange;
        }
        self.strange = None;
        if number <= highest {
            return self.take_late(number, highest, flags);
        }
        self.unwrapper.unwrap(value);
        let due = number - highest;
        for hole in highest + 1..number {
            let place = self.place(hole);
            self.ring[place] = 0;
            if self.missing.len() >= MAX_MISSING {
                self.missing.pop_front();
                self.lost += 1;
            }
            self.missing.push_back(Missing {
                number: hole,
                since: now,
                next: now + wait,
                tries: 0,
            });
        }
        let place = self.place(number);
        self.ring[place] = flags | CAME;
        self.expected += due;
        Arrival::New { number, due }
    }

    fn begin(&mut self, value: u16, flags: u8) -> Arrival {
        let number = self.unwrapper.unwrap(value);
        self.first = number;
        self.strange = None;
        self.ring.fill(0);
        let place = self.place(number);
        self.ring[place] = flags | CAME;
        self.expected += 1;
        Arrival::New { number, due: 1 }
    }

    fn take_late(&mut self, number: u64, highest: u64, flags: u8) -> Arrival {
        let in_ring = highest - number < self.ring.len() as u64;
        if number < self.first || !in_ring || self.ring[self.place(number)] & CAME != 0 {
            return Arrival::Repeat;
        }
        let Some(at) = self.missing.iter().position(|missing| missing.number == number) else {
            // Given up before.
            return Arrival::Repeat;
        };
        self.missing.remove(at);
        let place = self.place(number);
        self.ring[place] = flags | CAME;
        Arrival::New { number, due: 0 }
    }

    /// Gives up what is missing for too long: how many, and the number behind the last of them.
    pub(super) fn give_up(&mut self, now: Instant, patience: Duration) -> Option<(u64, u64)> {
        let mut given_up = 0;
        let mut floor = 0;
        while let Some(first) = self.missing.front()
            && now.saturating_duration_since(first.since) >= patience
        {
            given_up += 1;
            floor = first.number + 1;
            self.missing.pop_front();
        }
        self.lost += given_up;
        (given_up > 0).then_some((given_up, floor))
    }

    /// Whether this number may still come.
    pub(super) fn may_come(&self, number: u64) -> bool {
        self.missing.iter().any(|missing| missing.number == number)
    }

    /// Numbers to be asked for now, and again after `pause`.
    pub(super) fn ask(&mut self, now: Instant, pause: Duration, into: &mut Vec<u16>) {
        for missing in &mut self.missing {
            if missing.next <= now && missing.tries < MAX_TRIES {
                missing.next = now + pause;
                missing.tries += 1;
                into.push(missing.number as u16);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(5);

    fn new(number: u64, due: u64) -> Arrival {
        Arrival::New { number: 0x1_0000 + number, due }
    }

    #[test]
    fn what_is_missing_is_asked_for_and_given_up_after_a_second() {
        let now = Instant::now();
        let mut seq = Sequence::new(128);
        assert_eq!(seq.take(now, 10, 0, WAIT), new(10, 1));
        assert_eq!(seq.take(now, 14, MARKER, WAIT), new(14, 4));
        assert_eq!(seq.take(now, 12, 0, WAIT), new(12, 0));
        assert_eq!(seq.take(now, 12, 0, WAIT), Arrival::Repeat);
        assert_eq!((seq.expected(), seq.absent()), (5, 2));
        let mut asked = Vec::new();
        seq.ask(now, WAIT, &mut asked);
        assert!(asked.is_empty());
        seq.ask(now + WAIT, WAIT * 2, &mut asked);
        seq.ask(now + WAIT * 2, WAIT * 2, &mut asked);
        assert_eq!(asked, [11, 13]);
        assert_eq!(seq.give_up(now + GIVEN_UP, GIVEN_UP), Some((2, 0x1_0000 + 14)));
        assert_eq!(seq.take(now, 13, 0, WAIT), Arrival::Repeat, "too late");
        assert_eq!((seq.expected(), seq.absent()), (5, 2));
        assert_eq!(seq.flags(0x1_0000 + 14), CAME | MARKER);
        assert_eq!(seq.flags(0x1_0000 + 13), 0);
    }

    #[test]
    fn numbers_wrap_and_a_far_jump_needs_confirmation() {
        let now = Instant::now();
        let mut seq = Sequence::new(128);
        seq.take(now, 65_535, 0, WAIT);
        assert_eq!(seq.take(now, 0, 0, WAIT), new(0x1_0000, 1));
        assert_eq!(seq.take(now, 30_000, 0, WAIT), Arrival::Strange);
        assert_eq!(seq.take(now, 1, 0, WAIT), new(0x1_0001, 1));
        assert_eq!(seq.take(now, 30_000, 0, WAIT), Arrival::Strange);
        assert_eq!(seq.take(now, 30_001, 0, WAIT), new(30_001, 1));
        assert_eq!((seq.expected(), seq.absent()), (4, 0));
    }

    #[test]
    fn more_holes_than_are_kept_are_lost_at_once() {
        let now = Instant::now();
        let mut seq = Sequence::new(1_024);
        seq.take(now, 0, 0, WAIT);
        seq.take(now, 2_000, 0, WAIT);
        assert_eq!(seq.absent(), 1_999);
        assert_eq!(seq.missing.len(), MAX_MISSING);
    }
}
