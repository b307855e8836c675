//! Delay-based half: does the queue at the bottleneck grow?

mod aimd;
mod inter_arrival;
mod rise;
mod standing;
mod trendline;

pub(crate) use aimd::{Aimd, Input};
pub(crate) use rise::Rise;
pub(crate) use trendline::Trendline;

/// A packet that arrived.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrived {
    /// On our clock.
    pub(crate) sent_us: i64,
    /// On the receiver's clock.
    pub(crate) arrival_us: i64,
    pub(crate) bytes: u16,
    /// Probe cluster, 0 for none.
    pub(crate) cluster: u8,
}

/// What the delay says of the bottleneck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Usage {
    #[default]
    Normal,
    /// The queue grows.
    Over,
    /// The queue drains.
    Under,
}

/// Reads the queue at the bottleneck out of arrival times.
pub(crate) trait DelaySignal {
    /// Packets in the order of arrival; `now_us` is when the feedback came.
    fn on_packet(&mut self, now_us: i64, packet: &Arrived);
    /// What all packets so far say.
    fn usage(&self) -> Usage;
}
