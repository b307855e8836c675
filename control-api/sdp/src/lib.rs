//! SDP offer and answer (RFC 3264, RFC 8829) for a selective-forwarding server.
//!
//! Three steps, no state between them:
//! [`parse_offer`] reads a client's text, [`negotiate`] turns it into the values a shard needs,
//! and [`write_answer`] writes the answer from what the shard gave back. Trickled candidates and
//! ICE restarts over WHIP use [`parse_ice_fragment`] and [`write_ice_fragment`] (RFC 8840).
//!
//! The server is ICE-lite and the only answerer: it bundles everything into one transport,
//! requires `rtcp-mux`, and keeps the client's payload types and header extension ids.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod answer;
mod codecs;
mod error;
mod extensions;
mod fragment;
mod line;
mod negotiate;
mod offer;
mod simulcast;
mod transport;

pub use answer::{SessionId, candidate_line, write_answer};
pub use error::SdpError;
pub use fragment::{IceFragment, parse_ice_fragment, write_ice_fragment};
pub use negotiate::{Capabilities, negotiate};
pub use offer::{Offer, parse_offer};

/// The longest accepted offer in bytes: a participant with 128 slots and every codec a browser
/// knows needs about 200 KiB when nothing is left out.
pub const MAX_OFFER_BYTES: usize = 256 * 1024;
/// The most m-lines in one offer: tracks of one's own plus slots, and room for stopped ones.
pub const MAX_MEDIA_LINES: usize = 512;
/// The longest accepted trickle fragment in bytes: some hundred candidates.
pub const MAX_FRAGMENT_BYTES: usize = 64 * 1024;
/// The most simulcast layers taken of one m-line; browsers send at most three.
pub const MAX_LAYERS: usize = 4;
/// The most announced SSRCs taken of one m-line: a media and an RTX SSRC for each layer.
pub const MAX_SSRCS: usize = 16;
