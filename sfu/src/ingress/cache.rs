//! The packets of one incoming layer that are kept for retransmission to receivers.

use crate::pool::{PacketRef, Pool};

/// A ring indexed by sequence number. Holds one reference per entry.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: Vec<Option<(u64, PacketRef)>>,
}

impl Cache {
    /// `size` must be a power of two.
    pub(crate) fn new(size: usize) -> Self {
        debug_assert!(size.is_power_of_two());
        Self { entries: vec![None; size] }
    }

    fn index(&self, seq: u64) -> usize {
        (seq as usize) & self.entries.len().wrapping_sub(1)
    }

    /// Keeps `packet`, which replaces the one a ring's length before it. A packet older than what
    /// stands in its place is not kept.
    pub(crate) fn insert(&mut self, pool: &mut Pool, seq: u64, packet: PacketRef) {
        let index = self.index(seq);
        let Some(entry) = self.entries.get_mut(index) else { return };
        if let Some((old_seq, old)) = *entry {
            if old_seq >= seq {
                return;
            }
            pool.release(old);
        }
        pool.hold(packet);
        *entry = Some((seq, packet));
    }

    /// The packet with exactly this sequence number.
    pub(crate) fn get(&self, seq: u64) -> Option<PacketRef> {
        match *self.entries.get(self.index(seq))? {
            Some((kept, packet)) if kept == seq => Some(packet),
            _ => None,
        }
    }

    /// Gives all packets back.
    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        for entry in &mut self.entries {
            if let Some((_, packet)) = entry.take() {
                pool.release(packet);
            }
        }
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
            cache.insert(&mut pool, seq, packet);
            pool.release(packet);
        }
        assert!(cache.get(105).is_none());
        assert!((106..110).all(|seq| cache.get(seq).is_some()));
        assert_eq!(pool.in_use(), 4);
        cache.clear(&mut pool);
        assert_eq!(pool.in_use(), 0);
    }
}
