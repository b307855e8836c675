//! Is it the certificate the client announced? (RFC 8122 5)

use aws_lc_rs::digest;
use weir_sfu_api::{Fingerprint, HashAlgorithm};

/// Whether the certificate matches any of the fingerprints. SHA-1 proves nothing any more and is
/// passed over: a client that offers nothing better does not get in.
pub(super) fn matches_any(fingerprints: &[Fingerprint], der: &[u8]) -> bool {
    fingerprints.iter().any(|fingerprint| {
        let algorithm = match fingerprint.algorithm {
            HashAlgorithm::Sha1 => return false,
            HashAlgorithm::Sha256 => &digest::SHA256,
            HashAlgorithm::Sha384 => &digest::SHA384,
            HashAlgorithm::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, der).as_ref() == fingerprint.value.as_slice()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_strong_fingerprint_may_match_and_sha1_never_does() {
        let of = |algorithm, with: &'static digest::Algorithm, der: &[u8]| Fingerprint {
            algorithm,
            value: digest::digest(with, der).as_ref().to_vec(),
        };
        let wrong = of(HashAlgorithm::Sha256, &digest::SHA256, b"other");
        let sha1 = of(HashAlgorithm::Sha1, &digest::SHA1_FOR_LEGACY_USE_ONLY, b"certificate");
        for right in [
            of(HashAlgorithm::Sha256, &digest::SHA256, b"certificate"),
            of(HashAlgorithm::Sha384, &digest::SHA384, b"certificate"),
            of(HashAlgorithm::Sha512, &digest::SHA512, b"certificate"),
        ] {
            assert!(matches_any(&[wrong.clone(), right], b"certificate"));
        }
        assert!(!matches_any(&[wrong, sha1], b"certificate"));
        assert!(!matches_any(&[], b"certificate"));
    }
}
