//! The clients' media: sockets, ICE, DTLS, SRTP, what is sent, what is counted.
//!
//! Workers are threads with an epoll each; a connection lives on one worker and has a socket of its own.

mod clock;
mod drops;
mod files;
mod handle;
mod hello;
mod ice;
mod impair;
mod lots;
mod outbox;
mod peer;
mod receive;
mod send;
mod socket;
mod tally;
mod worker;

use crate::plan::{Codec, PersonPlan, TrackPlan};
pub use handle::{Connection, Engine};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use weir_sfu_api::{ExtensionKind, Fingerprint, IceCredentials, MediaKind, TransportDescription};

/// How the engine is started.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Where sockets are bound; unspecified: the address from which the server is reached.
    pub bind: IpAddr,
    /// Of everything that is drawn by lot, key material apart.
    pub seed: u64,
}

/// What one connection is to do: a person's, or one of several of a person's (publisher and subscriber
/// apart, as Janus and WHIP/WHEP have it).
#[derive(Debug, Clone)]
pub struct ConnectionPlan {
    /// Whose.
    pub person: PersonPlan,
    /// What of `person.publish` is sent here.
    pub publish: Vec<TrackPlan>,
    /// When the person's join began, for the delays of joining.
    pub begun: Instant,
    /// Publisher's number in the payload stamps.
    pub stamp: u32,
}

/// A track's streams as they will be sent, for the SDP.
#[derive(Debug, Clone)]
pub struct LocalTrack {
    /// The plan.
    pub plan: TrackPlan,
    /// SSRC and RTX SSRC of each layer, in the plan's order.
    pub ssrcs: Vec<(u32, u32)>,
}

/// What our side says of itself.
#[derive(Debug, Clone)]
pub struct LocalDescription {
    /// Ours.
    pub ice: IceCredentials,
    /// Of the certificate that all connections share.
    pub fingerprint: Fingerprint,
    /// Host candidates.
    pub candidates: Vec<SocketAddr>,
    /// What is published.
    pub tracks: Vec<LocalTrack>,
}

/// One m-line after offer and answer.
#[derive(Debug, Clone)]
pub struct NegotiatedSection {
    /// Its mid.
    pub mid: String,
    /// Audio or video.
    pub kind: MediaKind,
    /// We send this of [`LocalDescription::tracks`].
    pub track: Option<usize>,
    /// We receive.
    pub receives: bool,
    /// Payload types with their codec, ours and theirs being the same, best first.
    pub codecs: Vec<(u8, Codec)>,
    /// A payload type, and that of its RTX (RFC 4588).
    pub rtx: Vec<(u8, u8)>,
    /// Extension ids.
    pub extensions: Vec<(ExtensionKind, u8)>,
    /// SSRCs that the server says it sends from; with the RTX SSRC of its FID group.
    pub remote_ssrcs: Vec<(u32, Option<u32>)>,
    /// `nack`.
    pub nack: bool,
    /// `nack pli` or `ccm fir`.
    pub pli: bool,
    /// `transport-cc`.
    pub transport_cc: bool,
    /// Rids the server takes, where we offered simulcast.
    pub rids: Vec<String>,
}

/// Offer and answer together.
#[derive(Debug, Clone)]
pub struct Negotiated {
    /// Theirs. `setup` is theirs too: `Passive` when we are to begin the handshake.
    pub remote: TransportDescription,
    /// We are the controlling agent (RFC 8445 6.1.1): we offered, or they are ICE-lite. Otherwise (the
    /// subscriber's connection of a Janus that is not lite) they nominate, and our checks carry
    /// ICE-CONTROLLED.
    pub controlling: bool,
    /// Theirs; more may come by [`Connection::add_candidate`].
    pub candidates: Vec<SocketAddr>,
    /// In the order of m-lines.
    pub sections: Vec<NegotiatedSection>,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By us: the handle was dropped, or the engine shut down.
    Closed,
    /// No candidate answered within 10 s.
    NoAnswerToChecks,
    /// The handshake failed.
    Handshake(String),
    /// Consent was lost (RFC 7675).
    ConsentLost,
    /// close_notify.
    ClosedByPeer,
}

#[cfg(test)]
mod tests;
