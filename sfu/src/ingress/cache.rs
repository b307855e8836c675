//! The packets of one incoming layer that are kept for retransmission to receivers.

use crate::limits;
use crate::pool::{PacketRef, Pool};

/// Entries that may be given back with each packet that comes: more than one, so that a stream that
/// became slower empties its ring.
const EXPIRE: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Entry {
    seq: u64,
    packet: PacketRef,
    /// When it came, in milliseconds; wraps.
    at: u32,
}

/// A ring indexed by sequence number. Holds one reference per entry, for
/// [`limits::CACHE_AGE`] at most as long as packets come.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: Vec<Option<Entry>>,
    /// Everything before this number is gone.
    tail: u64,
    head: u64,
}

impl Cache {
    /// `size` must be a power of two.
    pub(crate) fn new(size: usize) -> Self {
        debug_assert!(size.is_power_of_two());
        Self { entries: vec![None; size], tail: u64::MAX, head: 0 }
    }

    fn index(&self, seq: u64) -> usize {
        (seq as usize) & self.entries.len().wrapping_sub(1)
    }

    /// Keeps `packet`, which replaces the one a ring's length before it. A packet older than what
    /// stands in its place is not kept.
    /// `now_us` is the time in microseconds.
    pub(crate) fn insert(&mut self, pool: &mut Pool, seq: u64, packet: PacketRef, now_us: u64) {
        let at = (now_us / 1_000) as u32;
        let index = self.index(seq);
        let Some(entry) = self.entries.get_mut(index) else { return };
        if let Some(old) = *entry {
            if old.seq >= seq {
                return;
            }
            pool.release(old.packet);
        }
        pool.hold(packet);
        *entry = Some(Entry { seq, packet, at });
        self.tail = self.tail.min(seq);
        self.head = self.head.max(seq);
        self.expire(pool, at);
    }

    fn expire(&mut self, pool: &mut Pool, now: u32) {
        // What the ring's own length has pushed out needs no look.
        let ring = (self.entries.len() as u64).wrapping_sub(1);
        self.tail = self.tail.max(self.head.saturating_sub(ring));
        for _ in 0..EXPIRE {
            if self.tail >= self.head {
                return;
            }
            let index = self.index(self.tail);
            let Some(entry) = self.entries.get_mut(index) else { return };
            if let Some(old) = *entry
                && old.seq == self.tail
            {
                let age = u128::from(now.wrapping_sub(old.at));
                if age <= limits::CACHE_AGE.as_millis() {
                    return;
                }
                pool.release(old.packet);
                *entry = None;
            }
            self.tail = self.tail.wrapping_add(1);
        }
    }

    /// The packet with exactly this sequence number.
    pub(crate) fn get(&self, seq: u64) -> Option<PacketRef> {
        match *self.entries.get(self.index(seq))? {
            Some(entry) if entry.seq == seq => Some(entry.packet),
            _ => None,
        }
    }

    /// Gives all packets back.
    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        for entry in &mut self.entries {
            if let Some(entry) = entry.take() {
                pool.release(entry.packet);
            }
        }
        (self.tail, self.head) = (u64::MAX, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_ring_of_packets_is_kept() {
        let mut pool = Pool::new();
        let mut cache = Cache::new(4);
        for seq in 100..110 {
            let packet = pool.take().unwrap();
            cache.insert(&mut pool, seq, packet, 0);
            pool.release(packet);
        }
        assert!(cache.get(105).is_none());
        assert!((106..110).all(|seq| cache.get(seq).is_some()));
        assert_eq!(pool.in_use(), 4);
        cache.clear(&mut pool);
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn a_slow_stream_keeps_a_second_and_no_more() {
        let mut pool = Pool::new();
        let mut cache = Cache::new(512);
        // 50 packets a second, then 10, with every seventh number lost.
        let mut now_us = 0;
        for seq in 1_000..1_400 {
            now_us += if seq < 1_200 { 20_000 } else { 100_000 };
            if seq % 7 == 0 {
                continue;
            }
            let packet = pool.take().unwrap();
            cache.insert(&mut pool, seq, packet, now_us);
            pool.release(packet);
            let most = if seq < 1_250 { 52 } else { 11 };
            assert!(pool.in_use() <= most, "{} packets at {seq}", pool.in_use());
        }
        assert!(cache.get(1_391).is_some());
        assert!(cache.get(1_388).is_none());
        cache.clear(&mut pool);
        assert_eq!(pool.in_use(), 0);
    }
}
