//! Step 8: when does it leave, and what leaves together?

pub(crate) mod guard;
pub(crate) mod queue;
pub(crate) mod reports;
pub(crate) mod train;
