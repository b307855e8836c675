//! Replay windows and the packet index per SSRC (RFC 3711 3.3.1, 3.3.2).

use crate::limits::MAX_SRTP_SSRCS;

/// A sliding window of `WORDS * 64` packet indices; `WORDS` is a power of two.
#[derive(Debug, Clone)]
pub(crate) struct ReplayWindow<const WORDS: usize> {
    highest: u64,
    /// Bit `i % (WORDS * 64)` is set when index `i` of the window was seen.
    seen: [u64; WORDS],
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    const BITS: u64 = {
        assert!(WORDS.is_power_of_two(), "slots are found by masking");
        (WORDS as u64).saturating_mul(64)
    };
    const MASK: u64 = Self::BITS.saturating_sub(1);

    /// A window whose highest index is `first`.
    fn starting_at(first: u64) -> Self {
        let mut window = Self { highest: first, seen: [0; WORDS] };
        window.set(first, true);
        window
    }

    fn slot(index: u64) -> (usize, u64) {
        let bit = index & Self::MASK;
        // Below WORDS, so it fits.
        ((bit / 64) as usize, 1u64 << (bit % 64))
    }

    fn set(&mut self, index: u64, value: bool) {
        let (word, mask) = Self::slot(index);
        if let Some(word) = self.seen.get_mut(word) {
            if value {
                *word |= mask;
            } else {
                *word &= !mask;
            }
        }
    }

    /// Whether a packet of `index` is neither seen nor older than the window.
    fn is_new(&self, index: u64) -> bool {
        if index > self.highest {
            return true;
        }
        if self.highest.wrapping_sub(index) >= Self::BITS {
            return false;
        }
        let (word, mask) = Self::slot(index);
        self.seen.get(word).is_some_and(|w| w & mask == 0)
    }

    /// Remembers an authenticated packet.
    fn accept(&mut self, index: u64) {
        if index > self.highest {
            let steps = index.wrapping_sub(self.highest);
            if steps >= Self::BITS {
                self.seen = [0; WORDS];
            } else {
                for step in 1..=steps {
                    self.set(self.highest.wrapping_add(step), false);
                }
            }
            self.highest = index;
        }
        self.set(index, true);
    }
}

/// The 48-bit packet index of `seq` next to the highest one seen (RFC 3711 appendix A).
/// `None` when it would lie before the first rollover, where no packet can be.
pub(crate) fn estimate_index(highest: Option<u64>, seq: u16) -> Option<u64> {
    let Some(highest) = highest else { return Some(u64::from(seq)) };
    let roc = highest >> 16;
    let last = (highest & 0xffff) as u16;
    let roc = if last < 0x8000 {
        if u32::from(seq).saturating_sub(u32::from(last)) > 0x8000 {
            roc.checked_sub(1)?
        } else {
            roc
        }
    } else if u32::from(last).saturating_sub(0x8000) > u32::from(seq) {
        roc.saturating_add(1)
    } else {
        roc
    };
    // A rollover counter has 32 bits; the key must be changed before they are used up.
    (roc <= u64::from(u32::MAX)).then_some((roc << 16) | u64::from(seq))
}

#[derive(Debug)]
struct Entry<const WORDS: usize> {
    ssrc: u32,
    used: u64,
    window: ReplayWindow<WORDS>,
}

/// What is known about each SSRC the peer sends. Bounded: the one unused for longest makes room.
#[derive(Debug)]
pub(crate) struct SsrcTable<const WORDS: usize> {
    entries: Vec<Entry<WORDS>>,
    /// Where the last packet's SSRC was found: packets come in runs.
    last: usize,
    clock: u64,
}

impl<const WORDS: usize> SsrcTable<WORDS> {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), last: 0, clock: 0 }
    }

    fn find(&self, ssrc: u32) -> Option<usize> {
        if self.entries.get(self.last).is_some_and(|e| e.ssrc == ssrc) {
            return Some(self.last);
        }
        self.entries.iter().position(|e| e.ssrc == ssrc)
    }

    /// The highest authenticated index of `ssrc`.
    pub(crate) fn highest(&self, ssrc: u32) -> Option<u64> {
        self.find(ssrc).and_then(|at| self.entries.get(at)).map(|e| e.window.highest)
    }

    /// Whether a packet is new. True for an unknown SSRC.
    pub(crate) fn is_new(&self, ssrc: u32, index: u64) -> bool {
        self.find(ssrc).and_then(|at| self.entries.get(at)).is_none_or(|e| e.window.is_new(index))
    }

    /// Remembers an authenticated packet.
    pub(crate) fn accept(&mut self, ssrc: u32, index: u64) {
        self.clock = self.clock.wrapping_add(1);
        if let Some(at) = self.find(ssrc)
            && let Some(entry) = self.entries.get_mut(at)
        {
            entry.window.accept(index);
            entry.used = self.clock;
            self.last = at;
            return;
        }
        if self.entries.len() >= MAX_SRTP_SSRCS
            && let Some(oldest) =
                self.entries.iter().enumerate().min_by_key(|(_, e)| e.used).map(|(at, _)| at)
        {
            self.entries.swap_remove(oldest);
        }
        self.last = self.entries.len();
        self.entries.push(Entry {
            ssrc,
            used: self.clock,
            window: ReplayWindow::starting_at(index),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_each_index_once_and_none_older_than_itself() {
        let mut window = ReplayWindow::<2>::starting_at(1_000);
        assert!(!window.is_new(1_000));
        assert!(window.is_new(999));
        window.accept(999);
        assert!(!window.is_new(999));
        window.accept(1_100);
        assert!(window.is_new(1_050));
        assert!(!window.is_new(1_000));
        assert!(window.is_new(973));
        assert!(!window.is_new(972), "older than 128");
        window.accept(10_000);
        assert!(window.is_new(9_999));
        assert!(!window.is_new(10_000));
        assert!(!window.is_new(1_100));
    }

    #[test]
    fn the_index_follows_the_sequence_number_across_rollovers() {
        assert_eq!(estimate_index(None, 7), Some(7));
        assert_eq!(estimate_index(Some(0xfffe), 2), Some(0x1_0002));
        assert_eq!(estimate_index(Some(0x1_0002), 0xfffe), Some(0xfffe));
        assert_eq!(estimate_index(Some(0x1_8001), 0x0000), Some(0x2_0000));
        assert_eq!(estimate_index(Some(0x1_8001), 0x0001), Some(0x1_0001));
        assert_eq!(estimate_index(Some(2), 0xfffe), None, "before the beginning");
        assert_eq!(estimate_index(Some(0xffff_ffff_ffff), 0), None, "the key is used up");
    }

    #[test]
    fn the_table_is_bounded_and_drops_the_ssrc_unused_for_longest() {
        let mut table = SsrcTable::<2>::new();
        for ssrc in 0..MAX_SRTP_SSRCS as u32 {
            table.accept(ssrc, 5);
        }
        table.accept(0, 6);
        table.accept(1_000_000, 5);
        assert_eq!(table.entries.len(), MAX_SRTP_SSRCS);
        assert_eq!(table.highest(0), Some(6));
        assert_eq!(table.highest(1), None);
        assert_eq!(table.highest(1_000_000), Some(5));
    }
}
