//! What the publishers' own numbers say is missing, whatever sequence numbers the server makes of it.
//!
//! The rule. Packets are numbered by publisher and layer. A gap counts when the packets on both of its sides came in one
//! stream, one behind the other, without another layer or publisher between, and were sent within a second (higher
//! temporal layers: 300 ms) of each other; a longer pause is a layer or a picture that nobody wanted. What is missing may come late, for a second.
//!
//! Where all packets are opened, temporal layers are numbered apart: one that is left out on purpose is no gap. Where a
//! sample is opened, the numbers between two of them are compared with the sequence numbers between them, of streams
//! with one temporal layer alone: others may be thinned.

use crate::media::Stamp;
use std::time::{Duration, Instant};

/// Later, it is missing.
const PATIENCE: Duration = Duration::from_secs(1);
/// A longer pause is no gap.
const PAUSE_US: u64 = 1_000_000;
/// Likewise in higher temporal layers, which come and go while a server finds out what a path carries: two frames of the
/// second layer of three at 30 a second are 267 ms apart when one between is missing.
const TEMPORAL_PAUSE_US: u64 = 300_000;
/// Missing numbers kept.
const MAX_MISSING: usize = 256;

/// What a stamp changed in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// Another publisher.
    pub(super) publisher: bool,
    /// Another layer, or height, of the same one.
    pub(super) layer: bool,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    stamp: Stamp,
    number: u64,
    paddings: u64,
}

/// Of one received stream.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    last: Option<Last>,
    /// By temporal layer: the highest number, and when that was sent.
    highest: [Option<(u32, u64)>; 3],
    missing: Vec<(u8, u32, Instant)>,
    /// Found missing by sequence numbers since.
    lost: u64,
}

impl Stamps {
    /// Height that was seen last.
    pub(super) fn height(&self) -> Option<u16> {
        self.last.map(|last| last.stamp.height)
    }

    pub(super) fn has_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    /// A stamp came in the packet with this extended sequence number. `paddings`: packets of padding alone before it.
    pub(super) fn take(
        &mut self,
        now: Instant,
        stamp: &Stamp,
        number: u64,
        paddings: u64,
        all: bool,
    ) -> Seen {
        let before = self.last;
        let mut seen = Seen::default();
        if let Some(last) = before {
            if number <= last.number {
                // A late one fills its gap and says nothing of the stream as it is now.
                self.fill(stamp);
                return seen;
            }
            let (new, old) = (stamp, &last.stamp);
            seen.publisher = new.source != old.source;
            seen.layer = !seen.publisher && (new.layer, new.height) != (old.layer, old.height);
        }
        self.last = Some(Last { stamp: *stamp, number, paddings });
        if seen.publisher || seen.layer {
            self.highest = [None; 3];
            self.missing.clear();
        }
        if all {
            self.count(now, stamp);
        } else if let Some(last) = before
            && seen == Seen::default()
            && stamp.temporal_layers == 1
            && stamp.sent_us.saturating_sub(last.stamp.sent_us) < PAUSE_US
        {
            let due = stamp.number.wrapping_sub(last.stamp.number) as i32;
            let wire =
                (number - last.number).saturating_sub(paddings - last.paddings.min(paddings));
            self.lost += i64::from(due).saturating_sub(wire as i64).clamp(0, 1_000) as u64;
        }
        seen
    }

    fn count(&mut self, now: Instant, stamp: &Stamp) {
        let Some(highest) = self.highest.get_mut(usize::from(stamp.temporal)) else { return };
        if let Some((number, sent_us)) = *highest {
            let ahead = stamp.number_in_temporal.wrapping_sub(number) as i32;
            if ahead <= 0 {
                return self.fill(stamp);
            }
            let pause = if stamp.temporal == 0 { PAUSE_US } else { TEMPORAL_PAUSE_US };
            if stamp.sent_us.saturating_sub(sent_us) < pause {
                for hole in 1..ahead.min(MAX_MISSING as i32) {
                    if self.missing.len() >= MAX_MISSING {
                        self.lost += 1;
                        continue;
                    }
                    self.missing.push((stamp.temporal, number.wrapping_add(hole as u32), now));
                }
            }
        }
        self.highest[usize::from(stamp.temporal)] = Some((stamp.number_in_temporal, stamp.sent_us));
    }

