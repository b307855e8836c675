//! Why a datagram or a request was refused.

/// Why a datagram was dropped. Each variant is a counter's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Drop {
    /// STUN that does not parse, or of no use to an ICE-lite agent (responses, other methods).
    #[error("malformed or unexpected STUN message")]
    StunMalformed,
    /// FINGERPRINT does not match (RFC 8489 14.7).
    #[error("wrong STUN fingerprint")]
    StunFingerprint,
    /// USERNAME is missing or not `<ours>:<theirs>` (RFC 8445 7.2.2).
    #[error("unknown STUN user name")]
    StunUsername,
    /// MESSAGE-INTEGRITY is missing or wrong (RFC 8489 9.1.3).
    #[error("wrong STUN message integrity")]
    StunIntegrity,
    /// A check that was seen before, from another address: an agent sends each once, and repeats
    /// it from where it was (RFC 8489 6.2.1).
    #[error("replayed STUN check")]
    StunReplayed,
    /// DTLS from an address without an authenticated check.
    #[error("source address has no authenticated check")]
    Unauthenticated,
    /// Not DTLS 1.2 records, or records no peer sends in this state.
    #[error("malformed or unexpected DTLS record")]
    DtlsMalformed,
    /// More handshake bytes than a peer may send.
    #[error("DTLS handshake limit reached")]
    DtlsLimit,
    /// A repetition of a flight that was answered already.
    #[error("repeated DTLS flight")]
    DtlsRepeated,
    /// The DTLS stack refused it. The handshake's end, if it is one, comes as an event.
    #[error("DTLS record refused")]
    DtlsRefused,
    /// The transport failed or was closed.
    #[error("transport closed")]
    Closed,
}

impl Drop {
    /// A counter's label.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::StunMalformed => "stun_malformed",
            Self::StunFingerprint => "stun_fingerprint",
            Self::StunUsername => "stun_username",
            Self::StunIntegrity => "stun_integrity",
            Self::StunReplayed => "stun_replayed",
            Self::Unauthenticated => "dtls_unauthenticated",
            Self::DtlsMalformed => "dtls_malformed",
            Self::DtlsLimit => "dtls_limit",
            Self::DtlsRepeated => "dtls_repeated",
            Self::DtlsRefused => "dtls_refused",
            Self::Closed => "transport_closed",
        }
    }
}

/// Why an ICE restart was refused. The running transport is left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// The client's certificate changed: that needs a new peer connection.
    #[error("the fingerprint changed; a new DTLS association needs a new peer connection")]
    FingerprintChanged,
    /// The client's DTLS role changed.
    #[error("the DTLS role changed; that needs a new peer connection")]
    RoleChanged,
    /// Failed, closed or without consent.
    #[error("the transport has ended")]
    Closed,
}
