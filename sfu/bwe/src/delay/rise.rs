//! A queue that rises fast tells what the path carries, long before a trend over twenty frames does.
//!
//! While packets wait for each other all the time, what arrives is what the bottleneck lets through.
//! So this does not accuse: it measures, and a fall of the capacity shows in a tenth of a second.

use super::{Arrived, standing::Least};

/// Arrivals so close are one.
const STEP_US: i64 = 5_000;
/// Steps remembered: 0.24 s at least.
const STEPS: usize = 48;
/// The path's own delay: least of the last 10 to 20 s.
const PATH_US: i64 = 10_000_000;
/// Beyond this much above the path's own delay a packet waited for others.
const WAITED_US: i64 = 10_000;
/// The queue must have come to this, and have risen by this.
const HIGH_US: i64 = 50_000;
const RISEN_US: i64 = 40_000;
/// And by this part of the time it took.
const RISEN_PART: i64 = 5;
/// Time and packets that make a measure.
const SPAN_US: i64 = 90_000;
const PACKETS: u32 = 8;
/// At most this part of them overtaken.
const LATE_PART: u32 = 10;
/// What stalls for longer, and then comes at once, was held up and not queued.
const GAP_US: i64 = 45_000;

#[derive(Debug, Clone, Copy, Default)]
struct Step {
    arrival_us: i64,
    /// Least delay, on two clocks.
    delay_us: i64,
    bytes: u32,
    packets: u32,
    /// Of these, overtaken ones.
    late: u32,
}

#[derive(Debug)]
pub(crate) struct Rise {
    path: Least,
    sent_us: i64,
    steps: [Step; STEPS],
    newest: usize,
    filled: usize,
}

impl Default for Rise {
    fn default() -> Self {
        let path = Least::new(PATH_US);
        Self { path, sent_us: i64::MIN, steps: [Step::default(); STEPS], newest: 0, filled: 0 }
    }
}

impl Rise {
    /// Packets in the order of arrival.
    pub(crate) fn on_packet(&mut self, packet: &Arrived) {
        let delay_us = packet.arrival_us.saturating_sub(packet.sent_us);
        self.path.add(packet.sent_us, delay_us);
        let bytes = u32::from(packet.bytes);
        // A queue keeps the order.
        let late = u32::from(packet.sent_us < self.sent_us);
        self.sent_us = self.sent_us.max(packet.sent_us);
        if let Some(step) = self.steps.get_mut(self.newest).filter(|_| self.filled > 0) {
            let passed = packet.arrival_us.saturating_sub(step.arrival_us);
            if passed < STEP_US {
                step.delay_us = step.delay_us.min(delay_us);
                step.bytes = step.bytes.saturating_add(bytes);
                step.packets = step.packets.saturating_add(1);
                step.late = step.late.saturating_add(late);
                return;
            }
        }
        self.newest = self.newest.wrapping_add(1) % STEPS;
        self.filled = self.filled.saturating_add(1).min(STEPS);
        if let Some(step) = self.steps.get_mut(self.newest) {
            *step = Step { arrival_us: packet.arrival_us, delay_us, bytes, packets: 1, late };
        }
    }

    /// What the path carries, bit/s, where a queue stands; and whether it has just risen. Jitter may
    /// account for `held_up_us` of it.
    pub(crate) fn carried(&self, held_up_us: i64) -> Option<(f64, bool)> {
        let last = *self.steps.get(self.newest).filter(|_| self.filled > 1)?;
        let path = self.path.get().saturating_add(held_up_us);
        let waited = |step: &Step| step.delay_us.saturating_sub(path);
        let (mut bytes, mut packets, mut late, mut after) = (0u64, 0u32, 0u32, last);
        let mut first = None;
        for back in 1..self.filled {
            let index = self.newest.wrapping_add(STEPS).wrapping_sub(back) % STEPS;
            let step = self.steps.get(index)?;
            let gap = after.arrival_us.saturating_sub(step.arrival_us);
            if gap > GAP_US || waited(step) < WAITED_US {
                break;
            }
            bytes = bytes.saturating_add(u64::from(step.bytes));
            packets = packets.saturating_add(step.packets);
            late = late.saturating_add(step.late);
            first = Some(*step);
            after = *step;
        }
        let first = first?;
        let span = last.arrival_us.saturating_sub(first.arrival_us);
        let risen = last.delay_us.saturating_sub(first.delay_us).saturating_sub(held_up_us);
        let told =
            span >= SPAN_US && packets >= PACKETS && late.saturating_mul(LATE_PART) <= packets;
        let high = waited(&last) >= HIGH_US && risen >= RISEN_US.max(span.checked_div(RISEN_PART)?);
        told.then(|| (bytes as f64 * 8e6 / span as f64, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 bytes each 5 ms; each takes `us` microseconds to arrive after the one before.
    fn through(rise: &mut Rise, from: i64, count: i64, us: i64, idle: &mut i64) {
        for n in from..from + count {
            let sent_us = n * 5_000;
            *idle = (*idle).max(sent_us) + us;
            let arrival_us = *idle + 7_000_000;
            rise.on_packet(&Arrived { sent_us, arrival_us, bytes: 1_000, cluster: 0 });
        }
    }

    #[test]
    fn a_fall_of_the_capacity_shows_in_a_tenth_of_a_second() {
        let (mut rise, mut idle) = (Rise::default(), 0);
        through(&mut rise, 0, 100, 2_000, &mut idle);
        assert!(rise.carried(0).is_none_or(|(_, risen)| !risen));
        // 500 kbit/s, of 1,600.
        through(&mut rise, 100, 10, 16_000, &mut idle);
        let (carried, risen) = rise.carried(0).unwrap();
        assert!(risen);
        assert!((450e3..550e3).contains(&carried), "{carried}");
    }

    #[test]
    fn what_was_held_up_and_comes_at_once_tells_nothing() {
        let (mut rise, mut idle) = (Rise::default(), 0);
        through(&mut rise, 0, 100, 2_000, &mut idle);
        idle += 200_000;
        through(&mut rise, 100, 100, 10, &mut idle);
        assert!(rise.carried(0).is_none_or(|(_, risen)| !risen));
    }
}
