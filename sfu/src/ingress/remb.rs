//! A bitrate for publishers without transport-wide feedback (draft-alvestrand-rmcat-remb).
//!
//! Loss-based and additive: enough for browsers old enough to need it.

/// Bits per second to begin with.
const START_BPS: u64 = 800_000;
/// Never below this.
const MIN_BPS: u64 = 100_000;
/// Never above this: a 1080p camera with three layers.
const MAX_BPS: u64 = 4_000_000;

/// The current limit.
#[derive(Debug)]
pub(crate) struct Remb {
    bps: u64,
}

impl Default for Remb {
    fn default() -> Self {
        Self { bps: START_BPS }
    }
}

impl Remb {
    /// One report interval passed in which `fraction_lost` (of 256) was lost and `received_bps`
    /// arrived; gives the new limit.
    pub(crate) fn update(&mut self, fraction_lost: u8, received_bps: u64) -> u64 {
        if fraction_lost > 25 {
            let keep = 512u64.saturating_sub(u64::from(fraction_lost));
            self.bps = self.bps.saturating_mul(keep) >> 9;
        } else if fraction_lost < 5 && received_bps.saturating_mul(2) > self.bps {
            // Grow only while the limit is being used.
            self.bps = self.bps.saturating_add(self.bps >> 3);
        }
        self.bps = self.bps.clamp(MIN_BPS, MAX_BPS);
        self.bps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_in_use_and_shrinks_with_loss() {
        let mut remb = Remb::default();
        let grown = remb.update(0, START_BPS);
        assert!(grown > START_BPS);
        assert_eq!(remb.update(0, 1_000), grown);
        assert!(remb.update(128, START_BPS) < grown);
        for _ in 0..100 {
            remb.update(0, u64::MAX);
        }
        assert_eq!(remb.update(0, 0), MAX_BPS);
    }
}
