//! What was sent, until the receiver has told its fate.

use crate::limits::HISTORY;

/// A packet's fate as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Empty,
    Sent,
    /// Reported as not received; may still arrive out of order.
    Missing,
    /// Missing for so long that it counted as lost.
    Lost,
    Received,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Lower 32 bits of the time in microseconds.
    sent_us: u32,
    seq: u16,
    bytes: u16,
    cluster: u8,
    fate: Fate,
}

const EMPTY: Entry = Entry { sent_us: 0, seq: 0, bytes: 0, cluster: 0, fate: Fate::Empty };

/// What a status of a feedback means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// News: the packet arrived.
    Arrived {
        /// When it was sent.
        sent_us: i64,
        /// Its size.
        bytes: u16,
        /// Its probe cluster, 0 for none.
        cluster: u8,
        /// It had been counted as lost.
        was_lost: bool,
        /// It had been reported missing.
        was_missing: bool,
    },
    /// News: it has not arrived yet.
    Missing,
    /// Known already.
    Repeated,
    /// Never sent, or forgotten.
    Unknown,
}

/// A judged packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) sent_us: i64,
    pub(crate) bytes: u16,
    pub(crate) lost: bool,
}

/// A ring of sent packets by transport-wide sequence number.
#[derive(Debug)]
pub(crate) struct History {
    ring: Box<[Entry]>,
    /// First packet not judged, and one past the newest packet sent.
    judge: u16,
    end: u16,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { ring: vec![EMPTY; HISTORY].into_boxed_slice(), judge: 0, end: 0 }
    }

    pub(crate) fn sent(&mut self, now_us: i64, seq: u16, bytes: u16, cluster: u8) {
        // A jump, forward or back (a new path, a lost count), leaves nothing to judge behind.
        if seq != self.end {
            self.judge = seq;
        }
        self.end = seq.wrapping_add(1);
        if usize::from(self.end.wrapping_sub(self.judge)) > HISTORY {
            self.judge = self.end.wrapping_sub(HISTORY as u16);
        }
        if let Some(entry) = self.ring.get_mut(usize::from(seq) % HISTORY) {
            *entry = Entry { sent_us: low(now_us), seq, bytes, cluster, fate: Fate::Sent };
        }
    }

    pub(crate) fn report(&mut self, now_us: i64, seq: u16, arrived: bool) -> Report {
        let Some(entry) = self.ring.get_mut(usize::from(seq) % HISTORY) else {
            return Report::Unknown;
        };
        if entry.seq != seq {
            return Report::Unknown;
        }
        match (entry.fate, arrived) {
            (Fate::Empty, _) => Report::Unknown,
            (Fate::Received, _) | (Fate::Missing | Fate::Lost, false) => Report::Repeated,
            (Fate::Sent, false) => {
                entry.fate = Fate::Missing;
                Report::Missing
            }
            (before @ (Fate::Sent | Fate::Missing | Fate::Lost), true) => {
                entry.fate = Fate::Received;
                Report::Arrived {
                    sent_us: full(now_us, entry.sent_us),
                    bytes: entry.bytes,
                    cluster: entry.cluster,
                    was_lost: before == Fate::Lost,
                    was_missing: before != Fate::Sent,
                }
            }
        }
    }

    /// The next packet in sending order whose fate is settled: those sent before `before_us` that
    /// are still missing count as lost. Packets of which no feedback told are passed over.
    pub(crate) fn judge(&mut self, now_us: i64, before_us: i64) -> Option<Verdict> {
        while self.judge != self.end {
            let seq = self.judge;
            let entry = self.ring.get_mut(usize::from(seq) % HISTORY)?;
            let sent_us = full(now_us, entry.sent_us);
            if entry.seq == seq && sent_us > before_us {
                return None;
            }
            self.judge = seq.wrapping_add(1);
            if entry.seq != seq {
                continue;
            }
            let lost = match entry.fate {
                Fate::Missing => {
                    entry.fate = Fate::Lost;
                    true
                }
                Fate::Received => false,
                Fate::Empty | Fate::Sent | Fate::Lost => continue,
            };
            return Some(Verdict { sent_us, bytes: entry.bytes, lost });
        }
        None
    }
}

fn low(us: i64) -> u32 {
    us.cast_unsigned() as u32
}

/// The latest time up to `now_us` with these lower bits.
fn full(now_us: i64, low_bits: u32) -> i64 {
    now_us.saturating_sub(i64::from(low(now_us).wrapping_sub(low_bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_small() {
        assert!(size_of::<Entry>() * HISTORY <= 32 * 1024);
    }

    #[test]
    fn the_lower_bits_of_a_time_find_it_again() {
        let sent = (1_i64 << 32) - 5;
        assert_eq!(full(sent + 100, low(sent)), sent);
    }

    #[test]
    fn a_missing_packet_is_lost_once_and_may_come_back() {
        let mut history = History::new();
        history.sent(10, 65_535, 100, 0);
        history.sent(20, 0, 100, 0);
        assert_eq!(history.report(30, 65_535, false), Report::Missing);
        assert_eq!(history.report(30, 65_535, false), Report::Repeated);
        assert!(matches!(history.report(30, 0, true), Report::Arrived { sent_us: 20, .. }));
        assert_eq!(history.judge(40, 20), Some(Verdict { sent_us: 10, bytes: 100, lost: true }));
        assert_eq!(history.judge(40, 20), Some(Verdict { sent_us: 20, bytes: 100, lost: false }));
        assert_eq!(history.judge(40, 20), None);
        assert!(matches!(history.report(50, 65_535, true), Report::Arrived { was_lost: true, .. }));
        assert_eq!(history.report(50, 7, true), Report::Unknown);
    }
}
