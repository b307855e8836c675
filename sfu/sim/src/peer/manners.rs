//! How a peer behaves as a receiver: well, or in one of the ways a server must bear.

use super::SimPeer;
use std::time::{Duration, Instant};
use weir_wire::rtcp;

/// What it tells about arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Feedback {
    /// What is true.
    #[default]
    Honest,
    /// Nothing, though it negotiated to.
    Never,
    /// That packets arrived which were never sent.
    Invented,
}

/// Which packets it asks for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nacks {
    /// What is missing.
    #[default]
    Honest,
    /// None, as a receiver without NACK.
    Never,
    /// The last 300 of each slot, every 10 ms.
    Everything,
}

/// Compound RTCP with requests for key frames, repeats and invented feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    /// Time between two packets.
    pub interval: Duration,
}

/// How a peer behaves as a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Transport-wide feedback.
    pub feedback: Feedback,
    /// Between two feedbacks; libwebrtc takes 50 to 250 ms, by rate.
    pub feedback_interval: Duration,
    /// Requests for missing packets.
    pub nacks: Nacks,
    /// Floods with RTCP.
    pub flood: Option<Flood>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            feedback: Feedback::Honest,
            feedback_interval: Duration::from_millis(100),
            nacks: Nacks::Honest,
            flood: None,
        }
    }
}

impl SimPeer {
    /// Sends transport-wide feedback.
    pub(super) fn tell_arrivals(&mut self, now: Instant) {
        self.next_feedback = None;
        let mut packets = Vec::new();
        match self.manners.feedback {
            Feedback::Never => return,
            Feedback::Honest => self.arrivals.write(self.feedback_ssrc, &mut packets),
            Feedback::Invented => packets.push(self.invented_feedback()),
        }
        for packet in packets {
            self.send_rtcp(&packet);
        }
        if self.manners.feedback == Feedback::Invented {
            self.next_feedback = Some(now + self.manners.feedback_interval);
        }
    }

    /// 300 packets from 1,000 above the highest number that arrived, each 1 ms after the other.
    fn invented_feedback(&mut self) -> Vec<u8> {
        let base = self.arrivals.highest().unwrap_or(0) as u16;
        self.arrivals.feedbacks += 1;
        let arrivals: Vec<Option<i64>> = (0..300).map(|n| Some(n * 1_000)).collect();
        let mut out = Vec::new();
        rtcp::write_transport_cc(
            &mut out,
            self.feedback_ssrc,
            1,
            base.wrapping_add(1_000),
            0,
            self.arrivals.feedbacks as u8,
            &arrivals,
        );
        out
    }

    /// One packet for each slot, so that none is too long to be taken.
    pub(super) fn flood(&mut self, now: Instant) {
        let own = self.feedback_ssrc;
        let asked: Vec<_> =
            self.slots.iter_mut().map(|slot| (slot.ssrc, slot.ask_for_everything(now))).collect();
        for (ssrc, numbers) in asked {
            let mut out = Vec::new();
            rtcp::write_receiver_report(&mut out, own, &[]);
            rtcp::write_pli(&mut out, own, ssrc);
            rtcp::write_nack(&mut out, own, ssrc, &numbers);
            out.extend(self.invented_feedback());
            self.send_rtcp(&out);
        }
    }
}
