//! The server process, its accounts and meetings.

use super::answer::Answer;
use crate::common::Folder;
use crate::running::Running;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server.
pub(crate) struct Server {
    pub(crate) process: Running,
}

/// An account with its token.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) token: String,
}

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder that no other test has.
pub(crate) fn folder() -> Folder {
    Folder::new(&format!("media-{}", FOLDERS.fetch_add(1, Ordering::Relaxed)))
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With `WEIR__` variables.
    pub(crate) fn start_with(env: &[(&str, &str)]) -> Self {
        Self::start_in(folder(), env)
    }

    pub(crate) fn start_in(folder: impl Into<Arc<Folder>>, env: &[(&str, &str)]) -> Self {
        let env = [&[("WEIR__RATE_LIMIT__ENABLED", "false")], env].concat();
        Self { process: Running::start(folder, &env) }
    }

    /// Registers and logs in.
    pub(crate) fn user(&self, name: &str) -> User {
        let email = format!("{name}@example.com");
        let body = json!({"username": name, "email": email, "password": "secret123"});
        let made = self.done("POST", "/api/v1/auth/register", "", &body);
        let body = json!({"username": name, "password": "secret123"});
        let login = self.done("POST", "/api/v1/auth/login", "", &body);
        User {
            id: made["user_id"].as_i64().unwrap(),
            name: name.to_owned(),
            token: login["token"].as_str().unwrap().to_owned(),
        }
    }

    /// WHIP (RFC 9725): an offer by HTTP.
    pub(crate) fn whip(&self, meeting: i64, token: &str, offer: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Content-Type", "application/sdp"), ("Authorization", bearer.as_str())];
        self.request("POST", &format!("/whip/{meeting}"), &headers, offer)
    }

    /// A meeting of `host` for a thousand people.
    pub(crate) fn meeting(&self, host: &User) -> i64 {
        let body = json!({
            "title": "test",
            "start_time": "2030-01-01T10:00:00Z",
            "end_time": "2030-01-01T11:00:00Z",
            "max_participants": 1000,
            "meeting_type": "video",
        });
        let made = self.done("POST", "/api/v1/meetings", &host.token, &body);
        made["meeting_id"].as_i64().unwrap()
    }

    /// Joins by REST, as a page does before it opens the WebSocket.
    pub(crate) fn join(&self, user: &User, meeting: i64) -> Value {
        self.done("POST", &format!("/api/v1/meetings/{meeting}/join"), &user.token, &json!({}))
    }

    /// A token that lets guests in.
    pub(crate) fn guest_token(&self, host: &User, meeting: i64, name: &str) -> String {
        let path = format!("/api/v1/meetings/{meeting}/access-tokens");
        let made = self.done("POST", &path, &host.token, &json!({"name": name}));
        made["token"].as_str().unwrap().to_owned()
    }

    /// Where media goes, as an answer's candidate tells.
    pub(crate) fn candidate(answer: &str) -> SocketAddr {
        let line = answer.lines().find_map(|line| line.strip_prefix("a=candidate:")).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        SocketAddr::new(words[4].parse().unwrap(), words[5].parse().unwrap())
    }

    /// The value of an attribute's first line in an SDP.
    pub(crate) fn attribute<'a>(sdp: &'a str, name: &str) -> &'a str {
        let mut lines = sdp.lines().filter_map(|line| line.strip_prefix("a=")?.strip_prefix(name));
        lines.find_map(|rest| rest.strip_prefix(':')).unwrap_or_else(|| panic!("no {name}: {sdp}"))
    }

    /// Resident memory in kB.
    pub(crate) fn memory_kb(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.pid());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}
