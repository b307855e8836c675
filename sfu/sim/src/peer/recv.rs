//! What a peer receives: a jitter buffer per slot that accepts only what a decoder could use, and
//! notes everything that a person would notice.

mod decode;
mod skim;
#[cfg(test)]
mod tests;

pub use skim::Skim;

use crate::content::{Content, picture_id, tl0_pic_idx};
use decode::Decoder;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use weir_sfu_api::{CodecKind, MediaKind, Mid};
use weir_wire::rtcp::ReportBlock;
use weir_wire::rtp::RtpPacket;
use weir_wire::rtp::seq::SeqUnwrapper;

/// The first request for a missing packet waits this long.
const GRACE: Duration = Duration::from_millis(5);
/// A missing packet is given up, and a key frame asked for, after this time.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// A complete key frame behind a hole waits this long for the hole to fill.
const JUMP: Duration = Duration::from_millis(200);
/// Between two requests for a key frame.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(300);
/// Packets come but no key frame: asks for one after this time (libwebrtc waits 200 ms from when
/// its decoder is ready).
const KEY_FRAME_WAIT: Duration = Duration::from_millis(300);
/// Numbers remembered, and how far back a packet may be.
const WINDOW: usize = 4_096;

/// A frame that was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// When its last packet could be used.
    pub at: Instant,
    /// Who made it.
    pub source: u32,
    /// In which layer.
    pub layer: u8,
    /// Its number there.
    pub number: u32,
    /// Key frame.
    pub key: bool,
    /// Picture number: frames of spatial layers share it.
    pub picture: u32,
    /// Spatial layer.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// Pixels.
    pub resolution: (u16, u16),
    /// RTP timestamp as received.
    pub timestamp: u32,
    /// When it was made, in microseconds of virtual time.
    pub created_us: u64,
    /// The server's NTP time of its capture by the last sender report, 32.32 fixed point.
    pub ntp: Option<u64>,
}

#[derive(Debug, Clone)]
struct Packet {
    /// Padding alone: holds a number, nothing else.
    padding: bool,
    content: Content,
    timestamp: u32,
    marker: bool,
    codec: CodecKind,
    picture_id: Option<u16>,
    tl0_pic_idx: Option<u8>,
    descriptor: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Missing {
    since: Instant,
    next: Instant,
}

/// Numbers of one slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlotCounters {
    /// Media packets, first time.
    pub packets: u64,
    /// Retransmissions that filled a hole.
    pub recovered: u64,
    /// Retransmissions of what was there already.
    pub useless: u64,
    /// Retransmissions nobody asked for.
    pub unasked: u64,
    /// Bytes of RTP padding.
    pub padding: u64,
    /// Packets of padding alone, on either SSRC.
    pub probes: u64,
    /// Bytes of payload.
    pub payload: u64,
    /// Packets asked for again.
    pub nacked: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
    /// Times that waiting for a missing packet was given up.
    pub skips: u64,
    /// Frames whose rest never came because a key frame of something else followed at once.
    pub cut: u64,
    /// Pictures that had less than the dependency descriptor's active decode targets promise.
    pub broken_promises: u64,
}

/// One receiving m-line.
#[derive(Debug)]
pub struct Slot {
    /// Its mid.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// What the server sends in it.
    pub ssrc: u32,
    /// Its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// Frames, in the order in which a decoder got them.
    pub frames: Vec<Frame>,
    /// What a person would notice, or a decoder choke on. Empty in a good run.
    pub faults: Vec<String>,
    /// Totals.
    pub counters: SlotCounters,
    /// Audio levels as received.
    pub levels: BTreeMap<u8, u64>,
    /// What a peer that only skims knows instead of frames.
    pub skim: Skim,
    unwrapper: SeqUnwrapper,
    /// The last numbers that came.
    seen: BTreeSet<u64>,
    first: Option<u64>,
    received: u64,
    round_trip: Option<Duration>,
    next: Option<u64>,
    /// Nothing below may be used: it was given up.
    floor: u64,
    buffer: BTreeMap<u64, Packet>,
    missing: BTreeMap<u64, Missing>,
    /// When a number was asked for last.
    asked: BTreeMap<u64, Instant>,
    parts: Vec<Packet>,
    decoder: Decoder,
    waiting_since: Option<Instant>,
    last_request: Option<Instant>,
    pub(crate) last_sr: Option<(u64, u32, Instant)>,
    prior: (u64, u64),
}

