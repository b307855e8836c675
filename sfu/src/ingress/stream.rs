//! One incoming RTP stream: one SSRC of a publisher.

use crate::clock::{compact_ntp, ntp_to_ticks};
use crate::ingress::{cache::Cache, missing::Missing, rates::Rates, structure::Structures};
use crate::limits;
use std::time::Instant;

/// What a packet meant for its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// New; `lost` packets before it are now known missing.
    New { seq: u64, gap: bool },
    /// Fills a hole or came late.
    Late { seq: u64 },
    /// Already had it.
    Duplicate,
    /// The numbering started anew; everything before is void.
    Reset { seq: u64 },
}

/// Receive state by RFC 3550 appendix A.1, A.3 and A.8, with a NACK list and a cache.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Unique in the shard; a new one after a reset, so that receivers notice.
    pub(crate) uid: u32,
    pub(crate) ssrc: u32,
    clock_rate: u32,
    highest: Option<u64>,
    first: u64,
    seen: Vec<u64>,
    suspect: Option<u16>,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) recovered: u64,
    pub(crate) given_up: u64,
    prior_expected: u64,
    prior_received: u64,
    received_unique: u64,
    transit: Option<i64>,
    jitter_q4: u64,
    /// Last sender report: NTP, RTP, arrival.
    pub(crate) last_sr: Option<(u64, u32, Instant)>,
    pub(crate) missing: Missing,
    pub(crate) cache: Cache,
    pub(crate) last_packet: Option<Instant>,
    pub(crate) since: Option<Instant>,
    /// What each of its layers costs.
    pub(crate) rates: Rates,
    /// Pixels of its spatial layers, where known.
    pub(crate) resolutions: [Option<(u16, u16)>; 4],
    /// Of the dependency descriptor.
    pub(crate) structures: Structures,
    rate_window: Option<Instant>,
    rate_bytes: u64,
    /// Bits per second over the last full window.
    pub(crate) bitrate_bps: u64,
}

/// Words of the duplicate filter: 1,024 packets.
const SEEN_WORDS: usize = 16;
const SEEN_PACKETS: u64 = 1_024;
/// A jump larger than this is a restart, not loss (RFC 3550 A.1 MAX_DROPOUT).
const MAX_DROPOUT: i64 = 3_000;
/// How far back a late packet may be (RFC 3550 A.1 MAX_MISORDER is 100; retransmissions are later).
const MAX_MISORDER: i64 = 1_000;

impl Stream {
    pub(crate) fn new(uid: u32, ssrc: u32, clock_rate: u32, cache: usize) -> Self {
        Self {
            uid,
            ssrc,
            clock_rate,
            highest: None,
            first: 0,
            seen: vec![0; SEEN_WORDS],
            suspect: None,
            packets: 0,
            bytes: 0,
            recovered: 0,
            given_up: 0,
            prior_expected: 0,
            prior_received: 0,
            received_unique: 0,
            transit: None,
            jitter_q4: 0,
            last_sr: None,
            missing: Missing::default(),
            cache: Cache::new(cache),
            last_packet: None,
            since: None,
            rates: Rates::default(),
            resolutions: [None; 4],
            structures: Structures::default(),
            rate_window: None,
            rate_bytes: 0,
            bitrate_bps: 0,
        }
    }

    fn seen_bit(&mut self, seq: u64) -> Option<(&mut u64, u64)> {
        let word = usize::try_from((seq % SEEN_PACKETS) / 64).ok()?;
        Some((self.seen.get_mut(word)?, 1u64 << (seq % 64)))
    }

    fn mark(&mut self, seq: u64) -> bool {
        match self.seen_bit(seq) {
            Some((word, bit)) => {
                let was = *word & bit != 0;
                *word |= bit;
                was
            }
            None => false,
        }
    }

    fn unmark(&mut self, seq: u64) {
        if let Some((word, bit)) = self.seen_bit(seq) {
            *word &= !bit;
        }
    }

