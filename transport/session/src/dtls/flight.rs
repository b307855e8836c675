//! Our last flight, and when it is sent again (RFC 6347 4.2.4).

use std::time::Instant;

use bytes::Bytes;

use crate::limits::{FLIGHT_REPEATS, MAX_ASKED_REPEATS, MAX_FLIGHT_BYTES, REPEAT_GAP};

/// What we sent last, until the peer answers it.
#[derive(Default)]
pub(super) struct Flight {
    datagrams: Vec<Bytes>,
    /// When it left last; `None` before the first.
    sent_at: Option<Instant>,
    /// Repetitions by our timer, and because the peer repeated its own.
    by_timer: usize,
    asked: usize,
    /// The peer has answered it: it may ask again, the timer is off.
    answered: bool,
}

impl Flight {
    /// A flight that leaves now. What exceeds [`MAX_FLIGHT_BYTES`] is sent, but not remembered.
    pub(super) fn new<'a>(datagrams: impl Iterator<Item = &'a Bytes>, now: Instant) -> Self {
        let mut room = MAX_FLIGHT_BYTES;
        let fits = |datagram: &&Bytes| {
            let left = room.checked_sub(datagram.len());
            room = left.unwrap_or(room);
            left.is_some()
        };
        Self {
            datagrams: datagrams.filter(fits).cloned().collect(),
            sent_at: Some(now),
            ..Self::default()
        }
    }

    pub(super) fn datagrams(&self) -> &[Bytes] {
        &self.datagrams
    }

    /// How often it was repeated.
    pub(super) fn repeats(&self) -> usize {
        self.by_timer.saturating_add(self.asked)
    }

    /// A part of the peer's next flight has come.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }

    /// When the timer repeats it.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.answered {
            return None;
        }
        let wait = FLIGHT_REPEATS.get(self.by_timer).or(FLIGHT_REPEATS.last())?;
        self.sent_at?.checked_add(*wait)
    }

    /// Whether the timer has run out; it then counts as repeated at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.due().is_some_and(|at| now >= at);
        if due {
            self.by_timer = self.by_timer.saturating_add(1);
            self.sent_at = Some(now);
        }
        due
    }

    /// Whether to repeat it because the peer repeated what it answers; it then counts as repeated
    /// at `now`. Not while it may still be under way.
    pub(super) fn take_asked(&mut self, now: Instant) -> bool {
        let recent = self.sent_at.is_some_and(|at| now.saturating_duration_since(at) < REPEAT_GAP);
        let repeat = !recent && self.asked < MAX_ASKED_REPEATS;
        if repeat {
            self.asked = self.asked.saturating_add(1);
            self.sent_at = Some(now);
        }
        repeat
    }
}
