//! Passwords, tokens, CSRF, and who the caller is.

pub mod caller;
pub mod csrf;
pub mod keys;
pub mod password;
pub mod secret;

/// The cookie that holds an access JWT.
pub const ACCESS_COOKIE: &str = "access_token";
/// The cookie that holds a CSRF token.
pub const CSRF_COOKIE: &str = "csrf_token";