    /// Extends `number` relative to the highest so far.
    pub(crate) fn extend(&self, number: u16) -> u64 {
        match self.highest {
            // Start one cycle up, so that earlier packets do not underflow.
            None => u64::from(number).wrapping_add(1 << 16),
            Some(highest) => {
                let diff = number.wrapping_sub(highest as u16) as i16;
                highest.wrapping_add_signed(i64::from(diff))
            }
        }
    }

    /// Takes one packet's number. `retransmitted` packets (RTX) never cause a reset.
    pub(crate) fn arrive(&mut self, number: u16, retransmitted: bool, now: Instant) -> Arrival {
        let Some(highest) = self.highest else {
            if retransmitted {
                return Arrival::Duplicate;
            }
            let seq = self.extend(number);
            self.highest = Some(seq);
            self.first = seq;
            self.mark(seq);
            bump(&mut self.received_unique);
            self.since = Some(now);
            return Arrival::New { seq, gap: false };
        };
        let seq = self.extend(number);
        let distance =
            i64::try_from(seq).unwrap_or(0).wrapping_sub(i64::try_from(highest).unwrap_or(0));
        if !(-MAX_MISORDER..=MAX_DROPOUT).contains(&distance) {
            if retransmitted {
                return Arrival::Duplicate;
            }
            // Two packets in a row from the new place make it true (RFC 3550 A.1 bad_seq).
            if self.suspect != Some(number) {
                self.suspect = Some(number.wrapping_add(1));
                return Arrival::Duplicate;
            }
            return self.reset(number, now);
        }
        self.suspect = None;
        if distance > 0 {
            let mut clear = highest.wrapping_add(1);
            let end = seq;
            if seq.saturating_sub(highest) >= SEEN_PACKETS {
                self.seen.iter_mut().for_each(|word| *word = 0);
            } else {
                while clear <= end {
                    self.unmark(clear);
                    clear = clear.wrapping_add(1);
                }
            }
            self.mark(seq);
            self.highest = Some(seq);
            bump(&mut self.received_unique);
            let gap = distance > 1 && !self.missing.add(highest.wrapping_add(1), seq, now);
            return Arrival::New { seq, gap };
        }
        if highest.saturating_sub(seq) >= SEEN_PACKETS || self.mark(seq) {
            return Arrival::Duplicate;
        }
        // The first packets came in another order.
        self.first = self.first.min(seq);
        bump(&mut self.received_unique);
        if self.missing.found(seq) && retransmitted {
            bump(&mut self.recovered);
        }
        Arrival::Late { seq }
    }

    fn reset(&mut self, number: u16, now: Instant) -> Arrival {
        self.suspect = None;
        self.missing.clear();
        self.seen.iter_mut().for_each(|word| *word = 0);
        self.highest = None;
        self.prior_expected = 0;
        self.prior_received = 0;
        self.received_unique = 1;
        self.transit = None;
        self.last_sr = None;
        self.structures.clear();
        self.since = Some(now);
        let seq = self.extend(number);
        self.highest = Some(seq);
        self.first = seq;
        self.mark(seq);
        Arrival::Reset { seq }
    }

