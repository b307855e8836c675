//! Rate limits (contract section 6): one fixed window for each endpoint and caller.

use super::context::Context;
use crate::{Error, Result, Timestamp};
use poem::http::{HeaderName, Method};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// Windows kept at most; 48 bytes each. Beyond it the finished ones are dropped, then all.
const MOST_WINDOWS: usize = 200_000;

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many pass in one window.
    pub count: u32,
    /// Length of the window in seconds.
    pub per_s: u32,
}

impl Limit {
    /// `count` a minute.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self { count, per_s: 60 }
    }

    /// `count` an hour.
    #[must_use]
    pub const fn per_hour(count: u32) -> Self {
        Self { count, per_s: 3600 }
    }
}

/// Login: tries of one name from one address.
pub const LOGIN_PER_NAME: Limit = Limit::per_minute(5);
/// Login: tries from one address.
pub const LOGIN_PER_ADDRESS: Limit = Limit::per_minute(60);
/// Meetings asked for that do not exist, of one user.
pub const UNKNOWN_MEETINGS: Limit = Limit::per_minute(20);

/// The documented limit of an endpoint by method and path (path parameters as `{}`); what is not
/// named here counts as general: 50 a minute, lists and queries 100.
fn documented(method: &Method, path: &str) -> Option<Limit> {
    let limit = match (method.as_str(), path) {
        ("POST", "/api/v1/auth/register") => Limit::per_minute(5),
        // Counted by name and address in the handler.
        ("POST", "/api/v1/auth/login") => return None,
        ("POST", "/api/v1/auth/refresh") => Limit::per_minute(10),
        ("POST", "/api/v1/users/change-password") => Limit::per_hour(10),
        (
            "POST",
            "/api/v1/meetings/{}/join"
            | "/api/v1/meetings/{}/leave"
            | "/api/v1/meetings/{}/messages",
        ) => Limit::per_minute(100),
        ("POST", "/admin/cleanup/sessions") => Limit::per_minute(20),
        ("GET", "/admin/sessions" | "/api/v1/stats/overview" | "/api/v1/stats/rooms") => {
            Limit::per_minute(50)
        }
        ("GET" | "HEAD", _) => Limit::per_minute(100),
        _ => Limit::per_minute(50),
    };
    Some(limit)
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// All counters.
#[derive(Debug)]
pub struct Limits {
    enabled: bool,
    hasher: RandomState,
    windows: Mutex<HashMap<u64, Window>>,
}

impl Limits {
    /// No counts yet.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self { enabled, hasher: RandomState::new(), windows: Mutex::default() }
    }

    /// Counts one request of `caller` to an endpoint and tells the client where it stands.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn endpoint(
        &self,
        context: &Context,
        method: &Method,
        pattern: &str,
        caller: &str,
        now: Timestamp,
    ) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        let path = neutral(pattern);
        let Some(limit) = documented(method, &path) else { return Ok(()) };
        self.count(Some(context), &format!("{method} {path} {caller}"), limit, now)
    }

    /// Counts one event under a key.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn count(
        &self,
        context: Option<&Context>,
        key: &str,
        limit: Limit,
        now: Timestamp,
    ) -> Result<()> {
        if !self.enabled {
            return Ok(());
        }
        let window = self.window(key, limit, now, 1);
        let wait_s = seconds_until(window.ends, now);
        if let Some(context) = context {
            let left = limit.count.saturating_sub(window.used);
            let headers = [
                ("x-ratelimit-limit", i64::from(limit.count)),
                ("x-ratelimit-remaining", i64::from(left)),
                ("x-ratelimit-reset", window.ends.seconds()),
            ];
            for (name, value) in headers {
                context.add_header(HeaderName::from_static(name), value.to_string());
            }
        }
        if window.used > limit.count {
            Err(Error::TooMany { retry_after_s: wait_s })
        } else {
            Ok(())
        }
    }

    /// Whether nothing more may happen under a key; counts nothing.
    #[must_use]
    pub fn is_used_up(&self, key: &str, limit: Limit, now: Timestamp) -> Option<u32> {
        if !self.enabled {
            return None;
        }
        let window = self.window(key, limit, now, 0);
        (window.used >= limit.count).then(|| seconds_until(window.ends, now))
    }

    fn window(&self, key: &str, limit: Limit, now: Timestamp, add: u32) -> Window {
        let hash = self.hasher.hash_one(key);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_WINDOWS && !windows.contains_key(&hash) {
            windows.retain(|_, window| window.ends > now);
            if windows.len() >= MOST_WINDOWS {
                windows.clear();
            }
        }
        let fresh = Window { ends: now.plus_seconds(i64::from(limit.per_s)), used: 0 };
        let window = windows.entry(hash).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        window.used = window.used.saturating_add(add);
        *window
    }
}

fn seconds_until(end: Timestamp, now: Timestamp) -> u32 {
    let wait_ms = end.0.saturating_sub(now.0).max(1);
    u32::try_from(wait_ms.div_euclid(1000) + 1).unwrap_or(u32::MAX)
}

/// A route pattern with its parameters as `{}`.
fn neutral(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| if part.starts_with(':') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_its_number_pass_and_starts_anew() {
        let limits = Limits::new(true);
        let limit = Limit { count: 2, per_s: 60 };
        let now = Timestamp(1_000_000);
        assert!(limits.count(None, "k", limit, now).is_ok());
        assert!(limits.count(None, "k", limit, now).is_ok());
        assert!(limits.count(None, "other", limit, now).is_ok());
        match limits.count(None, "k", limit, now.plus_seconds(20)) {
            Err(Error::TooMany { retry_after_s }) => assert_eq!(retry_after_s, 41),
            other => panic!("{other:?}"),
        }
        assert!(limits.count(None, "k", limit, now.plus_seconds(60)).is_ok());
        assert!(Limits::new(false).count(None, "k", Limit { count: 0, per_s: 1 }, now).is_ok());
    }

    #[test]
    fn the_documented_numbers_hold() {
        let of = |method, path: &str| documented(&method, &neutral(path));
        assert_eq!(of(Method::POST, "/api/v1/auth/refresh"), Some(Limit::per_minute(10)));
        assert_eq!(of(Method::GET, "/api/v1/meetings/:param0"), Some(Limit::per_minute(100)));
        assert_eq!(of(Method::POST, "/api/v1/meetings/:param0/join"), Some(Limit::per_minute(100)));
        assert_eq!(of(Method::DELETE, "/api/v1/meetings/:param0"), Some(Limit::per_minute(50)));
    }
}
