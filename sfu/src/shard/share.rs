//! Shares a receiver's estimate among its video slots, and tells the slots what they get.

use super::Shard;
use crate::allocate::{self, Claim, GUESS_BPS, Path, Use};
use crate::counters::DropReason;
use crate::peer::Peer;
use crate::room::{Subscriber, Track};
use crate::select::{Ladder, Level, Wanted};
use crate::slot::Slot;
use std::time::Instant;
use weir_sfu_api::{MediaKind, PausedBy, SlotPolicy, SourceKind};
use weir_wire::rtcp::TransportCc;

/// Pixels of a small tile: what a weight of one stands for.
const SMALL_TILE: u64 = 320 * 180;

/// How a receiver sees one track.
struct Sight {
    /// Screen, pinned, dominant, the rest.
    class: u8,
    /// Position among its like.
    place: u16,
    weight: u32,
    wish: Use,
    hidden: bool,
}

impl Shard {
    /// Takes up what changed in who sits where.
    pub(super) fn share_out(&mut self, now: Instant) {
        while let Some((track, at)) = self.seated.pop() {
            self.demand_changed(now, track, at);
        }
        for position in 0..self.changed.len() {
            let Some(key) = self.changed.get(position).copied() else { return };
            self.share_soon(now, key, true);
            self.reschedule(key);
        }
    }

