//! ICE, DTLS and SRTP parameters as plain values.

use std::net::SocketAddr;

/// ICE user name fragment and password (RFC 8445 5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// 4 to 256 ice-chars.
    pub ufrag: String,
    /// 22 to 256 ice-chars. Secret.
    pub pwd: String,
}

impl std::fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceCredentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

/// `a=setup` (RFC 4145, RFC 5763).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsSetup {
    /// The client starts the handshake.
    Active,
    /// The client waits for it.
    Passive,
    /// The client leaves the choice to us: we answer passive.
    ActPass,
}

/// Hash of a certificate fingerprint (RFC 8122).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// `sha-1`.
    Sha1,
    /// `sha-256`.
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

impl HashAlgorithm {
    /// The SDP spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }
}

/// A certificate fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash.
    pub algorithm: HashAlgorithm,
    /// Its value, 20 to 64 bytes.
    pub value: Vec<u8>,
}

/// SRTP protection profiles (RFC 5764, RFC 7714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SrtpProfile {
    /// `SRTP_AEAD_AES_128_GCM`, preferred.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`.
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`.
    Aes128CmHmacSha1_80,
    /// `SRTP_AES128_CM_HMAC_SHA1_32`.
    Aes128CmHmacSha1_32,
}

impl SrtpProfile {
    /// All of them in our order of preference: GCM with a key of 128 bits costs a quarter of CM.
    pub const ALL: [Self; 4] = [
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
        Self::Aes128CmHmacSha1_80,
        Self::Aes128CmHmacSha1_32,
    ];
}

/// The client's transport parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportDescription {
    /// ICE credentials of the client.
    pub ice: IceCredentials,
    /// Its fingerprints; the certificate must match any of them (RFC 8122 5).
    pub fingerprints: Vec<Fingerprint>,
    /// Its DTLS role.
    pub setup: DtlsSetup,
}

/// A host candidate of the server, component 1, UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Where the shard listens.
    pub addr: SocketAddr,
}

/// The server's transport parameters for one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportAnswer {
    /// ICE credentials of the server for this peer. They change with an ICE restart only.
    pub ice: IceCredentials,
    /// Fingerprint of the server's certificate.
    pub fingerprint: Fingerprint,
    /// The server's role: never [`DtlsSetup::ActPass`].
    pub setup: DtlsSetup,
    /// Where the server listens; complete, no trickling.
    pub candidates: Vec<Candidate>,
}
