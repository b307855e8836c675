//! Step 7: how does it look seamless to the receiver?
//!
//! A slot sends one continuous stream while sources and layers behind it change. Each change of
//! source opens a [`Segment`](map::Segment) with its own offsets; what is left out of one is counted,
//! so that the rest closes up. docs/rewrite.md tells the rules as packet scenarios.

#[cfg(feature = "sim")]
mod hook;
mod left_out;
mod map;

#[cfg(feature = "sim")]
pub use hook::{OneReceiver, OneSlot, Sample, Sent};
pub(crate) use map::{Mapped, Rewriter};

#[cfg(test)]
mod tests;
