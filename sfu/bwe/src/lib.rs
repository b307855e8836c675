//! Congestion control towards one receiver: what the path carries, probes, and the pacer's budget.
//!
//! A [`Leg`] is a pure state: it is told what was sent and what the receiver reported, with the
//! time, and says how much to send ([`Leg::estimate_bps`]), what padding to add to find out more
//! ([`Leg::probe`]) and how fast ([`Leg::pacer`]). docs/congestion.md tells how and why.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]
#![cfg_attr(test, allow(clippy::disallowed_methods))]
#![deny(clippy::iter_over_hash_type)]

mod acked;
mod alr;
mod delay;
mod feedback;
mod history;
mod leg;
pub mod limits;
mod loss;
mod pacer;
mod probe;
mod reports;
mod values;

pub use leg::Leg;
pub use pacer::{Pacer, Priority, QUEUE_HARD, QUEUE_SOFT, QueueAdvice};
pub use probe::Probe;
pub use values::{Counters, Estimate, LegConfig, Limit, SentKind, Stats};
