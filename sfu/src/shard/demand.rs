//! Which layers anybody wants: what nobody does is asked off at its publisher, and on again at once.

use super::Shard;
use crate::counters::bump;
use crate::limits;
use crate::room::{Subscriber, Track};
use crate::select::{Ladder, Rung, Wanted};
use std::time::{Duration, Instant};
use weir_sfu_api::{Event, LayerDemand, MediaKind, PausedBy};

/// What receivers want of one track, as bits by layer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Demand {
    /// Asked off.
    off: u8,
    /// Wanted by nobody when last looked at.
    unwanted: u8,
    looked: bool,
    /// The ladder when layers were asked off: what they cost when they come back.
    remembered: Ladder,
    /// Asked for again at this time: their first rates are too low to believe.
    returning: Option<(u8, Instant)>,
}

/// How long after its return a layer's measured rate is not believed.
const RETURNING: Duration = Duration::from_millis(2_000);

impl Demand {
    /// `live` with the rungs of layers that are not sent because they were asked off, and with what
    /// layers cost that are just coming back.
    fn complete(&self, now: Instant, live: Ladder) -> Ladder {
        let returning = self
            .returning
            .filter(|(_, at)| now.saturating_duration_since(*at) < RETURNING)
            .map_or(0, |(layers, _)| layers);
        let known = self.off | returning;
        if known == 0 {
            return live;
        }
        let remembered = |rung: &&Rung| bit(rung.target.layer) & known != 0;
        let replaced = |rung: &&Rung| {
            let layer = rung.target.layer;
            let again = self.remembered.rungs().iter().any(|other| other.target.layer == layer);
            bit(layer) & known != 0 && again
        };
        let mut missing = self.remembered.rungs().iter().filter(remembered).peekable();
        // Both are in order of cost.
        let mut merged = Ladder::default();
        for rung in live.rungs().iter().filter(|rung| !replaced(rung)) {
            while let Some(cheaper) = missing.next_if(|other| other.bps <= rung.bps) {
                merged.push(*cheaper);
            }
            merged.push(*rung);
        }
        missing.for_each(|rung| merged.push(*rung));
        merged
    }
}

/// A layer among bits.
pub(super) fn bit(layer: u8) -> u8 {
    1u8.checked_shl(u32::from(layer)).unwrap_or(0)
}

impl Shard {
    /// What a track can be had in: what is sent now, and what would be if somebody wanted it.
    pub(super) fn known_ladder(&self, now: Instant, track: &Track) -> Option<Ladder> {
        let publisher = self.peers.get(track.publisher)?;
        let publication = publisher.publications.get(usize::from(track.publication))?;
        let ladder = track.demand.complete(now, *publication.ladder());
        (!ladder.rungs().is_empty()).then_some(ladder)
    }

    /// What a receiver wants of a track changed: more is asked for at once, less after a while.
    pub(super) fn demand_changed(&mut self, now: Instant, track: u32, at: Subscriber) {
        let wanted = self.wanted_by(now, track, at);
        let Some(entry) = self.tracks.get_mut(track) else { return };
        if entry.info.kind != MediaKind::Video {
            return;
        }
        let publisher = entry.publisher;
        if self.layers_wanted(now, track, wanted) {
            self.want_all_key_frames(at.peer, track);
        }
        self.look_at_demand(now, publisher);
    }

    /// Layers of a track are wanted: those that were asked off are asked for again. True when there
    /// were any.
    pub(super) fn layers_wanted(&mut self, now: Instant, track: u32, wanted: u8) -> bool {
        let Some(entry) = self.tracks.get_mut(track) else { return false };
        entry.demand.unwanted &= !wanted;
        let back = entry.demand.off & wanted;
        if back != 0 {
            entry.demand.off &= !wanted;
            entry.demand.returning = Some((back, now));
            self.tell_demand(track);
        }
        back != 0
    }

    /// The layers of a ghost's video that its shard shall send.
    pub(super) fn demanded_layers(&self, track: &Track) -> u8 {
        let off = track.demand.off;
        if self.all_layers(track) & !off == 0 { 0 } else { !off }
    }

    /// A track ends: the next one in its m-line begins with all layers.
    pub(super) fn want_all_layers(&mut self, track: u32) {
        let Some(entry) = self.tracks.get_mut(track) else { return };
        let (off, publisher) = (std::mem::take(&mut entry.demand).off, entry.publisher);
        // What a ghost's next track begins with is its shard's to say.
        if off != 0 && self.is_ghost(publisher).is_none() {
            self.tell_demand(track);
        }
    }

    /// A look at what a publisher's layers are wanted for, in a while.
    pub(super) fn look_at_demand(&mut self, now: Instant, publisher: u32) {
        let Some(peer) = self.peers.get_mut(publisher) else { return };
        if peer.timers.demand.is_none() {
            peer.timers.demand = now.checked_add(limits::LAYER_LOOK);
            self.reschedule(publisher);
        }
    }