impl Slot {
    pub(crate) fn new(mid: Mid, kind: MediaKind, ssrc: u32, rtx_ssrc: Option<u32>) -> Self {
        Self {
            mid,
            kind,
            ssrc,
            rtx_ssrc,
            frames: Vec::new(),
            faults: Vec::new(),
            counters: SlotCounters::default(),
            levels: BTreeMap::new(),
            skim: Skim::default(),
            unwrapper: SeqUnwrapper::default(),
            seen: BTreeSet::new(),
            first: None,
            received: 0,
            round_trip: None,
            next: None,
            floor: 0,
            buffer: BTreeMap::new(),
            missing: BTreeMap::new(),
            asked: BTreeMap::new(),
            parts: Vec::new(),
            decoder: Decoder::default(),
            waiting_since: None,
            last_request: None,
            last_sr: None,
            prior: (0, 0),
        }
    }

    /// Sequence numbers that are missing now.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    fn fault(&mut self, what: String) {
        // The first ones tell the story.
        if self.faults.len() < 20 {
            self.faults.push(what);
        }
    }

    /// Takes an opened packet; `number` is the original one of a retransmission.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        rtp: &RtpPacket<'_>,
        codec: CodecKind,
        retransmitted: Option<u16>,
        descriptor: Option<&[u8]>,
    ) {
        let number = retransmitted.unwrap_or(rtp.sequence_number());
        let payload = match retransmitted {
            Some(_) => rtp.payload().get(2..).unwrap_or_default(),
            None => rtp.payload(),
        };
        let seq = self.unwrapper.unwrap(number);
        self.counters.padding += rtp.padding_len() as u64;
        self.counters.payload += payload.len() as u64;
        let old = self.unwrapper.highest().is_some_and(|top| seq + WINDOW as u64 <= top);
        let known = old || !self.seen.insert(seq);
        if !known {
            self.received += 1;
            self.first = Some(self.first.map_or(seq, |first| first.min(seq)));
            while self.seen.len() > WINDOW {
                self.seen.pop_first();
            }
            while self.asked.len() > WINDOW {
                self.asked.pop_first();
            }
        }
        match (retransmitted.is_some(), known) {
            (false, true) => {
                if !self.asked.contains_key(&seq) {
                    self.fault(format!("packet {seq} came twice"));
                }
                return;
            }
            (true, true) => {
                self.counters.useless += 1;
                return;
            }
            (true, false) => {
                self.counters.recovered += 1;
                match self.asked.get(&seq) {
                    Some(asked) => {
                        let sample = now - *asked;
                        let known = self.round_trip.unwrap_or(sample);
                        self.round_trip = Some((known * 7 + sample) / 8);
                    }
                    None => self.counters.unasked += 1,
                }
            }
            (false, false) => self.counters.packets += 1,
        }
        self.missing.remove(&seq);
        let padding = payload.is_empty() && rtp.padding_len() > 0;
        let content = if padding { Some(Content::default()) } else { Content::read(payload) };
        let Some(content) = content else {
            return self.fault(format!("packet {seq} ({} bytes) is damaged", payload.len()));
        };
        self.counters.probes += u64::from(padding);
        let packet = Packet {
            padding,
            content,
            timestamp: rtp.timestamp(),
            marker: rtp.marker(),
            codec,
            picture_id: picture_id(codec, payload),
            tl0_pic_idx: tl0_pic_idx(codec, payload),
            descriptor: descriptor.map(<[u8]>::to_vec),
        };
        if self.kind == MediaKind::Audio && padding {
            return;
        }
        if self.kind == MediaKind::Audio {
            return self.hear(now, &packet);
        }
        if seq < self.floor || self.next.is_some_and(|next| seq < next) {
            return;
        }
        self.buffer.insert(seq, packet);
        self.find_holes(now, seq);
        self.decode(now);
    }

    fn hear(&mut self, now: Instant, packet: &Packet) {
        let content = packet.content;
        let recent = self.frames.iter().rev().take(50);
        if recent.clone().any(|f| (f.source, f.number) == (content.source, content.frame)) {
            self.fault(format!("audio frame {} came twice", content.frame));
        }
        self.push(now, &content, packet.timestamp);
    }

    /// Numbers between what was seen and `seq` are missing.
    fn find_holes(&mut self, now: Instant, seq: u64) {
        let from = match (self.next, self.buffer.keys().next()) {
            (Some(next), _) => next,
            (None, Some(first)) => *first,
            (None, None) => return,
        };
        // From the newest known number on: earlier holes are listed already.
        let known = self.buffer.range(..seq).next_back().map_or(from, |(known, _)| known + 1);
        for hole in known.max(from)..seq {
            if !self.seen.contains(&hole) {
                self.missing.entry(hole).or_insert(Missing { since: now, next: now + GRACE });
            }
        }
    }

    /// Uses what is in order.
    fn decode(&mut self, now: Instant) {
        if self.next.is_none() {
            let begin = self.buffer.iter().find(|(_, p)| p.content.key && p.content.part == 0);
            let Some((begin, _)) = begin else {
                self.waiting_since.get_or_insert(now);
                return;
            };
            let begin = *begin;
            self.waiting_since = None;
            self.next = Some(begin);
            self.buffer = self.buffer.split_off(&begin);
            self.missing = self.missing.split_off(&begin);
            self.parts.clear();
            let last = self.buffer.keys().next_back().copied().unwrap_or(begin);
            for hole in (begin..last).filter(|seq| !self.seen.contains(seq)) {
                self.missing.entry(hole).or_insert(Missing { since: now, next: now + GRACE });
            }
        }
        while let Some(next) = self.next
            && let Some(packet) = self.buffer.remove(&next)
        {
            self.next = Some(next + 1);
            self.use_packet(now, next, packet);
        }
    }

    /// Looks at what is missing: gives numbers to ask for, and whether a key frame is needed.
    pub(crate) fn look(&mut self, now: Instant, round_trip: Duration) -> (Vec<u16>, bool) {
        if self.kind == MediaKind::Audio {
            return (Vec::new(), false);
        }
        if self.missing.values().any(|missing| now - missing.since >= PATIENCE) {
            self.give_up(now);
        }
        self.jump(now);
        let round_trip = self.round_trip.map_or(round_trip, |own| own.max(round_trip));
        let mut numbers = Vec::new();
        for (seq, missing) in &mut self.missing {
            if missing.next <= now {
                missing.next = now + round_trip + Duration::from_millis(20);
                numbers.push(*seq as u16);
                self.asked.insert(*seq, now);
            }
        }
        self.counters.nacked += numbers.len() as u64;
        let waits = self.waiting_since.is_some_and(|since| now - since >= KEY_FRAME_WAIT);
        let pause = self.last_request.is_none_or(|last| now - last >= KEY_FRAME_PAUSE);
        let request = waits && pause;
        if request {
            self.last_request = Some(now);
            self.counters.key_frame_requests += 1;
        }
        (numbers, request)
    }

    /// A complete key frame waits behind a hole: goes on with it after a moment, as browsers do.
    fn jump(&mut self, now: Instant) {
        let Some(next) = self.next else { return };
        let due = self.missing.first_key_value().is_some_and(|(_, m)| now - m.since >= JUMP);
        let key = self.buffer.iter().find(|(seq, packet)| {
            let parts = u64::from(packet.content.parts);
            let complete = (**seq..**seq + parts).all(|part| self.buffer.contains_key(&part));
            **seq > next && packet.content.key && packet.content.part == 0 && complete
        });
        let Some(begin) = key.map(|(seq, _)| *seq).filter(|_| due) else { return };
        self.counters.skips += 1;
        self.floor = begin;
        self.next = Some(begin);
        self.parts.clear();
        self.buffer = self.buffer.split_off(&begin);
        self.missing = self.missing.split_off(&begin);
        self.decode(now);
    }

    /// Something will not come any more: goes on with the next key frame.
    fn give_up(&mut self, now: Instant) {
        let old = self.missing.iter().filter(|(_, missing)| now - missing.since >= PATIENCE);
        let Some(last) = old.map(|(seq, _)| *seq).max() else { return };
        self.counters.skips += u64::from(self.next.is_some());
        self.floor = last + 1;
        self.next = None;
        self.buffer = self.buffer.split_off(&self.floor);
        self.missing = self.missing.split_off(&self.floor);
        self.waiting_since = Some(now - KEY_FRAME_WAIT);
        self.decode(now);
    }

    /// The last 300 numbers, missing or not.
    pub(crate) fn ask_for_everything(&mut self, now: Instant) -> Vec<u16> {
        let last = self.seen.iter().rev().take(300).copied().collect::<Vec<_>>();
        self.counters.nacked += last.len() as u64;
        self.asked.extend(last.iter().map(|seq| (*seq, now)));
        last.iter().rev().map(|seq| *seq as u16).collect()
    }

    /// When [`Self::look`] has something to do.
    pub(crate) fn wants_look(&self) -> bool {
        !self.missing.is_empty() || self.waiting_since.is_some()
    }

    pub(crate) fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        let (highest, first) = (self.unwrapper.highest()?, self.first?);
        let (expected, received) = (highest - first + 1, self.received);
        let lost = (expected - self.prior.0).saturating_sub(received - self.prior.1);
        let fraction = lost * 256 / (expected - self.prior.0).max(1);
        self.prior = (expected, received);
        let (last_sr, delay) = self.last_sr.map_or((0, 0), |(ntp, _, at)| {
            ((ntp >> 16) as u32, ((now - at).as_micros() * 65_536 / 1_000_000) as u32)
        });
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction.min(255) as u8,
            cumulative_lost: (expected - received) as i32,
            ext_highest_seq: highest as u32,
            jitter: 0,
            last_sr,
            delay_since_last_sr: delay,
        })
    }
}
