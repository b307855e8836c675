//! Transport-wide feedback against the history: who arrived when, who is lost.

use weir_wire::rtcp::TransportCc;

use crate::{
    delay::Arrived,
    history::{History, Report, Verdict},
    limits::{SORTED, STATUSES},
    values::Counters,
};

/// Reference times are 24 bits of 64 ms.
const REFERENCE_US: i64 = 64_000;
const TICK_US: i64 = 250;
/// A missing packet may be this late before it counts as lost: at first, at most.
const FIRST_PATIENCE_US: i64 = 30_000;
const MAX_PATIENCE_US: i64 = 400_000;

/// What takes the news of a feedback.
pub(crate) trait Listener {
    /// Packets that arrived, at most [`SORTED`], in the order of arrival.
    fn arrived(&mut self, now_us: i64, packets: &[Arrived]);
    /// A packet's fate is settled.
    fn judged(&mut self, verdict: Verdict);
    /// A lost packet came after all.
    fn found(&mut self);
}

/// The history, and the reading position in what the receiver reports.
#[derive(Debug)]
pub(crate) struct Tracker {
    history: History,
    /// The last reference time, unwrapped.
    reference: Option<i64>,
    /// Sending time of the latest packet that arrived.
    newest_us: i64,
    patience_us: i64,
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self {
            history: History::new(),
            reference: None,
            newest_us: i64::MIN / 2,
            patience_us: FIRST_PATIENCE_US,
        }
    }

    pub(crate) fn sent(&mut self, now_us: i64, seq: u16, bytes: u16, cluster: u8) {
        self.history.sent(now_us, seq, bytes, cluster);
    }

    /// The sending time of the latest packet this feedback is news of.
    pub(crate) fn on_feedback(
        &mut self,
        now_us: i64,
        feedback: &TransportCc<'_>,
        counters: &mut Counters,
        listener: &mut impl Listener,
    ) -> Option<i64> {
        let mut arrival_us = self.unwrap(feedback.reference_time).saturating_mul(REFERENCE_US);
        if usize::from(feedback.status_count) > STATUSES {
            counters.too_long = counters.too_long.saturating_add(1);
        }
        let mut buffer = [Arrived::default(); SORTED];
        let mut filled = 0_usize;
        let mut latest = None;
        for (seq, delta) in feedback.statuses().take(STATUSES) {
            if let Some(ticks) = delta {
                arrival_us = arrival_us.saturating_add(i64::from(ticks).saturating_mul(TICK_US));
            }
            match self.history.report(now_us, seq, delta.is_some()) {
                Report::Arrived { sent_us, bytes, cluster, was_lost, was_missing } => {
                    counters.arrived = counters.arrived.saturating_add(1);
                    latest = latest.max(Some(sent_us));
                    if was_missing {
                        self.learn_patience(sent_us);
                    }
                    if was_lost {
                        counters.found = counters.found.saturating_add(1);
                        listener.found();
                    }
                    self.newest_us = self.newest_us.max(sent_us);
                    if filled == SORTED {
                        deliver(now_us, &mut buffer, filled, listener);
                        filled = 0;
                    }
                    if let Some(slot) = buffer.get_mut(filled) {
                        *slot = Arrived { sent_us, arrival_us, bytes, cluster };
                        filled = filled.saturating_add(1);
                    }
                }
                Report::Missing => {}
                Report::Repeated => counters.repeated = counters.repeated.saturating_add(1),
                Report::Unknown => counters.unknown = counters.unknown.saturating_add(1),
            }
        }
        deliver(now_us, &mut buffer, filled, listener);
        let settled_us = self.newest_us.saturating_sub(self.patience_us);
        while let Some(verdict) = self.history.judge(now_us, settled_us) {
            if verdict.lost {
                counters.lost = counters.lost.saturating_add(1);
            }
            listener.judged(verdict);
        }
        // What was learnt fades over some hundred feedbacks.
        let over = self.patience_us.saturating_sub(FIRST_PATIENCE_US);
        self.patience_us = self.patience_us.saturating_sub(over >> 8);
        latest
    }

    /// A packet sent at `sent_us` had been missing: the next shall not be given up so soon.
    fn learn_patience(&mut self, sent_us: i64) {
        let late = self.newest_us.saturating_sub(sent_us);
        let wanted = late.saturating_add(late >> 2).saturating_add(10_000);
        self.patience_us = self.patience_us.max(wanted.min(MAX_PATIENCE_US));
    }

    fn unwrap(&mut self, reference: i32) -> i64 {
        let reference = i64::from(reference);
        let unwrapped = match self.reference {
            None => reference,
            Some(last) => {
                // The nearest with these 24 bits.
                let ahead = reference.wrapping_sub(last).wrapping_shl(40).wrapping_shr(40);
                last.saturating_add(ahead)
            }
        };
        self.reference = Some(unwrapped);
        unwrapped
    }
}

fn deliver(now_us: i64, buffer: &mut [Arrived], filled: usize, listener: &mut impl Listener) {
    if let Some(packets) = buffer.get_mut(..filled)
        && filled > 0
    {
        // Stable order costs an allocation; the sending time tells equal arrivals apart.
        packets.sort_unstable_by_key(|packet| (packet.arrival_us, packet.sent_us));
        listener.arrived(now_us, packets);
    }
}
