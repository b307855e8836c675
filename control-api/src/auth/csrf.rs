//! CSRF tokens (contract section 5): time, random value, and an HMAC over both and the session.

use super::keys::Keys;
use super::secret;
use crate::Timestamp;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Life of a CSRF token in seconds.
pub const LIFE_S: i64 = 3600;

/// Whom a token without a session is bound to.
const ANONYMOUS: &str = "anonymous";

/// A new token for a session, or for nobody.
#[must_use]
pub fn issue(keys: &Keys, sid: Option<&str>, now: Timestamp) -> String {
    let head = format!("{}.{}", now.seconds(), secret::id(""));
    let tag = hmac::sign(keys.csrf(), &bound(&head, sid));
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// Whether a token is genuine, bound to this session, and not too old.
#[must_use]
pub fn verify(keys: &Keys, token: &str, sid: Option<&str>, now: Timestamp) -> bool {
    let Some((head, tag)) = token.rsplit_once('.') else { return false };
    let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else { return false };
    if hmac::verify(keys.csrf(), &bound(head, sid), &tag).is_err() {
        return false;
    }
    let made = head.split('.').next().and_then(|made| made.parse::<i64>().ok());
    made.is_some_and(|made| (0..LIFE_S).contains(&now.seconds().saturating_sub(made)))
}

fn bound(head: &str, sid: Option<&str>) -> Vec<u8> {
    format!("{head}|{}", sid.unwrap_or(ANONYMOUS)).into_bytes()
}
