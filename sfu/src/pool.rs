//! The shard's packet pool: fixed slots, shared by index, counted by reference.
//!
//! A slot holds one decrypted RTP packet and what was found out about it. The NACK cache and the
//! egress queues hold references; when the last goes, the slot is free again. It grows in steps up
//! to [`limits::POOL_PACKETS`] and never shrinks, so after warm-up nothing is allocated.

use crate::limits;
use crate::packet::PacketMeta;

/// A slot's index. Only valid while a reference is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketRef(u32);

struct Slot {
    refs: u32,
    meta: PacketMeta,
    bytes: Box<[u8]>,
}

/// The pool.
#[derive(Default)]
pub(crate) struct Pool {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes a free slot with one reference; `None` when the limit is reached.
    pub(crate) fn take(&mut self) -> Option<PacketRef> {
        if self.free.is_empty() {
            self.grow();
        }
        let index = self.free.pop()?;
        let slot = self.slots.get_mut(index as usize)?;
        debug_assert_eq!(slot.refs, 0, "a free slot has no references");
        slot.refs = 1;
        Some(PacketRef(index))
    }

    fn grow(&mut self) {
        let start = self.slots.len();
        let end = start.saturating_add(limits::POOL_STEP).min(limits::POOL_PACKETS);
        for index in start..end {
            self.slots.push(Slot {
                refs: 0,
                meta: PacketMeta::default(),
                bytes: vec![0; limits::PACKET_BYTES].into_boxed_slice(),
            });
            if let Ok(index) = u32::try_from(index) {
                self.free.push(index);
            }
        }
        // Room for every slot at once: `release` must not allocate.
        self.free.reserve(end.saturating_sub(self.free.len()));
    }

    /// One more reference.
    pub(crate) fn hold(&mut self, packet: PacketRef) {
        if let Some(slot) = self.slots.get_mut(packet.0 as usize) {
            debug_assert!(slot.refs > 0, "only a held packet can be shared");
            slot.refs = slot.refs.saturating_add(1);
        }
    }

    /// One reference less.
    pub(crate) fn release(&mut self, packet: PacketRef) {
        if let Some(slot) = self.slots.get_mut(packet.0 as usize) {
            debug_assert!(slot.refs > 0, "released more often than held");
            slot.refs = slot.refs.saturating_sub(1);
            if slot.refs == 0 {
                self.free.push(packet.0);
            }
        }
    }

    /// The bytes, all of the slot.
    #[must_use]
    pub(crate) fn bytes(&self, packet: PacketRef) -> &[u8] {
        self.slots.get(packet.0 as usize).map(|slot| &*slot.bytes).unwrap_or_default()
    }

    /// The bytes for writing.
    pub(crate) fn bytes_mut(&mut self, packet: PacketRef) -> &mut [u8] {
        self.slots.get_mut(packet.0 as usize).map(|slot| &mut *slot.bytes).unwrap_or_default()
    }

    /// What is known about the packet.
    #[must_use]
    pub(crate) fn meta(&self, packet: PacketRef) -> PacketMeta {
        self.slots.get(packet.0 as usize).map(|slot| slot.meta).unwrap_or_default()
    }

    /// The same without copying it.
    #[must_use]
    pub(crate) fn look(&self, packet: PacketRef) -> Option<&PacketMeta> {
        self.slots.get(packet.0 as usize).map(|slot| &slot.meta)
    }

    /// Replaces what is known.
    pub(crate) fn set_meta(&mut self, packet: PacketRef, meta: PacketMeta) {
        if let Some(slot) = self.slots.get_mut(packet.0 as usize) {
            slot.meta = meta;
        }
    }

    /// Slots in use.
    #[must_use]
    pub(crate) fn in_use(&self) -> usize {
        self.slots.len().saturating_sub(self.free.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_its_last_reference_goes() {
        let mut pool = Pool::new();
        let packet = pool.take().unwrap();
        pool.hold(packet);
        pool.release(packet);
        assert_eq!(pool.in_use(), 1);
        pool.release(packet);
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn the_pool_is_bounded() {
        let mut pool = Pool::new();
        let mut taken = 0;
        while pool.take().is_some() {
            taken += 1;
        }
        assert_eq!(taken, limits::POOL_PACKETS);
    }
}
