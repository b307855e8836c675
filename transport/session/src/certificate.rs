//! The certificate our side of DTLS shows.

use std::sync::Arc;

use aws_lc_rs::digest;
use rtc_crypto::RTCCryptoProvider;
use weir_sfu_api::{Fingerprint, HashAlgorithm, SrtpProfile};

/// Why a certificate could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("certificate: {0}")]
pub struct CertificateError(String);

struct Inner {
    dtls: rtc_dtls::crypto::Certificate,
    fingerprint: Fingerprint,
    provider: Arc<dyn RTCCryptoProvider>,
}

/// A self-signed ECDSA P-256 certificate with its key, and the SRTP profiles that go with it: what
/// our end of DTLS is. Cloning shares it: one serves all peers.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
    profiles: Arc<[SrtpProfile]>,
}

impl Certificate {
    /// Makes a new one. Takes randomness from aws-lc and the time of day from the system, once at
    /// start: not for the deterministic core.
    ///
    /// # Errors
    /// When the random source or the crypto library fails.
    pub fn generate() -> Result<Self, CertificateError> {
        let provider = provider()?;
        let dtls = rtc_dtls::crypto::Certificate::generate_self_signed(
            vec!["weir".to_owned()],
            provider.crypto(),
        )
        .map_err(|e| CertificateError(e.to_string()))?;
        Self::new(dtls, provider)
    }

    /// Reads what [`Self::to_pem`] wrote.
    ///
    /// # Errors
    /// When the text is not a PKCS#8 key block followed by a certificate block.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let provider = provider()?;
        let dtls = rtc_dtls::crypto::Certificate::from_pem(pem, provider.crypto())
            .map_err(|e| CertificateError(e.to_string()))?;
        Self::new(dtls, provider)
    }

    /// The private key and the certificate in PEM.
    ///
    /// # Errors
    /// When the key cannot be exported.
    pub fn to_pem(&self) -> Result<String, CertificateError> {
        self.inner.dtls.serialize_pem().map_err(|e| CertificateError(e.to_string()))
    }

    fn new(
        dtls: rtc_dtls::crypto::Certificate,
        provider: Arc<dyn RTCCryptoProvider>,
    ) -> Result<Self, CertificateError> {
        let der = dtls.certificate.first().ok_or_else(|| CertificateError("empty".to_owned()))?;
        let fingerprint = Fingerprint {
            algorithm: HashAlgorithm::Sha256,
            value: digest::digest(&digest::SHA256, der.as_ref()).as_ref().to_vec(),
        };
        let inner = Arc::new(Inner { dtls, fingerprint, provider });
        Ok(Self { inner, profiles: SrtpProfile::ALL.into() })
    }

    /// SHA-256 over the certificate (RFC 8122 5).
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.inner.fingerprint
    }

    /// The same with these SRTP profiles alone, the preferred one first. A peer that offers none of
    /// them is refused.
    #[must_use]
    pub fn with_srtp_profiles(self, profiles: &[SrtpProfile]) -> Self {
        Self { profiles: profiles.into(), ..self }
    }

    pub(crate) fn profiles(&self) -> &[SrtpProfile] {
        &self.profiles
    }

    pub(crate) fn dtls(&self) -> &rtc_dtls::crypto::Certificate {
        &self.inner.dtls
    }

    pub(crate) fn provider(&self) -> &Arc<dyn RTCCryptoProvider> {
        &self.inner.provider
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.inner.fingerprint)
            .finish_non_exhaustive()
    }
}

fn provider() -> Result<Arc<dyn RTCCryptoProvider>, CertificateError> {
    rtc_crypto::default_provider().map_err(|e| CertificateError(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_survives_pem() {
        let made = Certificate::generate().unwrap();
        let read = Certificate::from_pem(&made.to_pem().unwrap()).unwrap();
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert_eq!(made.fingerprint().value.len(), 32);
        assert_ne!(made.fingerprint(), Certificate::generate().unwrap().fingerprint());
        assert!(Certificate::from_pem("nonsense").is_err());
    }
}
