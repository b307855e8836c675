//! What goes into a leg and comes out of it.

use std::time::Duration;

use crate::limits::{MAX_BPS, MIN_BPS, START_BPS};

/// Bounds of the estimate.
#[derive(Debug, Clone, Copy)]
pub struct LegConfig {
    /// bit/s.
    pub start_bps: u64,
    /// bit/s.
    pub min_bps: u64,
    /// bit/s.
    pub max_bps: u64,
}

impl Default for LegConfig {
    fn default() -> Self {
        Self { start_bps: START_BPS, min_bps: MIN_BPS, max_bps: MAX_BPS }
    }
}

/// What a sent packet was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentKind {
    /// Audio, video or a retransmission.
    Media,
    /// Padding outside of probes.
    Padding,
    /// What [`crate::Leg::probe`] asked for. (Media sent meanwhile is counted in by itself.)
    Probe {
        /// [`crate::Probe::cluster`].
        cluster: u8,
    },
}

/// What holds the estimate where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Delay, or nothing: the estimate grows as the path allows.
    Delay,
    /// Packet loss.
    Loss,
    /// The receiver's REMB.
    Remb,
    /// Receiver reports alone: there is no transport-wide feedback.
    Reports,
    /// Nothing comes back.
    Silence,
}

/// An estimate and why it is not higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// bit/s of UDP payload, all kinds together.
    pub bps: u64,
    /// What holds it.
    pub limit: Limit,
}

/// Packets and feedbacks counted over the leg's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets reported as arrived.
    pub arrived: u64,
    /// Packets judged lost.
    pub lost: u64,
    /// Of these, found to have arrived later.
    pub found: u64,
    /// Statuses about packets never sent or forgotten.
    pub unknown: u64,
    /// Statuses that said nothing new.
    pub repeated: u64,
    /// Feedbacks with more statuses than can be in the history.
    pub too_long: u64,
    /// Feedbacks without any news.
    pub useless: u64,
    /// Times the delay lowered the estimate.
    pub overuses: u64,
}

/// A look inside, for metrics.
#[derive(Debug, Clone, Copy)]
pub struct Stats {
    /// bit/s that arrive, if known.
    pub acked_bps: Option<u64>,
    /// Delay-based half, bit/s.
    pub delay_bps: u64,
    /// Loss-based half, bit/s, if it limits.
    pub loss_bps: Option<u64>,
    /// Share of packets lost of late, 0 to 1.
    pub loss: f64,
    /// Round trip.
    pub rtt: Duration,
    /// Much less is sent than the path carries.
    pub app_limited: bool,
    /// The queue at the bottleneck grows.
    pub overusing: bool,
}
