//! The rules, as plain functions over [`crate::App`]. REST and signalling both call these.

pub mod access;
pub mod accounts;
pub(crate) mod admissions;
pub mod bus;
pub mod identity;
pub mod joining;
pub mod live;
pub mod meetings;
pub mod messages;
pub mod participants;
pub(crate) mod presence;
pub mod types;
