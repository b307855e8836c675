//! What a peer knows that reads headers only: enough for crowds, and cheap.

use super::Slot;
use std::time::{Duration, Instant};

/// Totals of one slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skim {
    /// Media packets.
    pub packets: u64,
    /// Their bytes, sealed.
    pub bytes: u64,
    /// Ends of pictures: packets with a marker.
    pub pictures: u64,
    /// Numbers that were left out, less those that came late.
    pub holes: i64,
    /// When the first packet came.
    pub first: Option<Instant>,
    /// When the last packet came.
    pub last: Option<Instant>,
    /// The longest time between two packets.
    pub longest_gap: Duration,
}

impl Slot {
    /// Takes a packet's header.
    pub(crate) fn skim(&mut self, now: Instant, number: u16, marker: bool, bytes: usize) {
        let before = self.unwrapper.highest();
        let seq = self.unwrapper.unwrap(number);
        let skim = &mut self.skim;
        skim.packets += 1;
        skim.bytes += bytes as u64;
        skim.pictures += u64::from(marker);
        if let Some(before) = before {
            skim.holes += if seq > before { (seq - before - 1) as i64 } else { -1 };
        }
        skim.first.get_or_insert(now);
        if let Some(last) = skim.last.replace(now) {
            skim.longest_gap = skim.longest_gap.max(now - last);
        }
        self.first = Some(self.first.map_or(seq, |first| first.min(seq)));
        self.received += 1;
    }
}
