//! The server's own key: it signs JWTs (contract section 4) and CSRF tokens.

use crate::domain::types::{AccountRole, UserId};
use crate::{Error, Result, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Life of an access token in seconds.
pub const ACCESS_LIFE_S: i64 = 86_400;
/// Life of a refresh token in seconds.
pub const REFRESH_LIFE_S: i64 = 7 * 86_400;

/// The shortest accepted secret in bytes.
const SHORTEST_SECRET: usize = 32;

/// What a JWT is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Requests.
    Access,
    /// New access tokens.
    Refresh,
}

/// What a JWT says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// User id.
    pub sub: String,
    /// User name when it was made.
    pub username: String,
    /// Role when it was made; the store decides, not the token.
    pub role: String,
    /// Access or refresh.
    pub typ: TokenKind,
    /// Made, in seconds since 1970.
    pub iat: i64,
    /// Ends, in seconds since 1970.
    pub exp: i64,
    /// Unique id.
    pub jti: String,
    /// Login session.
    pub sid: String,
    /// Token generation of the user.
    pub ver: i64,
    /// Always `weir`.
    pub iss: String,
}

impl Claims {
    /// The user id.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is no number.
    pub fn user_id(&self) -> Result<UserId> {
        self.sub.parse().map_err(|_| Error::Unauthorized)
    }
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// User id.
    pub user_id: UserId,
    /// User name.
    pub username: &'a str,
    /// Role.
    pub role: AccountRole,
    /// Login session.
    pub sid: &'a str,
    /// Token generation of the user.
    pub generation: i64,
}

/// Why the key cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file is there but cannot be read, or cannot be made.
    #[error("cannot use {path}: {cause}")]
    Io {
        /// Where it should be.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file holds too little.
    #[error("{path} holds a secret of {length} bytes; at least 32 are needed")]
    Short {
        /// Where it is.
        path: String,
        /// Its length in bytes.
        length: usize,
    },
}

/// The keys, ready for use.
pub struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    csrf: aws_lc_rs::hmac::Key,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads `jwt.secret` in `data_dir`; makes it, readable by the owner only, when it is missing.
    ///
    /// # Errors
    /// When the file cannot be used or its secret is too short.
    pub fn load(data_dir: &Path) -> std::result::Result<Self, KeyError> {
        let path = data_dir.join("jwt.secret");
        let io = |cause| KeyError::Io { path: path.display().to_string(), cause };
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Ok(mut file) => {
                file.write_all(super::secret::token("").as_bytes()).map_err(io)?;
                file.sync_all().map_err(io)?;
            }
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(io(cause)),
        }
        let secret = std::fs::read(&path).map_err(io)?;
        let secret = secret.trim_ascii();
        if secret.len() < SHORTEST_SECRET {
            let path = path.display().to_string();
            return Err(KeyError::Short { path, length: secret.len() });
        }
        Ok(Self::from_secret(secret))
    }

    fn from_secret(secret: &[u8]) -> Self {
        use aws_lc_rs::hmac;
        let mut validation = Validation::new(Algorithm::HS256);
        // The application's clock decides, see `verify`.
        validation.validate_exp = false;
        validation.set_issuer(&["weir"]);
        validation.set_required_spec_claims(&["exp", "sub", "iss"]);
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let csrf = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"weir csrf v1").as_ref());
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            csrf,
        }
    }

    /// Signs a token of `kind`, starting now.
    ///
    /// # Errors
    /// [`Error::Internal`] when signing fails.
    pub fn sign(&self, kind: TokenKind, subject: Subject<'_>, now: Timestamp) -> Result<String> {
        let life_s = match kind {
            TokenKind::Access => ACCESS_LIFE_S,
            TokenKind::Refresh => REFRESH_LIFE_S,
        };
        let claims = Claims {
            sub: subject.user_id.to_string(),
            username: subject.username.to_owned(),
            role: subject.role.as_str().to_owned(),
            typ: kind,
            iat: now.seconds(),
            exp: now.seconds() + life_s,
            jti: super::secret::id(""),
            sid: subject.sid.to_owned(),
            ver: subject.generation,
            iss: "weir".to_owned(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(Error::internal)
    }

    /// Checks signature, kind and time. Whether the session still holds is the store's to say.
    ///
    /// # Errors
    /// [`Error::TokenExpired`] for a genuine token whose time is over, else
    /// [`Error::Unauthorized`].
    pub fn verify(&self, kind: TokenKind, token: &str, now: Timestamp) -> Result<Claims> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| Error::Unauthorized)?
            .claims;
        if claims.typ != kind {
            return Err(Error::Unauthorized);
        }
        if claims.exp <= now.seconds() {
            return Err(Error::TokenExpired);
        }
        Ok(claims)
    }

    /// The key of CSRF tokens.
    pub(super) fn csrf(&self) -> &aws_lc_rs::hmac::Key {
        &self.csrf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject<'static> {
        Subject { user_id: 7, username: "ada", role: AccountRole::User, sid: "s", generation: 0 }
    }

    #[test]
    fn a_token_is_good_for_its_kind_and_time_only() {
        let keys = Keys::from_secret(&[7; 32]);
        let now = Timestamp(1_000_000_000_000);
        let token = keys.sign(TokenKind::Access, subject(), now).unwrap();
        assert_eq!(keys.verify(TokenKind::Access, &token, now).unwrap().user_id().unwrap(), 7);
        assert!(matches!(keys.verify(TokenKind::Refresh, &token, now), Err(Error::Unauthorized)));
        let later = now.plus_seconds(ACCESS_LIFE_S);
        assert!(matches!(keys.verify(TokenKind::Access, &token, later), Err(Error::TokenExpired)));
        let other = Keys::from_secret(&[8; 32]);
        assert!(matches!(other.verify(TokenKind::Access, &token, now), Err(Error::Unauthorized)));
    }

    #[test]
    fn the_secret_is_made_once_private_and_never_short() {
        use std::os::unix::fs::PermissionsExt;
        let dir = std::env::temp_dir().join(super::super::secret::id("weir-keys-"));
        std::fs::create_dir(&dir).unwrap();
        let now = Timestamp(0);
        let token = Keys::load(&dir).unwrap().sign(TokenKind::Access, subject(), now).unwrap();
        assert!(Keys::load(&dir).unwrap().verify(TokenKind::Access, &token, now).is_ok());
        let file = dir.join("jwt.secret");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "short").unwrap();
        assert!(matches!(Keys::load(&dir), Err(KeyError::Short { length: 5, .. })));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
