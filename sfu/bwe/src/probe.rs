//! Probes: short clusters of packets above the estimate that show whether the path carries more.

mod control;
mod measure;

pub(crate) use control::{Control, Situation};
pub(crate) use measure::{Found, Measure};

/// What to send now of a probe cluster, see [`crate::Leg::probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Mark of its packets, never 0.
    pub cluster: u8,
    /// Rate of the cluster as a whole, bit/s.
    pub rate_bps: u64,
    /// Bytes to send now, waiting media first, then padding.
    pub bytes: u32,
}
