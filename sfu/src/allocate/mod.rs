//! Who gets which layer: one receiver's estimate is shared among its video slots.
//!
//! Pure arithmetic over [`Claim`]s. First everybody gets the least picture in the order of
//! importance, then what is worth most for its cost is raised. Down at once, up only with headroom
//! and after a while: a layer that comes and goes is worse than one that stays away.

mod memory;
mod path;

pub(crate) use memory::Memory;
pub(crate) use path::{GUESS_BPS, Path, Use};

use crate::select::Target;

/// By what part of itself the budget may be exceeded before a shown picture is taken away.
const TOLERANCE: u64 = 3;
/// Times the budget that a screen may cost.
const PATIENCE: u64 = 2;
/// Headroom for going up: the sum must fit the budget this many times 1/100.
const HEADROOM_PERCENT: u64 = 115;

/// One video slot that wants a share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// Index of the slot in its peer.
    pub(crate) slot: u16,
    /// Order of importance, 0 first.
    pub(crate) rank: u32,
    /// What a bit is worth here compared with others.
    pub(crate) weight: u32,
    /// What is to be had.
    pub(crate) path: Path,
    /// What it has now, as a step of the path.
    pub(crate) current: Option<u8>,
    /// It has nothing yet by anybody's decision: no hysteresis holds it back.
    pub(crate) fresh: bool,
    /// The receiver does not look at it.
    pub(crate) hidden: bool,
    /// The simulcast layer that is forwarded in fact, and its bit/s.
    pub(crate) flowing: Option<(u8, u64)>,
    /// It was raised or lowered so recently that it must not be raised now.
    pub(crate) held: bool,
    /// What it gets: set by [`share`].
    pub(crate) chosen: Option<u8>,
    /// What the whole budget would give.
    pub(crate) full: Option<u8>,
    /// What the budget with headroom would give.
    pub(crate) careful: Option<u8>,
}

impl Claim {
    /// A claim that has nothing yet.
    pub(crate) fn new(slot: u16, rank: u32, weight: u32, path: Path) -> Self {
        Self {
            slot,
            rank,
            weight,
            path,
            current: None,
            fresh: true,
            hidden: false,
            flowing: None,
            held: false,
            chosen: None,
            full: None,
            careful: None,
        }
    }

    /// The target chosen; `None` when it does not fit.
    pub(crate) fn target(&self) -> Option<Target> {
        let step = self.path.steps().get(usize::from(self.chosen?))?;
        Some(step.target)
    }
}

/// Shares `budget_bps` among `claims` (which it sorts by rank). `reorder` says that the order of
/// importance changed since the last time, so that who has much may have to give. `unproven` says
/// that the budget is a guess: everybody gets the least picture, fit or not.
///
/// The sum of what is chosen is at most the budget, with two exceptions where nobody has more than
/// the least picture: the most important claim keeps it while it costs at most twice the budget, and
/// what is shown already is not taken away while all together exceed the budget by a third at most.
///
/// And a third one: the most important claim, where it shows a screen, has its full size while that
/// costs at most [`PATIENCE`] times the budget, and its least picture whatever it costs: its pictures are
/// shown one by one as they get through.
pub(crate) fn share(claims: &mut [Claim], budget_bps: u64, reorder: bool, unproven: bool) {
    claims.sort_unstable_by_key(|claim| (claim.hidden, claim.rank, claim.slot));
    let careful_bps = budget_bps.saturating_mul(100) / HEADROOM_PERCENT;
    fill(claims, careful_bps, unproven);
    claims.iter_mut().for_each(|claim| claim.careful = claim.chosen);
    fill(claims, budget_bps, unproven);
    claims.iter_mut().for_each(|claim| claim.full = claim.chosen);

    let has: u64 = claims.iter().map(|claim| claim.path.bps(claim.current)).sum();
    let pressed = reorder || has > budget_bps || claims.iter().any(|claim| claim.fresh);
    for claim in claims.iter_mut() {
        claim.chosen = match (claim.fresh, pressed) {
            (true, _) => claim.full,
            (false, true) => claim.current.min(claim.full),
            (false, false) => claim.current,
        };
    }
    let mut sum: u64 = claims.iter().map(|claim| claim.path.bps(claim.chosen)).sum();
    for (index, claim) in claims.iter_mut().enumerate() {
        if claim.held || claim.fresh {
            continue;
        }
        let now = claim.path.bps(claim.chosen);
        // `None` is below every step.
        let mut step = claim.careful;
        while step > claim.chosen {
            let more = claim.path.bps(step).saturating_sub(now);
            let patient = index == 0 && claim.path.patient && step <= Some(claim.path.floor);
            let most = if patient { careful_bps.saturating_mul(PATIENCE) } else { careful_bps };
            if sum.saturating_add(more) <= most {
                sum = sum.saturating_add(more);
                claim.chosen = step;
                break;
            }
            step = step.and_then(|step| step.checked_sub(1));
        }
    }
}

/// Fills `chosen` of all claims, which are in order of importance, from nothing.
fn fill(claims: &mut [Claim], budget_bps: u64, unproven: bool) {
    let mut left = budget_bps;
    let (mut sum, mut all_least) = (0u64, true);
    let tolerated = budget_bps.saturating_add(budget_bps / TOLERANCE);
    for (index, claim) in claims.iter_mut().enumerate() {
        let patient = index == 0 && claim.path.patient;
        let most = if patient { left.saturating_mul(PATIENCE) } else { left };
        let fits = (0..=claim.path.floor)
            .rev()
            .find(|step| (1..=most).contains(&claim.path.bps(Some(*step))));
        let least = claim.path.bps(Some(0));
        let shown = claim.current.is_some() && all_least && sum.saturating_add(least) <= tolerated;
        let minimum =
            least > 0 && (unproven || shown || (index == 0 && (patient || least / 2 <= left)));
        claim.chosen = fits.or(minimum.then_some(0));
        let bps = claim.path.bps(claim.chosen);
        left = left.saturating_sub(bps);
        sum = sum.saturating_add(bps);
        all_least &= claim.chosen <= Some(0);
    }
    loop {
        let mut best: Option<(f64, usize, u64)> = None;
        for (index, claim) in claims.iter().enumerate() {
            let Some(chosen) = claim.chosen else { continue };
            let now = claim.path.bps(Some(chosen));
            let next = claim.path.bps(chosen.checked_add(1));
            let more = next.saturating_sub(now);
            if next == 0 || more > left {
                continue;
            }
            // Twice the bits are one step of quality, wherever they are.
            let gain = (next as f64 / now.max(1) as f64).ln();
            let worth = f64::from(claim.weight) * gain / more.max(1) as f64;
            if best.is_none_or(|(most, _, _)| worth > most) {
                best = Some((worth, index, more));
            }
        }
        let Some((_, index, more)) = best else { return };
        let Some(claim) = claims.get_mut(index) else { return };
        claim.chosen = claim.chosen.and_then(|chosen| chosen.checked_add(1));
        left = left.saturating_sub(more);
    }
}

#[cfg(test)]
mod tests;
