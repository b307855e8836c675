//! Groups packets sent in bursts and compares neighbours (libwebrtc `InterArrivalDelta`).

use super::Arrived;

/// Packets sent within this time are one group.
const GROUP_US: i64 = 5_000;
/// Packets that arrive this close together, faster than sent, were held up and join a group.
const BURST_US: i64 = 5_000;
/// A group of such packets may last this long.
const MAX_BURST_US: i64 = 100_000;
/// The receiver's clock jumped if arrivals and feedbacks differ by more.
const CLOCK_JUMP_US: i64 = 3_000_000;
/// Groups in a row that arrive before their predecessor until all is forgotten.
const MAX_REORDERED: u8 = 3;

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrival: i64,
    last_arrival: i64,
    now: i64,
}

/// Differences between two neighbouring groups, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deltas {
    pub(super) sent: i64,
    pub(super) arrival: i64,
}

#[derive(Debug, Default)]
pub(super) struct InterArrival {
    previous: Option<Group>,
    current: Option<Group>,
    reordered: u8,
}

impl InterArrival {
    pub(super) fn on_packet(&mut self, now: i64, packet: &Arrived) -> Option<Deltas> {
        let fresh = Group {
            first_sent: packet.sent_us,
            last_sent: packet.sent_us,
            first_arrival: packet.arrival_us,
            last_arrival: packet.arrival_us,
            now,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(fresh);
            return None;
        };
        if packet.sent_us < current.first_sent {
            return None;
        }
        if packet.sent_us.saturating_sub(current.first_sent) <= GROUP_US
            || joins_burst(current, packet)
        {
            current.last_sent = current.last_sent.max(packet.sent_us);
            current.last_arrival = current.last_arrival.max(packet.arrival_us);
            current.now = now;
            return None;
        }
        let complete = *current;
        let previous = self.previous.replace(complete);
        self.current = Some(fresh);
        let previous = previous?;
        let arrival = complete.last_arrival.saturating_sub(previous.last_arrival);
        let here = complete.now.saturating_sub(previous.now);
        if arrival.saturating_sub(here) >= CLOCK_JUMP_US {
            *self = Self::default();
            return None;
        }
        if arrival < 0 {
            self.reordered = self.reordered.saturating_add(1);
            if self.reordered >= MAX_REORDERED {
                *self = Self::default();
            }
            return None;
        }
        self.reordered = 0;
        Some(Deltas { sent: complete.last_sent.saturating_sub(previous.last_sent), arrival })
    }
}

fn joins_burst(group: &Group, packet: &Arrived) -> bool {
    let arrival = packet.arrival_us.saturating_sub(group.last_arrival);
    let sent = packet.sent_us.saturating_sub(group.last_sent);
    if sent == 0 {
        return true;
    }
    arrival < sent
        && arrival <= BURST_US
        && packet.arrival_us.saturating_sub(group.first_arrival) < MAX_BURST_US
}
