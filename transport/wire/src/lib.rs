//! RTP, RTCP, STUN, DTLS record and codec payload formats, read and edited in place.
//!
//! Everything here is pure: bytes in, facts out, and the other way round. No input can make it
//! panic, and nothing on the RTP path allocates.

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

pub mod classify;
pub mod dd;
pub mod dtls;
mod error;
pub mod ext;
pub mod payload;
mod read;
pub mod rtcp;
pub mod rtp;
pub mod stun;
pub mod train;

pub use classify::{DatagramKind, classify};
pub use error::ParseError;