    /// Transport-wide feedback of a receiver.
    pub(super) fn on_transport_feedback(
        &mut self,
        now: Instant,
        key: u32,
        feedback: &TransportCc<'_>,
    ) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if !peer.leg.on_feedback(now, feedback) {
            self.counters.dropped(DropReason::Feedback);
        }
        self.estimate_changed(now, key);
    }

    /// After news of a receiver's path: what waits may leave, shares may change.
    pub(super) fn estimate_changed(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.timers.leg = peer.leg.next_timeout(now);
        if !peer.dirty && (peer.leg.probe(now).is_some() || !peer.queue.is_empty()) {
            peer.dirty = true;
            self.dirty.push(key);
        }
        self.share_soon(now, key, false);
    }

    /// What a track can be had in changed: its receivers' estimates are shared anew.
    pub(super) fn share_track(&mut self, now: Instant, track: u32) {
        let count = self.tracks.get(track).map_or(0, |track| track.subscribers.len());
        for position in 0..count {
            let Some(track) = self.tracks.get(track) else { return };
            let Some(key) = track.subscribers.get(position).map(|at| at.peer) else { return };
            self.share_soon(now, key, true);
            self.reschedule(key);
        }
    }

    /// Shares the estimate when it is time: now, or by the timer.
    pub(super) fn share_soon(&mut self, now: Instant, key: u32, changed: bool) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(at) = peer.leg.share_at(now, changed) else { return };
        if at <= now {
            return self.share(now, key);
        }
        peer.timers.share = Some(peer.timers.share.map_or(at, |known| known.min(at)));
    }

    /// Shares a receiver's estimate among its slots.
    pub(super) fn share(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.timers.share = None;
        let Some(budget) = peer.leg.video_budget(now) else { return };
        let unproven = peer.leg.is_unproven(now);
        let can_probe = peer.slots.iter().any(|slot| slot.padding_type().is_some());
        let mut screens = false;
        for slot in &mut peer.slots {
            slot.share.follow(slot.track);
            let track = slot.track.and_then(|track| self.tracks.get(track));
            slot.screen = track.is_some_and(|track| track.info.source == SourceKind::Screen);
            screens |= slot.screen && slot.paused_by.is_none();
        }
        peer.leg.set_screen(now, screens);
        let mut claims = std::mem::take(&mut self.claims);
        claims.clear();
        let (mut reorder, mut unknown) = (false, 0u64);
        if let Some(peer) = self.peers.get(key) {
            let slots = peer.slots.iter().enumerate();
            for (index, slot) in slots.filter(|(_, slot)| slot.section.kind == MediaKind::Video) {
                let (Ok(index), Some(track)) = (u16::try_from(index), slot.track) else { continue };
                let Some(track) = self.tracks.get(track).filter(|_| !slot.unavailable) else {
                    continue;
                };
                if slot.forced {
                    continue;
                }
                let Some(claim) = self.claim(now, peer, index, track) else {
                    unknown = unknown.saturating_add(GUESS_BPS);
                    continue;
                };
                reorder |= slot.share.rank.is_some_and(|rank| rank != claim.rank);
                claims.push(claim);
            }
        }
        let silent = self.peers.get(key).is_some_and(|peer| peer.leg.is_silent());
        let least =
            claims.iter().filter(|claim| !claim.hidden).map(|claim| claim.path.bps(Some(0)));
        let budget = if silent { budget.max(least.min().unwrap_or(0)) } else { budget };
        allocate::share(&mut claims, budget, reorder, unproven);
        let known: u64 = claims.iter().map(|claim| claim.path.top_bps()).sum();
        let wanted = if can_probe { known.saturating_add(unknown) } else { 0 };
        let given = claims.iter().map(|claim| claim.path.bps(claim.chosen)).sum();
        for claim in &claims {
            self.give(now, key, claim, if unproven { u64::MAX } else { budget });
        }
        let receives = !claims.is_empty() || unknown > 0;
        self.claims = claims;
        if let Some(peer) = self.peers.get_mut(key) {
            peer.leg.on_shared(now, wanted, given);
            if receives {
                peer.timers.share = peer.leg.share_at(now, false);
            }
        }
    }

    /// What one slot would take. `None` while nothing is known of its track.
    fn claim(&self, now: Instant, peer: &Peer, index: u16, track: &Track) -> Option<Claim> {
        let slot = peer.slots.get(usize::from(index))?;
        let ladder = self.known_ladder(now, track)?;
        let sight = self.sight(peer, index, track);
        let path = match sight.hidden {
            true => Path::default(),
            false => Path::new(&ladder, sight.wish),
        };
        let rank = u32::from(sight.class) << 16 | u32::from(sight.place);
        let memory = &slot.share;
        let current = memory.has.and_then(|target| path.find(target));
        Some(Claim {
            current,
            fresh: !memory.decided || (memory.has.is_some() && current.is_none()),
            held: memory.is_held(now),
            hidden: sight.hidden,
            flowing: self.flowing(slot, track, &ladder),
            ..Claim::new(index, rank, sight.weight, path)
        })
    }

    /// The simulcast layer that is forwarded now, and what is forwarded of it, bit/s.
    fn flowing(&self, slot: &Slot, track: &Track, ladder: &Ladder) -> Option<(u8, u64)> {
        let publisher = self.peers.get(track.publisher)?;
        let publication = publisher.publications.get(usize::from(track.publication))?;
        let current = slot.rewriter.current()?;
        let streams = publication.layers.iter().map(|layer| layer.stream.as_ref());
        let mut streams = streams.zip(0u8..);
        let (_, layer) =
            streams.find(|(stream, _)| stream.is_some_and(|stream| stream.uid == current))?;
        let level = slot.rewriter.level();
        let rungs = ladder.rungs().iter().filter(|rung| {
            rung.target.layer == layer
                && level.covers(Level::new(rung.target.spatial, rung.target.temporal))
        });
        Some((layer, rungs.map(|rung| rung.bps).max()?))
    }

    /// Priority, size and rate by the receiver's view, and who speaks.
    fn sight(&self, peer: &Peer, index: u16, track: &Track) -> Sight {
        let view = &peer.view;
        let by_view = peer.policy == SlotPolicy::Speakers;
        let source = track.info.source;
        let found = view
            .tiles
            .iter()
            .position(|tile| tile.peer == track.info.peer && tile.source == source)
            .filter(|_| by_view);
        let tile = found.and_then(|position| view.tiles.get(position));
        let (width, height, max_fps) = match (tile, by_view) {
            (Some(tile), _) => (tile.width, tile.height, tile.max_fps),
            (None, true) => (view.last_n_width, view.last_n_height, view.last_n_fps),
            (None, false) => (0, 0, 0),
        };
        let pinned = tile.is_some_and(|tile| tile.pinned);
        let screen = source == SourceKind::Screen;
        let dominant = self.rooms.get(peer.room).and_then(|room| room.speakers.dominant());
        let (class, weight) = match (screen, pinned, dominant == Some(track.publisher)) {
            (true, _, _) => (0, 16u64),
            (false, true, _) => (1, 8),
            (false, false, true) => (2, 4),
            (false, false, false) => (3, 2),
        };
        let pixels = u64::from(width).saturating_mul(u64::from(height));
        let tiles = (pixels / SMALL_TILE).clamp(1, 16);
        // What is named goes before what is not.
        let place = found.and_then(|place| u16::try_from(place).ok());
        Sight {
            class,
            place: place.unwrap_or(index.saturating_add(0x8000)),
            weight: u32::try_from(weight.saturating_mul(tiles)).unwrap_or(u32::MAX),
            wish: Use { width, height, max_fps, screen },
            hidden: tile.is_some_and(|tile| tile.paused),
        }
    }

    /// Tells a slot what it gets.
    fn give(&mut self, now: Instant, key: u32, claim: &Claim, budget: u64) {
        let at = Subscriber { peer: key, slot: claim.slot };
        let target = claim.target();
        let Some(slot) = self.slot_mut(at) else { return };
        if claim.hidden {
            // What comes into sight again is not held back.
            slot.share = allocate::Memory::default();
            slot.share.follow(slot.track);
        } else {
            slot.share.rank = Some(claim.rank);
            slot.share.decide(now, target, claim.chosen > claim.current);
        }
        let (wanted, paused_by) = match (target, claim.hidden) {
            (Some(target), _) => (Wanted::At(target), None),
            (None, true) => (Wanted::Paused, Some(PausedBy::View)),
            (None, false) => (Wanted::Paused, Some(PausedBy::Bandwidth)),
        };
        let before = std::mem::replace(&mut slot.wanted, wanted);
        let told = std::mem::replace(&mut slot.paused_by, paused_by);
        let track = slot.track;
        if told != paused_by {
            self.slots_changed(key);
        }
        if before == wanted {
            return;
        }
        // Far above what fits: what goes on until the lower layer's key frame would only be lost.
        let hopeless = target.zip(claim.flowing).is_some_and(|(target, (layer, bps))| {
            layer != target.layer && bps > budget.saturating_add(budget >> 1)
        });
        if wanted == Wanted::Paused || hopeless {
            self.cut_slot(key, claim.slot, hopeless);
        }
        if let Some(track) = track {
            self.demand_changed(now, track, at);
            if before == Wanted::Paused {
                self.want_all_key_frames(key, track);
            }
        }
    }
}
