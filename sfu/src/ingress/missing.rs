//! What is missing in one incoming stream, and when to ask for it again (RFC 4585 6.2.1).

use crate::limits;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
struct Entry {
    seq: u64,
    since: Instant,
    next: Instant,
    tries: u8,
}

/// Missing sequence numbers, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    entries: Vec<Entry>,
}

/// What a look at the list found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Entries given up since the last look.
    pub(crate) given_up: u32,
}

impl Missing {
    /// Everything in `from..to` is missing. Returns false when that is too much to be loss: then
    /// the list is emptied and a key frame is the way out.
    pub(crate) fn add(&mut self, from: u64, to: u64, now: Instant) -> bool {
        let count = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        if count.saturating_add(self.entries.len()) > limits::MISSING {
            self.entries.clear();
            return false;
        }
        // The first request waits a little: most gaps are reordering.
        let next = now.checked_add(Duration::from_millis(5)).unwrap_or(now);
        self.entries.extend((from..to).map(|seq| Entry { seq, since: now, next, tries: 0 }));
        true
    }

    /// `seq` arrived after all. True when it was on the list.
    pub(crate) fn found(&mut self, seq: u64) -> bool {
        match self.entries.binary_search_by_key(&seq, |entry| entry.seq) {
            Ok(index) => {
                self.entries.remove(index);
                true
            }
            Err(_) => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Writes what should be asked for now to `out` and forgets what is too old.
    pub(crate) fn due(&mut self, now: Instant, rtt: Duration, out: &mut Vec<u16>) -> Due {
        let before = self.entries.len();
        self.entries.retain(|entry| {
            entry.tries < limits::NACK_TRIES
                && now.saturating_duration_since(entry.since) < limits::NACK_AGE
        });
        let interval = rtt.saturating_add(Duration::from_millis(10)).max(limits::NACK_TICK);
        for entry in &mut self.entries {
            if entry.next <= now {
                out.push(entry.seq as u16);
                entry.tries = entry.tries.saturating_add(1);
                entry.next = now.checked_add(interval).unwrap_or(now);
            }
        }
        let given_up = before.saturating_sub(self.entries.len());
        Due { given_up: u32::try_from(given_up).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    #[test]
    fn a_gap_is_asked_for_after_a_grace_and_again_after_a_round_trip() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut missing = Missing::default();
        assert!(missing.add(10, 13, start));
        assert!(missing.found(11));
        assert!(!missing.found(11));
        let mut out = Vec::new();
        missing.due(at(1), RTT, &mut out);
        assert!(out.is_empty());
        missing.due(at(5), RTT, &mut out);
        assert_eq!(out, [10, 12]);
        out.clear();
        missing.due(at(30), RTT, &mut out);
        assert!(out.is_empty());
        missing.due(at(70), RTT, &mut out);
        assert_eq!(out, [10, 12]);
    }

    #[test]
    fn what_never_comes_is_given_up() {
        let start = Instant::now();
        let mut missing = Missing::default();
        missing.add(1, 3, start);
        let mut out = Vec::new();
        let due = missing.due(start + limits::NACK_AGE, RTT, &mut out);
        assert_eq!(due.given_up, 2);
        assert!(missing.is_empty() && out.is_empty());
    }

    #[test]
    fn a_large_gap_is_not_loss() {
        let mut missing = Missing::default();
        assert!(!missing.add(0, 10_000, Instant::now()));
        assert!(missing.is_empty());
    }
}
