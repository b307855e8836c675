//! One received stream.

use super::picture::Picture;
use super::sequence::{Arrival, DROPOUT, GIVEN_UP, Sequence};
use super::stamps::Stamps;
use crate::engine::tally::Tally;
use crate::plan::Codec;
use std::time::{Duration, Instant};
use weir_wire::rtcp::ReportBlock;

/// Numbers remembered of a video stream and of an audio stream.
const WINDOWS: (usize, usize) = (512, 128);
/// A missing packet may only have been overtaken: asked for after this time.
const GRACE: Duration = Duration::from_millis(5);
/// Without retransmissions a decoder waits this long for what may have been overtaken.
const REORDERED: Duration = Duration::from_millis(200);
/// The first packets are no key frame: asks for one after this time.
const KEY_WAIT: Duration = Duration::from_millis(200);
/// Between two requests for a key frame, or a round trip where that is longer.
const KEY_PAUSE: Duration = Duration::from_millis(500);

/// One SSRC.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) ssrc: u32,
    /// Retransmissions of another one.
    pub(super) rtx: bool,
    pub(super) video: bool,
    /// The negotiated section.
    pub(super) section: usize,
    pub(super) nack: bool,
    pub(super) pli: bool,
    pub(super) seq: Sequence,
    pub(super) picture: Option<Box<Picture>>,
    pub(super) stamps: Stamps,
    /// Packets of padding alone.
    pub(super) paddings: u64,
    /// Anything but padding.
    pub(super) has_media: bool,
    /// When that came last.
    pub(super) last_at: Instant,
    /// Packets until the next one is opened.
    pub(super) until_open: u8,
    waiting_since: Option<Instant>,
    last_pli: Option<Instant>,
    clock_rate: u32,
    /// In 1/16 of a tick (RFC 3550 A.8).
    jitter: u32,
    transit: Option<i64>,
    /// Middle bits of the NTP time in the last sender report, and when that came.
    sender_report: Option<(u32, Instant)>,
    prior: (u64, u64),
}

impl Inbound {
    pub(super) fn new(
        now: Instant,
        ssrc: u32,
        codec: Option<Codec>,
        video: bool,
        blind: bool,
    ) -> Self {
        let window = if video { WINDOWS.0 } else { WINDOWS.1 };
        Self {
            ssrc,
            rtx: false,
            video,
            section: usize::MAX,
            nack: false,
            pli: false,
            seq: Sequence::new(window),
            picture: video.then(|| Box::new(Picture::new(blind))),
            stamps: Stamps::default(),
            paddings: 0,
            has_media: false,
            last_at: now,
            until_open: 0,
            waiting_since: None,
            last_pli: None,
            clock_rate: codec.map_or(90_000, Codec::clock_rate),
            jitter: 0,
            transit: None,
            sender_report: None,
            prior: (0, 0),
        }
    }

    /// Takes note of a packet's number and time.
    pub(super) fn take(
        &mut self,
        now: Instant,
        arrived_us: u64,
        number: u16,
        timestamp: u32,
        flags: u8,
    ) -> Arrival {
        let before = self.seq.highest();
        let arrival = self.seq.take(now, number, flags, GRACE);
        if let (Arrival::New { number, .. }, Some(before)) = (arrival, before)
            && number.abs_diff(before) >= DROPOUT
        {
            // The sender began anew: nothing continues.
            self.stamps = Stamps::default();
            self.transit = None;
            if let Some(picture) = &mut self.picture {
                picture.changed();
            }
        }
        if let Arrival::New { due: 1.., .. } = arrival {
            let ticks =
                (arrived_us.wrapping_mul(u64::from(self.clock_rate / 1_000)) / 1_000) as i64;
            let transit = ticks.wrapping_sub(i64::from(timestamp));
            if let Some(before) = self.transit.replace(transit) {
                // Of timestamps that wrapped, or began anew, nothing is learnt.
                let difference = transit.wrapping_sub(before).unsigned_abs();
                if difference < u64::from(self.clock_rate) * 10 {
                    let step = difference as i64 - i64::from((self.jitter + 8) >> 4);
                    self.jitter = (i64::from(self.jitter) + step).max(0) as u32;
                }
            }
        }
        arrival
    }

    /// Shows the frames that are whole now; each is counted.
    pub(super) fn show(&mut self, now: Instant, tally: &mut Tally) -> bool {
        let Some(picture) = &mut self.picture else { return false };
        let mut key = false;
        let counters = &mut tally.counters;
        picture.advance(now, &self.seq, |shown| {
            counters.frames += 1;
            counters.key_frames += u64::from(shown.key);
            key |= shown.key;
            if let Some(freeze) = shown.freeze {
                counters.freezes += 1;
                counters.freeze_micros += freeze.as_micros() as u64;
            }
        });
        match (picture.wants_key() && self.has_media, self.waiting_since) {
            (true, None) => self.waiting_since = Some(now),
            (false, Some(_)) => self.waiting_since = None,
            _ => {}
        }
        key
    }

    /// Whether [`Self::look`] has something to do.
    pub(super) fn wants_look(&self) -> bool {
        self.seq.has_missing() || self.waiting_since.is_some() || self.stamps.has_missing()
    }

    /// Looks at what is missing: numbers to ask for go to `numbers`. True: a key frame is to be asked for.
    pub(super) fn look(
        &mut self,
        now: Instant,
        round_trip: Duration,
        sampled: bool,
        numbers: &mut Vec<u16>,
        tally: &mut Tally,
    ) -> bool {
        let mut broken = false;
        if self.seq.has_missing() {
            let patience = if self.nack || !self.video { GIVEN_UP } else { REORDERED };
            if let Some((count, _)) = self.seq.give_up(now, patience) {
                tally.counters.lost_packets += count;
                if sampled {
                    self.stamps.lost_on_wire(count);
                }
                self.show(now, tally);
                broken = self.picture.as_mut().is_some_and(|picture| picture.take_broken());
            }
            if self.nack {
                self.seq.ask(now, round_trip.max(4 * GRACE), numbers);
            }
        }
        tally.counters.stamped_missing += self.stamps.give_up(now);
        let waits = self.waiting_since.is_some_and(|since| now - since >= KEY_WAIT);
        let under_way = self.picture.as_ref().is_some_and(|picture| picture.has_key());
        let pause = round_trip.max(KEY_PAUSE);
        let may = self.last_pli.is_none_or(|last| now - last >= pause);
        let ask = self.pli && (broken || waits) && !under_way && may;
        if ask {
            self.last_pli = Some(now);
        }
        ask
    }

    pub(super) fn on_sender_report(&mut self, now: Instant, compact_ntp: u32) {
        self.sender_report = Some((compact_ntp, now));
    }

    pub(super) fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        let highest = self.seq.highest()?;
        let expected = self.seq.expected();
        let received = expected.saturating_sub(self.seq.absent());
        let due = expected.saturating_sub(self.prior.0);
        let lost = due.saturating_sub(received.saturating_sub(self.prior.1));
        self.prior = (expected, received);
        let (last_sr, delay) = self.sender_report.map_or((0, 0), |(ntp, at)| {
            let since = now.saturating_duration_since(at);
            (ntp, (since.as_micros() * 65_536 / 1_000_000) as u32)
        });
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: (lost * 256 / due.max(1)).min(255) as u8,
            cumulative_lost: (expected - received).min(0x7f_ffff) as i32,
            // The first number is counted with one wrap-around before it.
            ext_highest_seq: highest.saturating_sub(0x1_0000) as u32,
            jitter: self.jitter >> 4,
            last_sr,
            delay_since_last_sr: delay,
        })
    }
}
