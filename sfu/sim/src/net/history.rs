//! What a link did when, for measures of rates and queues over time.

use std::time::{Duration, Instant};

/// The grain of a link's history.
pub const TICK: Duration = Duration::from_millis(100);

/// What happened to one way of a link within some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// How long.
    pub time: Duration,
    /// Packets given to it.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that left the bottleneck.
    pub delivered_bytes: u64,
    /// Packets lost by chance.
    pub lost: u64,
    /// Packets dropped by the full queue.
    pub overflowed: u64,
    /// The longest that a packet found before it in the queue.
    pub queue_delay: Duration,
}

impl Span {
    /// Bits per second given to the link.
    #[must_use]
    pub fn sent_bps(&self) -> u64 {
        rate(self.bytes, self.time)
    }

    /// Bits per second that left the bottleneck.
    #[must_use]
    pub fn delivered_bps(&self) -> u64 {
        rate(self.delivered_bytes, self.time)
    }

    fn add(&mut self, other: &Self) {
        self.time += TICK;
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.delivered_bytes += other.delivered_bytes;
        self.lost += other.lost;
        self.overflowed += other.overflowed;
        self.queue_delay = self.queue_delay.max(other.queue_delay);
    }
}

fn rate(bytes: u64, time: Duration) -> u64 {
    (bytes as f64 * 8.0 / time.as_secs_f64().max(0.001)) as u64
}

/// Spans of [`TICK`] since the first packet.
#[derive(Debug, Default)]
pub(super) struct History {
    start: Option<Instant>,
    spans: Vec<Span>,
}

impl History {
    pub(super) fn at(&mut self, at: Instant) -> &mut Span {
        let start = *self.start.get_or_insert(at);
        let index = (at.saturating_duration_since(start).as_micros() / TICK.as_micros()) as usize;
        if self.spans.len() <= index {
            self.spans.resize(index + 1, Span::default());
        }
        &mut self.spans[index]
    }

    pub(super) fn between(&self, from: Instant, to: Instant) -> Span {
        let mut sum = Span::default();
        let Some(start) = self.start else {
            return Span { time: to.saturating_duration_since(from), ..sum };
        };
        let mut at = start;
        for span in &self.spans {
            if at >= from && at < to {
                sum.add(span);
            }
            at += TICK;
        }
        // Before the first and after the last packet nothing happened, but time passed.
        sum.time = sum.time.max(to.saturating_duration_since(from));
        sum
    }
}
