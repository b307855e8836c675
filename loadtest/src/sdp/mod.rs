//! Session descriptions as a client writes and reads them: offers of its own, answers to a server's offer,
//! and what both ends agreed on as [`crate::engine::Negotiated`].
//!
//! One transport only: everything is bundled, with rtcp-mux (RFC 8843, RFC 5761). What a server leaves out
//! is told with the m-line, counted from 0.

mod answer;
mod codecs;
mod offer;
mod read;
mod transport;

pub use answer::answer;
pub use offer::{Offer, Receive, offer};
pub(crate) use transport::candidate;

use std::fmt;

/// Longest text that is read: a thousand m-lines of 1 KiB.
pub const MAX_BYTES: usize = 1 << 20;

/// Which text is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The server's answer to our offer.
    Answer,
    /// The server's offer.
    Offer,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Answer { "answer" } else { "offer" })
    }
}

/// Why a server's text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// It is no session description (RFC 8866).
    #[error("the {0} is no session description: {1}")]
    Syntax(Side, String),
    /// A necessary attribute is not there.
    #[error("the {0} has no {1} in m-line {2}")]
    Missing(Side, &'static str, usize),
    /// An attribute has a value that cannot be.
    #[error("the {0} has a bad {1} in m-line {2}: {3}")]
    Bad(Side, &'static str, usize, String),
    /// It says no to something we need.
    #[error("the {0} {1}")]
    Refused(Side, String),
}

/// At most 60 characters of what a server sent.
fn excerpt(text: &str) -> String {
    let clean = text.chars().filter(|c| !c.is_control());
    let mut short: String = clean.take(60).collect();
    if text.chars().count() > 60 {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests;
