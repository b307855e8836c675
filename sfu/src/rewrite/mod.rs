//! Step 7: how does it look seamless to the receiver?
//!
//! A slot sends one continuous stream while sources and layers behind it change. Each change opens
//! a [`Segment`] with its own offsets; docs/rewrite.md tells the rules as packet scenarios.

mod map;

pub(crate) use map::{Mapped, Rewriter, apply};

#[cfg(test)]
mod tests;
