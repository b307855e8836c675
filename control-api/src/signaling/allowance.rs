//! How often something may be done.

use std::time::Duration;
use tokio::time::Instant;

/// So many in a window of time, all at once if wished.
#[derive(Debug)]
pub(crate) struct Allowance {
    most: u32,
    window: Duration,
    left: u32,
    since: Instant,
}

impl Allowance {
    /// `most` in each `window`.
    pub(crate) fn new(most: u32, window: Duration) -> Self {
        Self { most, window, left: most, since: Instant::now() }
    }

    /// Uses one; false when none is left.
    pub(crate) fn take(&mut self) -> bool {
        if self.since.elapsed() >= self.window {
            (self.left, self.since) = (self.most, Instant::now());
        }
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}
