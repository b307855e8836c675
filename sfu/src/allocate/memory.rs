//! What a slot remembers of its shares, so that it does not flap.

use crate::select::Target;
use std::time::{Duration, Instant};

/// Between two raises.
const BETWEEN: Duration = Duration::from_millis(500);
/// From being lowered to being raised again.
const HOLD: Duration = Duration::from_secs(4);
/// From getting nothing to getting something again: a still picture is the worst.
const RESUME: Duration = Duration::from_millis(1_000);
/// The longest such time, after raises that did not last.
const HOLD_MOST: Duration = Duration::from_secs(60);
/// A raise that did not last this long was a mistake.
const LASTING: Duration = Duration::from_secs(20);

/// One slot's memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Of which track.
    pub(crate) track: Option<u32>,
    /// What it got: a target, or nothing.
    pub(crate) has: Option<Target>,
    /// Its place in the order of importance.
    pub(crate) rank: Option<u32>,
    /// Somebody decided, at least once for this track.
    pub(crate) decided: bool,
    raised: Option<Instant>,
    lowered: Option<Instant>,
    hold: Duration,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            track: None,
            has: None,
            rank: None,
            decided: false,
            raised: None,
            lowered: None,
            hold: HOLD,
        }
    }
}

impl Memory {
    /// Begins anew when another track sits in the slot.
    pub(crate) fn follow(&mut self, track: Option<u32>) {
        if self.track != track {
            *self = Self { track, ..Self::default() };
        }
    }

    /// Must it not be raised now?
    pub(crate) fn is_held(&self, now: Instant) -> bool {
        let within = |at: Option<Instant>, time| {
            at.is_some_and(|at| now.saturating_duration_since(at) < time)
        };
        // Mistakes count here as well.
        let hold = match self.has {
            None => self.hold.saturating_sub(HOLD).saturating_add(RESUME),
            Some(_) => self.hold,
        };
        within(self.lowered, hold) || within(self.raised, BETWEEN)
    }

    /// Notes a decision; `up` where it was raised by it.
    pub(crate) fn decide(&mut self, now: Instant, target: Option<Target>, up: bool) {
        if self.decided && self.has == target {
            // What has lasted was no mistake.
            if self.raised.is_some_and(|at| now.saturating_duration_since(at) >= LASTING) {
                self.hold = HOLD;
            }
            return;
        }
        if up || !self.decided {
            self.raised = Some(now);
        } else {
            let mistake = self.raised.is_some_and(|at| now.saturating_duration_since(at) < LASTING)
                && self.lowered.is_some();
            if mistake {
                self.hold = self.hold.saturating_mul(3).min(HOLD_MOST);
            }
            self.lowered = Some(now);
        }
        self.decided = true;
        self.has = target;
    }
}
