//! Meetings through the running binary, with independent WebRTC stacks as clients.

#[path = "../common/mod.rs"]
mod common;
mod harness;
#[path = "../common/running.rs"]
mod running;

mod rtc_publishes_and_str0m_receives;
mod str0m_publishes_and_rtc_receives;
