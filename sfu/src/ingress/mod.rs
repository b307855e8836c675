//! Step 4: which track and layer is this packet, and what was lost?

pub(crate) mod admit;
pub(crate) mod arrivals;
pub(crate) mod cache;
pub(crate) mod facts;
pub(crate) mod ladder;
pub(crate) mod missing;
pub(crate) mod publication;
pub(crate) mod rates;
pub(crate) mod remb;
pub(crate) mod stream;
pub(crate) mod structure;
