//! What is true of each request.

mod allow;
pub mod body;
pub mod context;
pub mod limits;
pub(crate) mod origin;
pub mod params;
pub(crate) mod pipeline;
pub mod rules;
