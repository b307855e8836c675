//! When recorded payloads were sent, for those who receive them.
//!
//! Keyed by a hash of a payload's last bytes, which a forwarder leaves alone. What several publishers send of one
//! file, or one in a short loop, is the same payload: the latest sending before the arrival counts, so that delays
//! are then too short rather than too long.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

/// Bytes at the end that are hashed.
const TAIL: usize = 48;
/// Sendings remembered: 10 s of 1,000 publishers with 100 packets a second.
const MAX_KNOWN: usize = 1_000_000;
/// A packet that took longer is not recognised.
const AGE_US: u64 = 10_000_000;

/// Of this process.
#[derive(Debug, Default)]
pub struct Sent {
    /// Generations: this and the one before, changed every [`AGE_US`].
    known: [HashMap<u64, [u64; 2]>; 2],
    since_us: u64,
}

fn key(payload: &[u8]) -> u64 {
    let from = payload.len().saturating_sub(TAIL);
    u64::from(super::super::stamp::checksum(&payload[from..])) << 16
        | payload.len().min(TAIL) as u64
}

impl Sent {
    /// Remembers a payload.
    pub fn note(&mut self, payload: &[u8], sent_us: u64) {
        if sent_us >= self.since_us + AGE_US || self.known[0].len() >= MAX_KNOWN {
            self.known.swap(0, 1);
            self.known[0].clear();
            self.since_us = sent_us;
        }
        let known = self.known[0].entry(key(payload)).or_default();
        *known = [sent_us, known[0]];
    }

    /// When it was sent last before it arrived.
    #[must_use]
    pub fn find(&self, payload: &[u8], arrived_us: u64) -> Option<u64> {
        let key = key(payload);
        let all = self.known.iter().filter_map(|known| known.get(&key)).flatten();
        all.copied().filter(|us| *us != 0 && *us <= arrived_us).max()
    }
}

/// The table of this process.
pub fn sent() -> &'static Mutex<Sent> {
    static SENT: OnceLock<Mutex<Sent>> = OnceLock::new();
    SENT.get_or_init(Mutex::default)
}