    /// Statistics of a packet that was accepted: rate and jitter (RFC 3550 A.8).
    pub(crate) fn measure(
        &mut self,
        payload: usize,
        timestamp: u32,
        arrival_us: u64,
        now: Instant,
    ) {
        bump(&mut self.packets);
        self.bytes = self.bytes.wrapping_add(payload as u64);
        self.last_packet = Some(now);
        self.rate_bytes = self.rate_bytes.wrapping_add(payload as u64);
        let start = *self.rate_window.get_or_insert(now);
        let elapsed = now.saturating_duration_since(start);
        if elapsed >= limits::LAYER_STEADY {
            let ms = u64::try_from(elapsed.as_millis()).unwrap_or(1).max(1);
            self.bitrate_bps = self.rate_bytes.saturating_mul(8_000).checked_div(ms).unwrap_or(0);
            self.rate_bytes = 0;
            self.rate_window = Some(now);
        }
        let arrival = i64::try_from(
            u128::from(arrival_us).saturating_mul(u128::from(self.clock_rate)) / 1_000_000,
        )
        .unwrap_or(0);
        // Transit is meaningful modulo 2^32 only.
        let transit = i64::from((arrival as u32).wrapping_sub(timestamp));
        if let Some(last) = self.transit {
            let d =
                u64::from((transit as u32).wrapping_sub(last as u32).cast_signed().unsigned_abs());
            let current = self.jitter_q4;
            self.jitter_q4 = current.wrapping_add(d).wrapping_sub(current.saturating_add(8) >> 4);
        }
        self.transit = Some(transit);
    }

    /// Whether it carries packets now.
    pub(crate) fn is_active(&self, now: Instant) -> bool {
        self.last_packet
            .is_some_and(|last| now.saturating_duration_since(last) < limits::LAYER_IDLE)
    }

    /// A sender report of the publisher.
    pub(crate) fn on_sender_report(&mut self, ntp: u64, rtp: u32, now: Instant) {
        self.last_sr = Some((ntp, rtp, now));
    }

    /// Where the publisher's clock `ntp` falls in this stream's RTP time, from its last report.
    pub(crate) fn rtp_at(&self, ntp: u64) -> Option<u32> {
        let (sr_ntp, sr_rtp, _) = self.last_sr?;
        let ticks = ntp_to_ticks(ntp.wrapping_sub(sr_ntp).cast_signed(), self.clock_rate);
        Some(sr_rtp.wrapping_add(ticks as u32))
    }

    /// The publisher's NTP time of `timestamp`, from its last report.
    pub(crate) fn ntp_of(&self, timestamp: u32) -> Option<u64> {
        let (sr_ntp, sr_rtp, _) = self.last_sr?;
        let ticks = i128::from(timestamp.wrapping_sub(sr_rtp).cast_signed());
        let diff = (ticks << 32).checked_div(i128::from(self.clock_rate))?;
        Some(sr_ntp.wrapping_add_signed(i64::try_from(diff).ok()?))
    }

    /// A report block for this stream (RFC 3550 6.4.1, A.3).
    pub(crate) fn report(&mut self, now: Instant) -> Option<weir_wire::rtcp::ReportBlock> {
        let highest = self.highest?;
        let expected = highest.saturating_sub(self.first).saturating_add(1);
        let received = self.received_unique;
        let expected_interval = expected.saturating_sub(self.prior_expected);
        let received_interval = received.saturating_sub(self.prior_received);
        self.prior_expected = expected;
        self.prior_received = received;
        let lost_interval = expected_interval.saturating_sub(received_interval);
        let fraction = lost_interval
            .saturating_mul(256)
            .checked_div(expected_interval)
            .map_or(0, |value| u8::try_from(value.min(255)).unwrap_or(255));
        let lost = i32::try_from(expected.saturating_sub(received).min(0x7f_ffff)).unwrap_or(0);
        let (last_sr, delay) = match self.last_sr {
            Some((ntp, _, at)) => {
                let delay = now.saturating_duration_since(at).as_micros();
                let units = delay.saturating_mul(65_536) / 1_000_000;
                (compact_ntp(ntp), u32::try_from(units).unwrap_or(u32::MAX))
            }
            None => (0, 0),
        };
        Some(weir_wire::rtcp::ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction,
            cumulative_lost: lost,
            // The unwrapper starts one cycle up; on the wire the first cycle is 0.
            ext_highest_seq: highest.wrapping_sub(1 << 16) as u32,
            jitter: (self.jitter_q4 >> 4) as u32,
            last_sr,
            delay_since_last_sr: delay,
        })
    }
}

fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

#[cfg(test)]
mod tests;
