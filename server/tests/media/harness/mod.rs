//! A server process, people with real WebRTC stacks, and what they send each other.

#![allow(dead_code, reason = "each test uses its part")]

#[path = "../../../../control-api/tests/live/harness/answer.rs"]
pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod frames;
mod http;
pub(crate) mod metrics;
pub(crate) mod person;
pub(crate) mod raw;
pub(crate) mod rtc_stack;
pub(crate) mod server;
pub(crate) mod stack;
pub(crate) mod str0m_stack;
pub(crate) mod ws;

pub(crate) use frames::Kind;
pub(crate) use person::{Call, Person, Wish};
pub(crate) use rtc_stack::Rtc;
pub(crate) use server::{Server, User};
pub(crate) use stack::Source;
pub(crate) use str0m_stack::Str0m;

use std::time::{Duration, Instant};

/// The longest any test waits for one thing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks every 20 ms until there is something.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// The same with another limit.
#[track_caller]
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < limit, "in vain waited {limit:?} until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
