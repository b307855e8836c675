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
}

impl Queue {
    /// Adds at the end of a lane.
    pub(crate) fn push(&mut self, lane: Lane, item: Item) {
        if lane == Lane::Video {
            self.video_bytes = self.video_bytes.saturating_add(usize::from(item.bytes));
        }
        self.len = self.len.saturating_add(1);
        if let Some(items) = self.lanes.get_mut(lane as usize) {
            items.push_back(item);
        }
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
                self.video_bytes = self.video_bytes.saturating_sub(usize::from(item.bytes));
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
        let (bytes, len) = (&mut self.video_bytes, &mut self.len);
        items.retain(|item| {
            let keep = keeps(item);
            if !keep {
                if lane == Lane::Video {
                    *bytes = bytes.saturating_sub(usize::from(item.bytes));
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
