//! Transport-wide numbers: of what a peer sends, and of what it receives.

use std::collections::BTreeMap;
use std::time::Instant;
use weir_wire::rtcp;
use weir_wire::rtp::seq::SeqUnwrapper;

/// Arrivals before those already told are remembered for so long, as libwebrtc does.
const BACK_US: i64 = 500_000;
/// Statuses in one feedback, at most.
const STATUSES: u64 = 1_000;

/// What arrived of a peer's downlink, told as libwebrtc's RemoteEstimatorProxy tells it: each
/// feedback covers everything since the last one; a packet that comes late moves the start back.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Packets with a number.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// RTP packets without one, though it was negotiated.
    pub without_number: u64,
    /// Feedback packets sent.
    pub feedbacks: u64,
    /// Numbers that came twice: never in a good run.
    pub twice: u64,
    unwrapper: SeqUnwrapper,
    start: Option<u64>,
    arrived: BTreeMap<u64, i64>,
    media_ssrc: u32,
}

impl Arrivals {
    pub(super) fn note(&mut self, number: u16, ssrc: u32, arrival_us: i64, bytes: usize) {
        let seq = self.unwrapper.unwrap(number);
        self.media_ssrc = ssrc;
        self.packets += 1;
        self.bytes += bytes as u64;
        if let Some(start) = self.start {
            while let Some((first, at)) = self.arrived.first_key_value()
                && *first < start
                && arrival_us - at > BACK_US
            {
                self.arrived.pop_first();
            }
        }
        if self.arrived.insert(seq, arrival_us).is_some() {
            self.twice += 1;
        }
        self.start = Some(self.start.map_or(seq, |start| start.min(seq)));
    }

    /// The highest number that arrived.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.unwrapper.highest()
    }

    /// Appends feedback on everything since the last one; several packets where one is too short.
    pub(super) fn write(&mut self, own_ssrc: u32, out: &mut Vec<Vec<u8>>) {
        let Some(highest) = self.highest() else { return };
        while let Some(start) = self.start.filter(|start| *start <= highest) {
            let end = (highest + 1).min(start + STATUSES);
            let statuses: Vec<Option<i64>> =
                (start..end).map(|seq| self.arrived.get(&seq).copied()).collect();
            let first = statuses.iter().flatten().next().copied().unwrap_or(0);
            let mut packet = Vec::new();
            let covered = rtcp::write_transport_cc(
                &mut packet,
                own_ssrc,
                self.media_ssrc,
                start as u16,
                rtcp::reference_time_64ms(first),
                self.feedbacks as u8,
                &statuses,
            );
            self.start = Some(start + covered.max(1) as u64);
            if !packet.is_empty() {
                self.feedbacks += 1;
                out.push(packet);
            }
        }
    }
}

/// Transport-wide numbers of one peer, and what the server's feedback said about them.
#[derive(Debug, Default)]
pub struct Wide {
    /// By number from 0: sent at, and once fed back whether it arrived.
    pub packets: Vec<(Option<Instant>, Option<bool>)>,
    /// Feedback packets.
    pub feedbacks: u64,
    /// Numbers that two feedbacks told about.
    pub told_twice: u64,
    base: u16,
}

impl Wide {
    pub(crate) fn starting_at(base: u16) -> Self {
        Self { base, ..Self::default() }
    }

    pub(super) fn next(&mut self, now: Instant) -> u16 {
        let number = self.base.wrapping_add(self.packets.len() as u16);
        self.packets.push((Some(now), None));
        number
    }

    pub(crate) fn feedback(&mut self, number: u16, arrived: bool) {
        // The number nearest to the last one sent.
        let last = self.base.wrapping_add(self.packets.len() as u16).wrapping_sub(1);
        let behind = usize::from(last.wrapping_sub(number));
        let at = self.packets.len().checked_sub(1 + behind);
        if let Some((_, told)) = at.and_then(|at| self.packets.get_mut(at)) {
            if *told == Some(true) {
                self.told_twice += 1;
            }
            *told = Some(arrived || *told == Some(true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the feedback tells: number, and the arrival in milliseconds.
    fn told(arrivals: &mut Arrivals) -> Vec<(u16, Option<i64>)> {
        let mut packets = Vec::new();
        arrivals.write(1, &mut packets);
        let mut all = Vec::new();
        for packet in &packets {
            for packet in rtcp::packets(packet) {
                let Ok(rtcp::RtcpPacket::TransportCc(feedback)) = packet else { panic!() };
                let mut ticks = i64::from(feedback.reference_time) * 256;
                all.extend(feedback.statuses().map(|(number, delta)| {
                    ticks += i64::from(delta.unwrap_or(0));
                    (number, delta.map(|_| ticks / 4))
                }));
            }
        }
        all
    }

    #[test]
    fn feedback_covers_what_came_what_did_not_and_what_came_late() {
        let mut arrivals = Arrivals::default();
        for (number, ms) in [(65_534, 10), (65_535, 20), (2, 30)] {
            arrivals.note(number, 7, ms * 1_000, 100);
        }
        let all = [(65_534, Some(10)), (65_535, Some(20)), (0, None), (1, None), (2, Some(30))];
        assert_eq!(told(&mut arrivals), all);
        assert_eq!(told(&mut arrivals), []);
        // What comes late is told with everything after it, again.
        arrivals.note(1, 7, 40_000, 100);
        arrivals.note(3, 7, 50_000, 100);
        assert_eq!(told(&mut arrivals), [(1, Some(40)), (2, Some(30)), (3, Some(50))]);
        assert_eq!((arrivals.packets, arrivals.bytes, arrivals.twice), (5, 500, 0));
    }
}
