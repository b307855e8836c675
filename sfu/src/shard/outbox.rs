//! Step 8, the queue: what is to leave is put into a receiver's lanes, and what waits too long is
//! dropped, whole frames at a time.

use super::Shard;
use crate::counters::{DropReason, bump};
use crate::egress::queue::{Item, Lane};
use crate::limits;
use crate::peer::Peer;
use crate::pool::Pool;
use crate::rewrite::Mapped;
use crate::room::Subscriber;
use crate::slot::Slot;
use weir_sfu_api::MediaKind;

impl Shard {
    /// Puts a packet into a receiver's queue; the queue holds a reference. False when there is no
    /// room.
    pub(super) fn enqueue(&mut self, key: u32, item: Item) -> bool {
        let Some(peer) = self.peers.get_mut(key) else { return false };
        let kind = peer.slots.get(usize::from(item.slot)).map(|slot| slot.section.kind);
        let lane = match (kind, item.resend) {
            (_, true) => Lane::Resent,
            (Some(MediaKind::Audio), false) => Lane::Audio,
            (_, false) => Lane::Video,
        };
        if peer.queue.len() >= limits::EGRESS_QUEUE && lane != Lane::Video {
            self.counters.dropped(DropReason::EgressFull);
            return false;
        }
        if !peer.dirty {
            peer.dirty = true;
            self.dirty.push(key);
        }
        self.pool.hold(item.packet);
        if lane != Lane::Video || !peer.leg.is_bounded() {
            peer.queue.push(lane, item);
        } else {
            peer.queue.push_fair(item);
            let screen = peer.slots.get(usize::from(item.slot)).is_some_and(|slot| slot.screen);
            let waiting = peer.queue.slot_bytes(item.slot);
            if waiting > peer.leg.slot_bytes(screen) {
                bump(&mut self.counters.queues_cut);
                self.cut_slot(key, item.slot, false);
                return true;
            }
        }
        if lane == Lane::Video && too_long(peer) {
            self.cut_queue(key);
        }
        true
    }

    /// Whether a key frame for this slot could leave soon: not while another one still waits.
    pub(super) fn has_room(&self, at: Subscriber) -> bool {
        let Some(peer) = self.peers.get(at.peer).filter(|peer| peer.leg.is_bounded()) else {
            return true;
        };
        let screen = peer.slots.get(usize::from(at.slot)).is_some_and(|slot| slot.screen);
        peer.queue.slot_bytes(at.slot) <= peer.leg.slot_bytes(screen) / 8
    }

    /// The receiver's path carries less than waits: its longest streams begin anew with a key frame
    /// each, until no more waits than half of what may.
    fn cut_queue(&mut self, key: u32) {
        bump(&mut self.counters.queues_cut);
        for _ in 0..limits::SECTIONS {
            let Some(peer) = self.peers.get(key) else { return };
            if peer.queue.video_bytes() <= peer.leg.queue_bytes() / 2
                && peer.queue.len() < limits::EGRESS_QUEUE / 2
            {
                return;
            }
            let Some(slot) = longest(peer, &self.pool) else { return };
            self.cut_slot(key, slot, false);
        }
    }

    /// Drops what waits of one slot's video, but for the rest of a frame that has begun to leave and
    /// a key frame that is next. Numbers that never left are given again: no hole remains. `anew` has
    /// the slot begin anew even if nothing of it waits.
    pub(super) fn cut_slot(&mut self, key: u32, index: u16, anew: bool) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(slot) = peer.slots.get_mut(usize::from(index)) else { return };
        let most = peer.leg.slot_bytes(slot.screen);
        let keep = kept_frame(slot, index, peer.queue.lane(Lane::Video), &self.pool, most);
        let mut last: Option<Mapped> = slot.last_sent().copied();
        let mut kept = 0usize;
        let mut dropped = 0u32;
        let (pool, counters) = (&mut self.pool, &mut self.counters);
        peer.queue.retain(
            Lane::Video,
            |item| {
                let keeps = item.slot != index || Some(item.mapped.timestamp) == keep;
                if item.slot == index && keeps && last.is_none_or(|l| item.mapped.seq > l.seq) {
                    last = Some(item.mapped);
                }
                if item.slot == index && keeps {
                    kept = kept.saturating_add(usize::from(item.bytes));
                }
                keeps
            },
            |item| {
                pool.release(item.packet);
                counters.dropped(DropReason::Congestion);
                dropped = dropped.saturating_add(1);
            },
        );
        if dropped == 0 && !anew {
            return;
        }
        slot.rewriter.rewind(last.as_ref());
        // Another key frame could not leave before this one: it is asked for in time.
        if let Some(track) = slot.track.filter(|_| kept <= most / 8) {
            self.want_all_key_frames(key, track);
        }
    }

    /// Drops what waits for a receiver that may have nothing any more.
    pub(super) fn cut_all(&mut self, key: u32) {
        let count = self.peers.get(key).map_or(0, |peer| peer.slots.len());
        for index in 0..count {
            if let Ok(index) = u16::try_from(index) {
                self.cut_slot(key, index, false);
            }
        }
        if let Some(peer) = self.peers.get_mut(key) {
            peer.queue.take(Lane::Resent, usize::MAX, |item| self.pool.release(item.packet));
        }
    }

    /// Everything of a peer that leaves goes back to the pool.
    pub(super) fn empty_queue(pool: &mut Pool, peer: &mut Peer) {
        for lane in Lane::ALL {
            peer.queue.take(lane, usize::MAX, |item| pool.release(item.packet));
        }
    }
}

/// Does more video wait than the estimate carries in [`limits::QUEUE_TIME`]?
fn too_long(peer: &Peer) -> bool {
    peer.queue.len() >= limits::EGRESS_QUEUE || peer.queue.video_bytes() > peer.leg.queue_bytes()
}

/// The slot most bytes of which wait behind their first frame.
fn longest(peer: &Peer, pool: &Pool) -> Option<u16> {
    let mut most: Option<(usize, u16)> = None;
    for (index, slot) in peer.slots.iter().enumerate() {
        let Ok(index) = u16::try_from(index) else { continue };
        let waiting = || peer.queue.lane(Lane::Video).filter(|item| item.slot == index);
        let bound = peer.leg.slot_bytes(slot.screen);
        let keep = kept_frame(slot, index, peer.queue.lane(Lane::Video), pool, bound);
        let bytes = waiting()
            .filter(|item| Some(item.mapped.timestamp) != keep)
            .map(|item| usize::from(item.bytes))
            .sum();
        if bytes > most.map_or(0, |(bytes, _)| bytes) {
            most = Some((bytes, index));
        }
    }
    most.map(|(_, index)| index)
}

/// Timestamp of the frame that must not be torn: it has begun to leave, or it is the key frame that
/// comes next.
fn kept_frame<'a>(
    slot: &Slot,
    index: u16,
    lane: impl Iterator<Item = &'a Item> + Clone,
    pool: &Pool,
    most: usize,
) -> Option<u32> {
    let mut own = lane.filter(|item| item.slot == index);
    let keep = slot.open_frame().or_else(|| {
        let first = own.clone().next()?;
        let key = pool.meta(first.packet).facts.key_frame;
        key.then_some(first.mapped.timestamp)
    })?;
    // What alone would take too long is no picture but a flood.
    let bytes: usize = own
        .by_ref()
        .filter(|item| item.mapped.timestamp == keep)
        .map(|item| usize::from(item.bytes))
        .sum();
    (bytes / 2 <= most).then_some(keep)
}
