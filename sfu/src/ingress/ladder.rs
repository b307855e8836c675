//! Which layers of a publication can be had now, and what each costs.

use crate::ingress::publication::{Layer, Publication};
use crate::ingress::rates::Rates;
use crate::limits;
use crate::select::{LAYERS_EACH, Ladder, Level, MAX_RUNGS, Offered, Rung, Target};
use std::time::Instant;

/// What was found at the last look, see [`Publication::look`].
#[derive(Debug, Default)]
pub(crate) struct Looked {
    ladder: Ladder,
    at: Option<Instant>,
    /// For each layer: the one that stands in for it, itself while it is sent.
    instead: [u8; limits::LAYERS],
    /// For each layer: how many are less than it.
    order: [u8; limits::LAYERS],
    /// For each layer: the highest spatial and temporal layers being sent.
    tops: [Option<Level>; limits::LAYERS],
}

impl Publication {
    /// All ways to have this track now, cheapest first; measured anew at most every
    /// [`limits::LADDER_INTERVAL`], with the packets. While nothing is being sent the last ladder
    /// stays.
    pub(crate) fn ladder(&self) -> &Ladder {
        &self.looked.ladder
    }

    /// Looks at what is being sent, if it is time to. True where shares must follow at once: other
    /// targets or sizes than before, or one that costs twice as much.
    pub(crate) fn look(&mut self, now: Instant) -> bool {
        let due = self
            .looked
            .at
            .is_none_or(|at| now.saturating_duration_since(at) >= limits::LADDER_INTERVAL);
        if due {
            self.looked.at = Some(now);
            self.choose_best(now, false);
            self.rank_layers(now);
            return self.measure_ladder(now);
        }
        false
    }

    /// What a packet of `layer` is among the layers.
    pub(crate) fn offered(&self, layer: u8) -> Offered {
        Offered {
            layer,
            best: self.best,
            instead: self.looked.instead,
            order: self.looked.order,
            top: self.looked.tops.get(usize::from(layer)).copied().flatten().unwrap_or(Level::BASE),
        }
    }

    /// Orders the layers and finds for each what stands in while it is not sent: the best below it,
    /// else the least.
    #[inline(never)]
    fn rank_layers(&mut self, now: Instant) {
        let mut ranked = [0u8, 1, 2, 3];
        let count = self.layers.len().min(limits::LAYERS);
        let rank = |index: u8| self.layers.get(usize::from(index)).map(Layer::rank);
        if let Some(ranked) = ranked.get_mut(..count) {
            ranked.sort_by(|a, b| rank(*a).cmp(&rank(*b)).then(a.cmp(b)));
        }
        let sent = |index: u8| {
            self.layers
                .get(usize::from(index))
                .and_then(|layer| layer.stream.as_ref())
                .is_some_and(|stream| stream.is_active(now))
        };
        let steady = |index: u8| {
            let stream = self.layers.get(usize::from(index)).and_then(|l| l.stream.as_ref());
            stream
                .and_then(|stream| stream.since)
                .is_some_and(|since| now.saturating_duration_since(since) >= limits::LAYER_STEADY)
        };
        let mut instead = [0, 1, 2, 3];
        let mut order = [0; limits::LAYERS];
        let ranked = ranked.get(..count).unwrap_or_default();
        for (position, index) in ranked.iter().enumerate() {
            let (below, above) = ranked.split_at(position);
            let others = || below.iter().rev().chain(above.iter().skip(1)).copied();
            let choice = if sent(*index) && steady(*index) {
                *index
            } else {
                let mut candidates = others().filter(|other| sent(*other));
                let stable = candidates.clone().find(|other| steady(*other));
                stable
                    .or(Some(*index).filter(|own| sent(*own)))
                    .or(candidates.next())
                    .unwrap_or(*index)
            };
            if let Some(place) = instead.get_mut(usize::from(*index)) {
                *place = choice;
            }
            if let Some(place) = order.get_mut(usize::from(*index)) {
                *place = u8::try_from(position).unwrap_or(u8::MAX);
            }
        }
        self.looked.instead = instead;
        self.looked.order = order;
    }

    #[inline(never)]
    fn measure_ladder(&mut self, now: Instant) -> bool {
        let mut rungs = [Rung::default(); limits::LAYERS * 16];
        let mut count = 0usize;
        for (index, layer) in self.layers.iter_mut().enumerate().take(limits::LAYERS) {
            let top = self.looked.tops.get_mut(index);
            let resolution = layer.resolution;
            let Some(stream) = layer.stream.as_mut().filter(|stream| stream.is_active(now)) else {
                continue;
            };
            let rates = stream.rates.measure(now);
            if !Rates::has(&rates, None, None) {
                continue;
            }
            let highest = Rates::top(&rates);
            if let Some(top) = top {
                *top = Some(highest);
            }
            for spatial in (0..LAYERS_EACH).filter(|s| Rates::has(&rates, Some(*s), None)) {
                for temporal in (0..LAYERS_EACH).filter(|t| Rates::has(&rates, None, Some(*t))) {
                    let (bps, fps) = Rates::of(&rates, Level::new(spatial, temporal));
                    let (width, height) =
                        size(&stream.resolutions, resolution, spatial, highest.spatial());
                    let target =
                        Target { layer: u8::try_from(index).unwrap_or(0), spatial, temporal };
                    let fps = u8::try_from(fps).unwrap_or(u8::MAX);
                    if let Some(place) = rungs.get_mut(count) {
                        *place = Rung { target, bps, width, height, fps };
                        count = count.saturating_add(1);
                    }
                }
            }
        }
        let Some(rungs) = rungs.get_mut(..count).filter(|rungs| !rungs.is_empty()) else {
            return false;
        };
        rungs.sort_unstable_by_key(|rung| (rung.bps, rung.target));
        let mut ladder = Ladder::default();
        rungs.iter().take(MAX_RUNGS).for_each(|rung| ladder.push(*rung));
        let jumped = jumps(&self.looked.ladder, &ladder);
        if jumped || differs(&self.looked.ladder, &ladder) {
            self.looked.ladder = ladder;
        }
        jumped
    }
}

/// Pixels of a spatial layer: as told, else halved from the highest for each layer below it.
fn size(
    told: &[Option<(u16, u16)>; 4],
    highest: Option<(u16, u16)>,
    spatial: u8,
    top: u8,
) -> (u16, u16) {
    if let Some(size) = told.get(usize::from(spatial)).copied().flatten() {
        return size;
    }
    let (width, height) = highest.unwrap_or((0, 0));
    let halvings = u32::from(top.saturating_sub(spatial));
    (width.checked_shr(halvings).unwrap_or(0), height.checked_shr(halvings).unwrap_or(0))
}

/// Whether an allocator should look again at once.
fn jumps(old: &Ladder, new: &Ladder) -> bool {
    let (old, new) = (old.rungs(), new.rungs());
    let fixed = |rung: &Rung| (rung.target, rung.width, rung.height);
    old.len() != new.len()
        || new.iter().any(|new| {
            let same = old.iter().find(|old| fixed(old) == fixed(new));
            same.is_none_or(|old| new.bps / 2 > old.bps)
        })
}

/// Whether an allocator should look again.
fn differs(old: &Ladder, new: &Ladder) -> bool {
    let (old, new) = (old.rungs(), new.rungs());
    old.len() != new.len()
        || old.iter().zip(new).any(|(old, new)| {
            old.target != new.target
                || old.fps.abs_diff(new.fps) > 2
                || old.bps.abs_diff(new.bps) > old.bps >> 3
        })
}
