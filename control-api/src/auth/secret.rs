//! Random secrets and their hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Prefix of access tokens for guests.
pub const ACCESS_TOKEN: &str = "weir_at_";
/// Prefix of server API keys.
pub const API_KEY: &str = "weir_key_";

/// `N` random bytes from the system.
///
/// # Panics
/// When the system has no randomness to give; nothing safe can be done then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// `prefix` followed by 256 random bits.
#[must_use]
pub fn token(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes::<32>()))
}

/// `prefix` followed by 128 random bits: unguessable, but no secret.
#[must_use]
pub fn id(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes::<16>()))
}

/// How a token is stored. Tokens hold 256 random bits, so that a plain hash is enough.
#[must_use]
pub fn digest(token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hash)
}

/// A random meeting id of 10 to 12 digits.
#[must_use]
pub fn meeting_id() -> i64 {
    const FIRST: u64 = 1_000_000_000;
    const COUNT: u64 = 999_000_000_000;
    // 2^64 is no multiple of COUNT; the bias is below 1e-7 and of no use to anyone.
    let id = FIRST + u64::from_le_bytes(bytes()) % COUNT;
    i64::try_from(id).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn meeting_ids_have_ten_to_twelve_digits() {
        for _ in 0..10_000 {
            let id = super::meeting_id();
            assert!((1_000_000_000..1_000_000_000_000).contains(&id));
        }
    }

    #[test]
    fn secrets_differ_and_hide_behind_their_digest() {
        let (one, two) = (super::token("t_"), super::token("t_"));
        assert_ne!(one, two);
        assert_eq!(one.len(), 2 + 43);
        assert!(!super::digest(&one).contains(&one));
    }
}
