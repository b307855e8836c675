//! Step 8: when does it leave, and what leaves together?

pub(crate) mod guard;
pub(crate) mod leg;
pub(crate) mod padding;
pub(crate) mod queue;
pub(crate) mod reports;
pub(crate) mod resends;
pub(crate) mod train;
