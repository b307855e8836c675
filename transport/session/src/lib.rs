//! One peer's transport as a pure state machine: ICE-lite, DTLS, SRTP.
//!
//! [`PeerTransport`] takes datagrams and the time and gives datagrams, plain packets and
//! [`TransportEvent`]s back. It owns no socket and reads no clock. DTLS takes randomness of its
//! own from aws-lc, and so does [`Certificate::generate`].
//!
//! [`demux::Demux`] tells a shard which peer a datagram belongs to.

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
#![deny(clippy::iter_over_hash_type)]
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod certificate;
pub mod demux;
mod dtls;
mod error;
mod ice;
pub mod limits;
pub mod srtp;
mod transport;

pub use certificate::{Certificate, CertificateError};
pub use error::{Drop, RestartError};
pub use ice::{Path, StunOutcome};
pub use srtp::{OpenedRtp, SrtpError};
pub use transport::{Output, PeerTransport, TransportConfig, TransportEvent};