    /// Twice in a row nobody wants a layer: it is asked off.
    pub(super) fn on_demand_timer(&mut self, now: Instant, publisher: u32) {
        let Some(peer) = self.peers.get_mut(publisher) else { return };
        peer.timers.demand = None;
        let count = peer.publications.len();
        let mut again = false;
        for index in 0..count {
            let publication =
                self.peers.get(publisher).and_then(|peer| peer.publications.get(index));
            let Some(track) = publication.and_then(|publication| publication.track) else {
                continue;
            };
            again |= self.judge_demand(now, track);
        }
        if again {
            self.look_at_demand(now, publisher);
        }
    }

    /// True when it must be looked at again.
    fn judge_demand(&mut self, now: Instant, index: u32) -> bool {
        let Some(track) = self.tracks.get(index).filter(|t| t.info.kind == MediaKind::Video) else {
            return false;
        };
        let mut wanted = track.remotes.iter().fold(0, |bits, remote| bits | remote.wanted);
        for subscriber in &track.subscribers {
            wanted |= self.wanted_by(now, index, *subscriber);
            if wanted == u8::MAX {
                break;
            }
        }
        let known = self.known_ladder(now, track).unwrap_or_default();
        let all = self.all_layers(track);
        let ghost = self.is_ghost(track.publisher).is_some();
        let Some(track) = self.tracks.get_mut(index) else { return false };
        let demand = &mut track.demand;
        let unwanted = all & !wanted & !demand.off;
        let settled = if demand.looked { demand.unwanted & unwanted } else { 0 };
        demand.unwanted = unwanted & !settled;
        demand.looked = demand.unwanted != 0;
        if settled != 0 {
            demand.off |= settled;
            demand.remembered = known;
            demand.returning = None;
            for _ in 0..if ghost { 0 } else { settled.count_ones() } {
                bump(&mut self.counters.layers_off);
            }
            self.tell_demand(index);
        }
        self.tracks.get(index).is_some_and(|track| track.demand.looked)
    }

    /// The layers a receiver's slot wants: those up to its target, so that there is something to
    /// fall back to.
    fn wanted_by(&self, now: Instant, track: u32, at: Subscriber) -> u8 {
        let slot = self.peers.get(at.peer).and_then(|peer| peer.slots.get(usize::from(at.slot)));
        let Some(slot) = slot.filter(|slot| slot.track == Some(track)) else { return 0 };
        let target = match slot.wanted {
            _ if slot.unavailable || !slot.open => return 0,
            // What does not fit goes on in its least layer: what it costs now must be known.
            Wanted::Paused if slot.paused_by == Some(PausedBy::Bandwidth) => {
                let ladder = self.tracks.get(track).and_then(|track| self.known_ladder(now, track));
                let least = ladder.and_then(|ladder| ladder.rungs().first().copied());
                return least.map_or(u8::MAX, |rung| bit(rung.target.layer));
            }
            Wanted::Paused => return 0,
            Wanted::Best => return u8::MAX,
            Wanted::At(target) => target,
        };
        let Some(ladder) = self.tracks.get(track).and_then(|track| self.known_ladder(now, track))
        else {
            return u8::MAX;
        };
        let mut above = 0u8;
        let mut reached = false;
        for rung in ladder.rungs() {
            let own = bit(rung.target.layer);
            if rung.target.layer == target.layer {
                // What was seen before its first rung is cheaper, and wanted.
                reached = true;
                above &= !own;
            } else if reached {
                above |= own;
            }
        }
        let below = ladder
            .rungs()
            .iter()
            .take_while(|rung| rung.target.layer != target.layer)
            .map(|rung| bit(rung.target.layer))
            .fold(0, |bits, own| bits | own);
        !(above & !below)
    }

    /// A track's layers, as bits.
    fn all_layers(&self, track: &Track) -> u8 {
        let publisher = self.peers.get(track.publisher);
        let publication =
            publisher.and_then(|peer| peer.publications.get(usize::from(track.publication)));
        let count = publication.and_then(|p| u32::try_from(p.layers.len()).ok()).unwrap_or(0);
        u8::MAX.checked_shr(8u32.saturating_sub(count)).unwrap_or(0)
    }

    /// Tells a publisher which layers to send, or the shard of a ghost.
    fn tell_demand(&mut self, track: u32) {
        self.note_demand(track);
        let Some(track) = self.tracks.get(track) else { return };
        let Some(publisher) = self.peers.get(track.publisher).filter(|p| p.origin.is_none()) else {
            return;
        };
        let Some(publication) = publisher.publications.get(usize::from(track.publication)) else {
            return;
        };
        let layers = publication
            .layers
            .iter()
            .zip(0u32..)
            .map(|(layer, index)| LayerDemand {
                rid: layer.rid,
                active: track.demand.off & 1u8.checked_shl(index).unwrap_or(0) == 0,
            })
            .collect();
        let (peer, mid) = (publisher.id, track.info.mid);
        self.events.push_back(Event::LayerDemand { peer, mid, layers });
    }
}
