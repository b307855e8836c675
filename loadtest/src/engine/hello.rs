//! The first flight of a handshake, repeated early.
//!
//! The session's timer waits 200 ms, which suits a server. Browsers (libwebrtc) begin with 50 ms, since a server that
//! is still choosing its pair of addresses drops what comes before: with Janus that is the rule.

use super::outbox::Outbox;
use std::time::{Duration, Instant};

/// As libwebrtc's first wait; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(50);

/// What was sent until the server answers.
#[derive(Debug, Default)]
pub(super) struct Hello {
    /// A ClientHello is one.
    datagram: Vec<u8>,
    due: Option<Instant>,
    wait: Duration,
    answered: bool,
}

impl Hello {
    /// A datagram of the handshake leaves.
    pub(super) fn sent(&mut self, now: Instant, datagram: &[u8]) {
        if self.answered || !self.datagram.is_empty() {
            return;
        }
        self.datagram = datagram.to_vec();
        self.wait = FIRST;
        self.due = Some(now + FIRST);
    }

    /// The server has said something: its handshake goes on by the session's timer.
    pub(super) fn answered(&mut self) {
        *self = Self { answered: true, ..Self::default() };
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Sends it again when it is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        out.push(self.datagram.len(), |into| {
            into.copy_from_slice(&self.datagram);
            Some(self.datagram.len())
        });
        self.wait *= 2;
        // From 400 ms on the session's own repeats are enough.
        self.due = (self.wait <= FIRST * 4).then(|| now + self.wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_repeated_after_50_100_and_200_ms_unless_answered() {
        let begin = Instant::now();
        let mut hello = Hello::default();
        assert_eq!(hello.next_deadline(), None);
        hello.sent(begin, b"hello");
        let mut out = Outbox::default();
        let mut waits = Vec::new();
        let mut last = begin;
        while let Some(due) = hello.next_deadline() {
            waits.push((due - last).as_millis());
            last = due;
            hello.handle_timeout(due, &mut out);
            hello.sent(due, b"hello");
        }
        assert_eq!(waits, [50, 100, 200]);
        hello.answered();
        hello.sent(begin, b"finished");
        assert_eq!(hello.next_deadline(), None);
    }
}
