//! Which rungs of a ladder one receiver climbs, and in which order.

use crate::select::{Ladder, MAX_RUNGS, Rung, Target};

/// What a rung is taken to cost while nobody has measured it, bit/s: a small picture.
const UNMEASURED_BPS: u64 = 150_000;

/// What a picture may come to cost of which nothing is known, bit/s.
pub(crate) const GUESS_BPS: u64 = 2_500_000;

/// What a receiver can use of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Use {
    /// Width of the tile in pixels, 0 for no limit.
    pub(crate) width: u16,
    /// Height of the tile in pixels, 0 for no limit.
    pub(crate) height: u16,
    /// Frames per second that are of use, 0 for no limit.
    pub(crate) max_fps: u8,
    /// Text: sharp before smooth. Else smooth before sharp.
    pub(crate) screen: bool,
}

/// One way to have the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Step {
    pub(crate) target: Target,
    /// What it costs, bit/s.
    pub(crate) bps: u64,
}

/// The rungs a receiver climbs: each costs more than the one before and is worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Path {
    steps: [Step; MAX_RUNGS],
    len: u8,
    /// The top is a guess.
    unmeasured: bool,
    /// What is to be had before others are raised: for a screen its full resolution.
    pub(crate) floor: u8,
    /// Single pictures, each late, are better than none: a screen.
    pub(crate) patient: bool,
}

impl Path {
    /// Of all rungs those that are of use, in the order of climbing. Frame rate goes first for a
    /// camera: of a larger picture only the full rate is taken. A screen climbs to its largest
    /// picture at the lowest rate first.
    pub(crate) fn new(ladder: &Ladder, wish: Use) -> Self {
        let rungs = ladder.rungs();
        let largest = enough_pixels(rungs, wish);
        let mut path = Self { patient: wish.screen, ..Self::default() };
        let mut levels = Levels::of(rungs, largest);
        let last = levels.len.saturating_sub(1);
        for (index, level) in levels.as_mut_slice().iter().enumerate() {
            let of_level = rungs.iter().filter(|rung| level_of(rung) == *level);
            let fastest = enough_frames(of_level.clone(), wish.max_fps);
            let first = of_level.clone().map(|rung| rung.target.temporal).min();
            for rung in of_level.filter(|rung| rung.target.temporal <= fastest) {
                let lowest = Some(rung.target.temporal) == first;
                let wanted = match wish.screen {
                    true => index == last || lowest,
                    false => index == 0 || rung.target.temporal == fastest,
                };
                if wanted {
                    path.push(rung);
                    if wish.screen && index == last && lowest {
                        path.floor = path.len.saturating_sub(1);
                    }
                }
            }
        }
        path
    }

    fn push(&mut self, rung: &Rung) {
        self.unmeasured = rung.bps == 0;
        let bps = if rung.bps == 0 { UNMEASURED_BPS } else { rung.bps };
        let step = Step { target: rung.target, bps };
        // What is worth more and costs no more takes the place of what it beats.
        while self.steps().last().is_some_and(|last| last.bps >= step.bps) {
            self.len = self.len.saturating_sub(1);
        }
        if let Some(free) = self.steps.get_mut(usize::from(self.len)) {
            *free = step;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The steps, cheapest first.
    pub(crate) fn steps(&self) -> &[Step] {
        self.steps.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// What step `index` costs, bit/s; nothing without.
    pub(crate) fn bps(&self, index: Option<u8>) -> u64 {
        index.and_then(|index| self.steps().get(usize::from(index))).map_or(0, |step| step.bps)
    }

    /// What the top costs, bit/s; a good picture's cost while nobody has measured it.
    pub(crate) fn top_bps(&self) -> u64 {
        let top = self.steps().last().map_or(0, |step| step.bps);
        if self.unmeasured { top.max(GUESS_BPS) } else { top }
    }

    /// The step with this target.
    pub(crate) fn find(&self, target: Target) -> Option<u8> {
        let index = self.steps().iter().position(|step| step.target == target)?;
        u8::try_from(index).ok()
    }
}

/// One resolution: simulcast layer and spatial layer.
type Level = (u8, u8);

fn level_of(rung: &Rung) -> Level {
    (rung.target.layer, rung.target.spatial)
}

fn pixels(rung: &Rung) -> u64 {
    u64::from(rung.width).saturating_mul(u64::from(rung.height))
}

/// The resolutions of a ladder that are of use, cheapest first.
struct Levels {
    levels: [Level; MAX_RUNGS],
    len: usize,
}

impl Levels {
    fn of(rungs: &[Rung], largest: Option<u64>) -> Self {
        let mut all = Self { levels: [(0, 0); MAX_RUNGS], len: 0 };
        for rung in rungs {
            let level = level_of(rung);
            let too_large = largest.is_some_and(|largest| pixels(rung) > largest);
            if !too_large && !all.as_mut_slice().contains(&level) {
                if let Some(free) = all.levels.get_mut(all.len) {
                    *free = level;
                }
                all.len = all.len.saturating_add(1);
            }
        }
        all
    }

    fn as_mut_slice(&mut self) -> &mut [Level] {
        self.levels.get_mut(..self.len).unwrap_or_default()
    }
}

/// Pixels of the smallest picture that fills the tile one way; what is larger is scaled down.
fn enough_pixels(rungs: &[Rung], wish: Use) -> Option<u64> {
    if wish.width == 0 && wish.height == 0 {
        return None;
    }
    rungs
        .iter()
        .filter(|rung| rung.width > 0 && rung.height > 0)
        .filter(|rung| {
            (wish.width > 0 && rung.width >= wish.width)
                || (wish.height > 0 && rung.height >= wish.height)
        })
        .map(pixels)
        .min()
}

/// The temporal layer that brings the frames that are of use.
fn enough_frames<'a>(rungs: impl Iterator<Item = &'a Rung> + Clone, max_fps: u8) -> u8 {
    let top = rungs.clone().map(|rung| rung.target.temporal).max().unwrap_or(0);
    if max_fps == 0 {
        return top;
    }
    rungs
        .filter(|rung| rung.fps > 0 && rung.fps >= max_fps)
        .map(|rung| rung.target.temporal)
        .min()
        .unwrap_or(top)
}
