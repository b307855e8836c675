//! Sums of what was seen, by role.

use crate::measure::{Counters, Delays, Snapshot};
use hdrhistogram::Histogram;

/// What the connections of one role on one worker have counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Since the start.
    pub(super) counters: Counters,
    /// Since the start.
    pub(super) delays: Delays,
    /// `delays.added` since the last snapshot of all.
    pub(super) added_since: Option<Histogram<u64>>,
}

impl Tally {
    /// A packet came this long after it was sent.
    pub(super) fn added(&mut self, micros: u64) {
        self.delays.added.saturating_record(micros.max(1));
        let since = self.added_since.get_or_insert_with(|| Delays::default().added);
        since.saturating_record(micros.max(1));
    }
}

/// Adds a worker's part.
pub(super) fn merge(all: &mut Snapshot, part: &Snapshot) {
    all.counters.add(&part.counters);
    add_delays(&mut all.delays, &part.delays);
    if let Some(since) = &part.added_since {
        match &mut all.added_since {
            Some(sum) => join(sum, since),
            none => *none = Some(since.clone()),
        }
    }
    all.connected += part.connected;
    all.streams += part.streams;
    for (height, streams) in &part.by_height {
        *all.by_height.entry(*height).or_default() += streams;
    }
}

/// Adds delays.
pub(super) fn add_delays(to: &mut Delays, from: &Delays) {
    join(&mut to.added, &from.added);
    join(&mut to.signalling, &from.signalling);
    join(&mut to.connected, &from.connected);
    join(&mut to.first_packet, &from.first_packet);
    join(&mut to.first_key_frame, &from.first_key_frame);
}

fn join(to: &mut Histogram<u64>, from: &Histogram<u64>) {
    // Of the same bounds by construction.
    let _ = to.add(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let mut tally = Tally::default();
        tally.counters.received_packets = 3;
        tally.added(0);
        tally.added(70_000_000);
        let part = Snapshot {
            counters: tally.counters.clone(),
            delays: tally.delays.clone(),
            added_since: tally.added_since.take(),
            connected: 1,
            streams: 2,
            by_height: [(360, 2)].into(),
        };
        let mut all = Snapshot::default();
        merge(&mut all, &part);
        merge(&mut all, &part);
        assert_eq!((all.counters.received_packets, all.connected, all.streams), (6, 2, 4));
        assert_eq!(all.delays.added.len(), 4);
        assert!(all.delays.added.max() >= 60_000_000);
        assert_eq!(all.added_since.unwrap().len(), 4);
        assert_eq!(all.by_height[&360], 4);
    }
}
