//! What waits for one receiver: within a batch, or longer where its path carries less.

use crate::pool::PacketRef;
use crate::rewrite::Mapped;
use crate::slot::Outgoing;
use std::collections::VecDeque;

/// One packet to one receiver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    /// Index of the slot in the peer.
    pub(crate) slot: u16,
    /// The packet; the item holds one reference.
    pub(crate) packet: PacketRef,
    /// Its payload type for this receiver, of the moment it was routed: the slot may change before
    /// the batch ends.
    pub(crate) outgoing: Outgoing,
    /// Its numbers for this receiver.
    pub(crate) mapped: Mapped,
    /// Sent again, in the RTX stream where there is one.
    pub(crate) resend: bool,
    /// Payload bytes, for the queue's bounds.
    pub(crate) bytes: u16,
    /// When its slot has its turn: set by [`Queue::push`].
    pub(crate) turn: u32,
}

/// Who goes first: in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Never waits.
    Audio,
    /// What was asked for again: somebody waits for it already.
    Resent,
    /// All other video.
    Video,
}

impl Lane {
    /// All of them, first one first.
    pub(crate) const ALL: [Self; 3] = [Self::Audio, Self::Resent, Self::Video];
}

/// The lanes of one receiver.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lanes: [VecDeque<Item>; 3],
    video_bytes: usize,
    len: usize,
    /// By slot, of video.
    slots: Vec<Waiting>,
    /// Where the turns have come to, in bytes of one slot.
    now: u64,
}

/// What waits of one slot's video.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    bytes: usize,
    /// Where its next packet's turn begins.
    next: u64,
}

/// Slots take turns of so many bytes: packets of a frame still leave together.
const TURN_BYTES: u64 = 8 * 1024;

impl Queue {
    /// Puts an item at the end of its lane.
    pub(crate) fn push(&mut self, lane: Lane, item: Item) {
        self.insert(lane, item, false);
    }

    /// Puts a packet of video behind what has its turn before or with it: each slot that has something
    /// waiting gets the same share of what leaves (start-time fair queueing), in turns of
    /// [`TURN_BYTES`]. Within a slot the order stays.
    pub(crate) fn push_fair(&mut self, item: Item) {
        self.insert(Lane::Video, item, true);
    }

    fn insert(&mut self, lane: Lane, mut item: Item, fair: bool) {
        if lane == Lane::Video {
            let bytes = usize::from(item.bytes);
            self.video_bytes = self.video_bytes.saturating_add(bytes);
            let index = usize::from(item.slot);
            if self.slots.len() <= index {
                self.slots.resize(index.saturating_add(1), Waiting::default());
            }
            let Some(slot) = self.slots.get_mut(index) else { return };
            slot.bytes = slot.bytes.saturating_add(bytes);
            let begins = slot.next.max(self.now);
            slot.next = begins.saturating_add(u64::from(item.bytes));
            item.turn = (begins / TURN_BYTES) as u32;
        }
        self.len = self.len.saturating_add(1);
        let Some(items) = self.lanes.get_mut(lane as usize) else { return };
        items.push_back(item);
        if fair {
            let mut place = items.len().saturating_sub(1);
            while let Some(before) = place.checked_sub(1)
                && items.get(before).is_some_and(|other| other.turn > item.turn)
            {
                items.swap(before, place);
                place = before;
            }
        }
    }

    /// Payload bytes of a slot's video that wait.
    pub(crate) fn slot_bytes(&self, slot: u16) -> usize {
        self.slots.get(usize::from(slot)).map_or(0, |slot| slot.bytes)
    }

    /// A lane's items, first one first.
    pub(crate) fn lane(&self, lane: Lane) -> impl Iterator<Item = &Item> + Clone {
        self.lanes.get(lane as usize).into_iter().flatten()
    }

    /// The items of a lane from `position` on.
    pub(crate) fn from(&self, lane: Lane, position: usize) -> impl Iterator<Item = &Item> + Clone {
        let items = self.lanes.get(lane as usize);
        items.into_iter().flat_map(move |items| items.range(position.min(items.len())..))
    }

    /// Takes the first `count` items of a lane.
    pub(crate) fn take(&mut self, lane: Lane, count: usize, mut each: impl FnMut(Item)) {
        let Some(items) = self.lanes.get_mut(lane as usize) else { return };
        for item in items.drain(..count.min(items.len())) {
            if lane == Lane::Video {
                let bytes = usize::from(item.bytes);
                self.video_bytes = self.video_bytes.saturating_sub(bytes);
                self.now = self.now.max(u64::from(item.turn).saturating_mul(TURN_BYTES));
                if let Some(slot) = self.slots.get_mut(usize::from(item.slot)) {
                    slot.bytes = slot.bytes.saturating_sub(bytes);
                }
            }
            self.len = self.len.saturating_sub(1);
            each(item);
        }
    }

    /// Takes out the items of a lane that `drops` names.
    pub(crate) fn retain(
        &mut self,
        lane: Lane,
        mut keeps: impl FnMut(&Item) -> bool,
        mut each: impl FnMut(Item),
    ) {
        let Some(items) = self.lanes.get_mut(lane as usize) else { return };
        let (bytes, len, slots) = (&mut self.video_bytes, &mut self.len, &mut self.slots);
        items.retain(|item| {
            let keep = keeps(item);
            if !keep {
                if lane == Lane::Video {
                    let own = usize::from(item.bytes);
                    *bytes = bytes.saturating_sub(own);
                    if let Some(slot) = slots.get_mut(usize::from(item.slot)) {
                        slot.bytes = slot.bytes.saturating_sub(own);
                        // It did not have that turn.
                        slot.next = slot.next.saturating_sub(u64::from(item.bytes));
                    }
                }
                *len = len.saturating_sub(1);
                each(*item);
            }
            keep
        });
    }

    /// Packets.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Payload bytes of video that was not sent before.
    pub(crate) fn video_bytes(&self) -> usize {
        self.video_bytes
    }
}
