//! The forwarding core: shards, rooms, peers, tracks, subscriptions as pure state.
//!
//! A [`Shard`] takes [`Input`]s with the time and gives [`Output`]s and trains of datagrams. It
//! never reads a clock, opens a socket, starts a thread or draws randomness of its own.
//!
//! The packet's way is the folder structure: `ingress` (which track and layer? what was lost?),
//! `speakers`, `room` and `shard::seating` (who wants it?), `select` (does this receiver get this layer now?),
//! `rewrite` (how does it look seamless?), `egress` (when does it leave?).

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

mod allocate;
mod border;
mod clock;
mod counters;
mod egress;
mod ingress;
pub mod limits;
mod packet;
mod peer;
mod pool;
mod rewrite;
mod room;
mod select;
mod shard;
mod slab;
mod slot;
mod speakers;

pub use border::Batch;
pub use clock::Clock;
pub use counters::{Counters, DropReason, LateReason};
#[cfg(feature = "sim")]
pub use rewrite::{OneReceiver, OneSlot, Sample, Sent};
#[cfg(feature = "sim")]
pub use shard::ForcedWish;
pub use shard::{Input, Output, Seed, Shard, ShardConfig};
