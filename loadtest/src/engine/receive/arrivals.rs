//! What arrived by transport-wide numbers, told to the server as libwebrtc's receivers tell it: each feedback covers
//! everything since the last one; a packet that comes late moves its start back.

use std::collections::VecDeque;
use weir_wire::rtcp;
use weir_wire::rtp::seq::SeqUnwrapper;

/// Arrivals that were told are remembered for so long, as libwebrtc does.
const BACK_US: i64 = 500_000;
/// Statuses in one feedback, at most.
const STATUSES: usize = 1_000;
/// Numbers remembered, at most: 0.5 s of 8,000 packets a second.
const MAX_KNOWN: usize = 4_096;
const NONE: i64 = i64::MIN;

/// Of one connection.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    unwrapper: SeqUnwrapper,
    /// Times by number from `origin` on.
    times: VecDeque<i64>,
    origin: u64,
    /// The next feedback begins here.
    start: Option<u64>,
    media_ssrc: u32,
    feedbacks: u8,
}

impl Arrivals {
    pub(super) fn note(&mut self, number: u16, ssrc: u32, at_us: i64) {
        let number = self.unwrapper.unwrap(number);
        self.media_ssrc = ssrc;
        if self.times.is_empty() {
            self.origin = number;
        }
        if number < self.origin {
            // Before all we remember: only right at the beginning.
            if self.start != Some(self.origin) || self.origin - number > 64 {
                return;
            }
            for _ in number..self.origin {
                self.times.push_front(NONE);
            }
            self.origin = number;
        }
        let at = (number - self.origin) as usize;
        if at >= self.times.len() {
            if at >= 2 * MAX_KNOWN {
                self.times.clear();
                self.origin = number;
                self.start = None;
                self.times.push_back(at_us);
            } else {
                self.times.resize(at, NONE);
                self.times.push_back(at_us);
            }
        } else if self.times[at] == NONE {
            self.times[at] = at_us;
        }
        self.start = Some(self.start.map_or(number, |start| start.min(number)));
        while self.times.len() > MAX_KNOWN {
            self.times.pop_front();
            self.origin += 1;
        }
    }

    /// Appends feedback on everything since the last one, in packets for one datagram each, through `send`.
    pub(super) fn write(
        &mut self,
        own_ssrc: u32,
        now_us: i64,
        scratch: &mut Vec<Option<i64>>,
        mut send: impl FnMut(&dyn Fn(&mut Vec<u8>)),
    ) {
        let end = self.origin + self.times.len() as u64;
        while let Some(start) = self.start.map(|start| start.max(self.origin)).filter(|s| *s < end)
        {
            let from = (start - self.origin) as usize;
            scratch.clear();
            let statuses = self.times.iter().skip(from).take(STATUSES);
            scratch.extend(statuses.map(|at| (*at != NONE).then_some(*at)));
            let first = scratch.iter().flatten().next().copied().unwrap_or(0);
            let covered = std::cell::Cell::new(0);
            send(&|out| {
                covered.set(rtcp::write_transport_cc(
                    out,
                    own_ssrc,
                    self.media_ssrc,
                    start as u16,
                    rtcp::reference_time_64ms(first),
                    self.feedbacks,
                    scratch,
                ));
            });
            self.feedbacks = self.feedbacks.wrapping_add(1);
            self.start = Some(start + covered.get().max(1) as u64);
        }
        // What was told long ago is forgotten.
        while let Some(first) = self.times.front()
            && self.start.is_some_and(|start| self.origin < start)
            && (*first == NONE || now_us - first > BACK_US)
        {
            self.times.pop_front();
            self.origin += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the feedback tells: number, and the arrival in milliseconds.
    fn told(arrivals: &mut Arrivals, now_ms: i64) -> Vec<(u16, Option<i64>)> {
        let mut all = Vec::new();
        arrivals.write(1, now_ms * 1_000, &mut Vec::new(), |fill| {
            let mut bytes = Vec::new();
            fill(&mut bytes);
            for packet in rtcp::packets(&bytes) {
                let Ok(rtcp::RtcpPacket::TransportCc(feedback)) = packet else { panic!() };
                let mut ticks = i64::from(feedback.reference_time) * 256;
                all.extend(feedback.statuses().map(|(number, delta)| {
                    ticks += i64::from(delta.unwrap_or(0));
                    (number, delta.map(|_| ticks / 4))
                }));
            }
        });
        all
    }

    #[test]
    fn feedback_covers_what_came_what_did_not_and_what_came_late() {
        let mut arrivals = Arrivals::default();
        for (number, ms) in [(65_534, 10), (65_535, 20), (2, 30)] {
            arrivals.note(number, 7, ms * 1_000);
        }
        let all = [(65_534, Some(10)), (65_535, Some(20)), (0, None), (1, None), (2, Some(30))];
        assert_eq!(told(&mut arrivals, 30), all);
        assert_eq!(told(&mut arrivals, 30), []);
        arrivals.note(1, 7, 40_000);
        arrivals.note(3, 7, 50_000);
        assert_eq!(told(&mut arrivals, 50), [(1, Some(40)), (2, Some(30)), (3, Some(50))]);
        arrivals.note(4, 7, 700_000);
        assert_eq!(told(&mut arrivals, 700), [(4, Some(700))]);
        assert_eq!(arrivals.times.len(), 1, "the rest is forgotten");
    }

    #[test]
    fn memory_is_bounded() {
        let mut arrivals = Arrivals::default();
        for n in 0..20_000_u64 {
            arrivals.note((n * 3) as u16, 7, n as i64);
        }
        assert!(arrivals.times.len() <= MAX_KNOWN);
        arrivals.note(0x7000, 7, 0);
        assert!(arrivals.times.len() <= 2 * MAX_KNOWN);
    }
}
