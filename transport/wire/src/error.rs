//! Why bytes were refused.

use std::fmt;

/// What was wrong with a datagram and where, so that a log line leads to the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseError {
    /// The field or rule, for example `RTP version`.
    pub what: &'static str,
    /// Offset in bytes from the start of the input given to the parser.
    pub offset: usize,
}

impl ParseError {
    /// `what` at `offset`.
    #[must_use]
    pub const fn new(what: &'static str, offset: usize) -> Self {
        Self { what, offset }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad {} at byte {}", self.what, self.offset)
    }
}

impl std::error::Error for ParseError {}