    fn fill(&mut self, stamp: &Stamp) {
        let same = self.last.is_some_and(|last| {
            (last.stamp.source, last.stamp.layer) == (stamp.source, stamp.layer)
        });
        let found = self.missing.iter().position(|(layer, number, _)| {
            (*layer, *number) == (stamp.temporal, stamp.number_in_temporal)
        });
        if let Some(at) = found.filter(|_| same) {
            self.missing.swap_remove(at);
        }
    }

    /// This many were lost on the wire: where only a sample is opened they count here as well, so far as stamps are
    /// known.
    pub(super) fn lost_on_wire(&mut self, count: u64) {
        if self.last.is_some_and(|last| last.stamp.temporal_layers == 1) {
            self.lost += count;
        }
    }

    /// Missing for good since the last call.
    pub(super) fn give_up(&mut self, now: Instant) -> u64 {
        let before = self.missing.len();
        self.missing.retain(|(_, _, since)| now.saturating_duration_since(*since) < PATIENCE);
        (before - self.missing.len()) as u64 + std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(number: u32) -> Stamp {
        Stamp {
            source: 1,
            temporal_layers: 1,
            height: 360,
            number,
            number_in_temporal: number,
            sent_us: u64::from(number) * 10_000,
            ..Stamp::default()
        }
    }

    #[test]
    fn a_server_that_renumbers_what_is_left_is_found_out() {
        for all in [true, false] {
            let now = Instant::now();
            let mut stamps = Stamps::default();
            for (number, seq) in [(10, 1), (11, 2), (14, 3), (15, 4)] {
                stamps.take(now, &stamp(number), seq, 0, all);
            }
            assert_eq!(stamps.give_up(now + PATIENCE), 2, "{all}");
            assert_eq!(stamps.give_up(now + PATIENCE), 0, "{all}");
        }
    }

    #[test]
    fn what_comes_late_is_not_missing() {
        let now = Instant::now();
        let mut stamps = Stamps::default();
        for (number, seq) in [(10, 1), (12, 3), (11, 2)] {
            stamps.take(now, &stamp(number), seq, 0, true);
        }
        assert_eq!(stamps.give_up(now + PATIENCE), 0);
    }

    #[test]
    fn another_layer_or_publisher_or_a_pause_is_no_gap() {
        for all in [true, false] {
            let now = Instant::now();
            let mut stamps = Stamps::default();
            stamps.take(now, &stamp(10), 1, 0, all);
            let other =
                Stamp { layer: 2, height: 720, number: 500, number_in_temporal: 500, ..stamp(11) };
            let seen = stamps.take(now, &other, 2, 0, all);
            assert_eq!(seen, Seen { publisher: false, layer: true });
            assert_eq!(stamps.height(), Some(720));
            assert!(stamps.take(now, &stamp(30), 3, 0, all).layer);
            let seen = stamps.take(now, &Stamp { source: 2, ..stamp(90) }, 4, 0, all);
            assert_eq!(seen, Seen { publisher: true, layer: false });
            stamps.take(now, &Stamp { source: 2, ..stamp(290) }, 5, 0, all);
            assert_eq!(stamps.give_up(now + PATIENCE), 0, "{all}");
        }
    }

    #[test]
    fn a_temporal_layer_that_is_left_out_is_no_gap() {
        let now = Instant::now();
        let mut stamps = Stamps::default();
        for (seq, n) in (0..20_u32).enumerate() {
            // Only the lower layer: every other number of the whole.
            let stamp = Stamp { temporal_layers: 2, number_in_temporal: n, ..stamp(2 * n) };
            stamps.take(now, &stamp, seq as u64, 0, true);
        }
        assert_eq!(stamps.give_up(now + PATIENCE), 0);
    }

    #[test]
    fn padding_between_samples_hides_nothing() {
        let now = Instant::now();
        let mut stamps = Stamps::default();
        stamps.take(now, &stamp(10), 10, 0, false);
        stamps.take(now, &stamp(26), 28, 5, false);
        assert_eq!(stamps.give_up(now), 3);
    }
}
