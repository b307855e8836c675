//! What a receiver says: feedback, requests, reports.

use super::{LOOK, Receiver};
use crate::engine::tally::Tally;
use crate::plan::Verify;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use weir_wire::rtcp::{self, MAX_REPORT_BLOCKS, ReportBlock, RtcpPacket};

/// A stream is there as long as packets came within this time.
const LIVE: Duration = Duration::from_secs(1);

impl Receiver {
    /// When [`Self::handle_timeout`] has something to do.
    pub(in crate::engine) fn next_deadline(&self) -> Option<Instant> {
        self.next_look.into_iter().chain(self.next_feedback).min()
    }

    /// Time has come: compound packets go to `send`.
    pub(in crate::engine) fn handle_timeout(
        &mut self,
        (now, now_us): (Instant, u64),
        round_trip: Duration,
        tally: &mut Tally,
        mut send: impl FnMut(&[u8]),
    ) {
        let own = self.own_ssrc;
        if self.next_feedback.is_some_and(|at| at <= now) {
            self.next_feedback = None;
            let mut compound = Vec::new();
            let mut statuses = Vec::new();
            self.arrivals.write(own, now_us as i64, &mut statuses, |write| {
                compound.clear();
                rtcp::write_receiver_report(&mut compound, own, &[]);
                write(&mut compound);
                send(&compound);
            });
        }
        if self.next_look.is_some_and(|at| at <= now) {
            let mut asks = Vec::new();
            let mut numbers = Vec::new();
            let mut again = false;
            for stream in &mut self.streams {
                if !stream.wants_look() {
                    continue;
                }
                numbers.clear();
                let sampled = self.verify == Verify::Sample;
                let key = stream.look(now, round_trip, sampled, &mut numbers, tally);
                if !numbers.is_empty() {
                    rtcp::write_nack(&mut asks, own, stream.ssrc, &numbers);
                    tally.counters.nacks_sent += numbers.len() as u64;
                }
                if key {
                    rtcp::write_pli(&mut asks, own, stream.ssrc);
                    tally.counters.plis_sent += 1;
                }
                if asks.len() > 1_000 {
                    send(&with_report(own, &asks));
                    asks.clear();
                }
                again |= stream.wants_look();
            }
            if !asks.is_empty() {
                send(&with_report(own, &asks));
            }
            self.next_look = again.then(|| now + LOOK);
        }
    }

    /// How each stream was received, for receiver reports.
    pub(in crate::engine) fn reports(&mut self, now: Instant) -> Vec<Vec<ReportBlock>> {
        let media = self.streams.iter_mut().filter(|stream| !stream.rtx);
        let all: Vec<ReportBlock> = media.filter_map(|stream| stream.report(now)).collect();
        all.chunks(MAX_REPORT_BLOCKS).map(<[ReportBlock]>::to_vec).collect()
    }

    /// An opened packet of the server's.
    pub(in crate::engine) fn on_rtcp(&mut self, now: Instant, packet: &RtcpPacket<'_>) {
        if let RtcpPacket::SenderReport(report) = packet
            && let Some(at) = self.ssrcs.iter().position(|ssrc| *ssrc == report.ssrc)
        {
            self.streams[at].on_sender_report(now, report.compact_ntp());
        }
    }

    /// Video streams that live, by height where it is known.
    pub(in crate::engine) fn live(&self, now: Instant, heights: &mut BTreeMap<u16, u32>) -> u32 {
        let mut count = 0;
        let media = self.streams.iter().filter(|stream| stream.video && stream.has_media);
        for stream in media.filter(|s| now.saturating_duration_since(s.last_at) < LIVE) {
            count += 1;
            if let Some(height) = stream.stamps.height() {
                *heights.entry(height).or_default() += 1;
            }
        }
        count
    }
}

fn with_report(own: u32, asks: &[u8]) -> Vec<u8> {
    let mut compound = Vec::with_capacity(asks.len() + 8);
    rtcp::write_receiver_report(&mut compound, own, &[]);
    compound.extend_from_slice(asks);
    compound
}
