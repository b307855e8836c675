//! What can be wrong with an offer, and where.

/// Why a session description was not accepted. The text is written for the client's developer and
/// names the m-line (counted from 0) and the attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// The text is longer than the limit.
    #[error("session description of {len} bytes exceeds the limit of {max}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// More m-lines than [`crate::MAX_MEDIA_LINES`].
    #[error("{count} m-lines exceed the limit of {max}")]
    TooManyMediaLines {
        /// How many there are.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// The text is not SDP (RFC 8866).
    #[error("not a session description: {0}")]
    Syntax(String),
    /// An attribute is missing or its value cannot be used.
    #[error("{}: a={attribute}: {reason}", place(*.line))]
    Attribute {
        /// The m-line, `None` at session level.
        line: Option<u16>,
        /// The attribute's name.
        attribute: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// No audio or video m-line could be accepted; each with its reason.
    #[error("no m-line can be accepted: {0}")]
    NothingAccepted(String),
}

fn place(line: Option<u16>) -> String {
    line.map_or_else(|| "session level".to_owned(), |index| format!("m-line {index}"))
}

impl SdpError {
    pub(crate) fn attribute(
        line: Option<u16>,
        attribute: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Self::Attribute { line, attribute, reason: reason.into() }
    }
}

/// At most 80 characters of what a client sent, for an error text.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String =
        text.chars().filter(|c| !c.is_control()).take(80).collect::<String>().trim().to_owned();
    if text.chars().nth(80).is_some() {
        short.push_str("...");
    }
    short
}
