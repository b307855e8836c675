//! What a connection receives: counted by headers, opened as far as the plan wants it.

mod arrivals;
mod inbound;
mod looks;
mod picture;
mod sequence;
mod stamps;

use super::lots::Lots;
use super::tally::Tally;
use super::{ConnectionPlan, Negotiated};
use crate::media::{Stamp, recording};
use crate::plan::{Codec, MediaKind, Verify};
use arrivals::Arrivals;
use inbound::Inbound;
use sequence::{Arrival, KEY, MARKER, PADDING};
use std::time::{Duration, Instant};
use weir_session::{PeerTransport, SrtpError};
use weir_sfu_api::ExtensionKind;
use weir_wire::ext;
use weir_wire::payload::{av1, h264, vp8, vp9};
use weir_wire::rtp::{RtpHeader, RtpPacket, parse_header};

/// Received streams of one connection, at most: a meeting of 100 tiles with retransmissions.
const MAX_STREAMS: usize = 512;
/// Padding, tag and nothing else: RTP counts padding in a byte.
const MAX_PADDING: usize = 255 + 16;
/// After a pause like this it may be another picture.
const PAUSE: Duration = Duration::from_millis(300);
/// Looks at what is missing.
const LOOK: Duration = Duration::from_millis(20);
/// Transport-wide feedback.
const FEEDBACK: Duration = Duration::from_millis(100);

/// What a payload type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Use {
    #[default]
    Unknown,
    Media(Codec),
    Rtx(Codec),
}

#[derive(Debug)]
struct Section {
    video: bool,
    nack: bool,
    pli: bool,
    codecs: Vec<u8>,
    pairs: Vec<(u32, Option<u32>)>,
}

/// The receiving half of a connection.
#[derive(Debug)]
pub(super) struct Receiver {
    verify: Verify,
    lots: Lots,
    uses: Vec<Use>,
    wide_id: Option<u8>,
    descriptor_id: Option<u8>,
    sections: Vec<Section>,
    ssrcs: Vec<u32>,
    streams: Vec<Inbound>,
    last: usize,
    arrivals: Arrivals,
    own_ssrc: u32,
    begun: Instant,
    /// Came, or will tell nothing.
    first_packet: bool,
    first_key_frame: bool,
    next_look: Option<Instant>,
    next_feedback: Option<Instant>,
}

impl Receiver {
    pub(super) fn new(plan: &ConnectionPlan, own_ssrc: u32, lots: Lots) -> Self {
        Self {
            verify: plan.person.verify,
            lots,
            uses: vec![Use::Unknown; 128],
            wide_id: None,
            descriptor_id: None,
            sections: Vec::new(),
            ssrcs: Vec::new(),
            streams: Vec::new(),
            last: 0,
            arrivals: Arrivals::default(),
            own_ssrc,
            begun: plan.begun,
            first_packet: plan.person.waits,
            first_key_frame: plan.person.waits,
            next_look: None,
            next_feedback: None,
        }
    }

    /// What was agreed on; streams that are known stay.
    pub(super) fn negotiate(&mut self, negotiated: &Negotiated) {
        self.sections.clear();
        self.uses.fill(Use::Unknown);
        for section in negotiated.sections.iter().filter(|section| section.receives) {
            for (number, codec) in &section.codecs {
                self.uses[usize::from(*number & 0x7f)] = Use::Media(*codec);
            }
            for (of, rtx) in &section.rtx {
                if let Some((_, codec)) = section.codecs.iter().find(|(number, _)| number == of) {
                    self.uses[usize::from(*rtx & 0x7f)] = Use::Rtx(*codec);
                }
            }
            let id = |wanted| {
                let found = section.extensions.iter().find(|(kind, _)| *kind == wanted);
                found.map(|(_, id)| *id)
            };
            if section.transport_cc {
                self.wide_id = self.wide_id.or(id(ExtensionKind::TransportCc));
            }
            self.descriptor_id = self.descriptor_id.or(id(ExtensionKind::DependencyDescriptor));
            self.sections.push(Section {
                video: section.kind == MediaKind::Video,
                nack: section.nack,
                pli: section.pli,
                codecs: section.codecs.iter().map(|(number, _)| *number).collect(),
                pairs: section.remote_ssrcs.clone(),
            });
        }
    }

    /// A RTP packet, sealed as it came.
    pub(super) fn on_rtp(
        &mut self,
        (now, arrived_us): (Instant, u64),
        data: &[u8],
        transport: &mut PeerTransport,
        plain: &mut [u8],
        tally: &mut Tally,
    ) {
        let Ok(header) = parse_header(data) else {
            tally.counters.corrupt_packets += 1;
            return;
        };
        let Some(at) = self.stream(now, &header) else { return };
        tally.counters.received_bytes += data.len() as u64;
        if let Some(id) = self.wide_id
            && let Some(number) = header.extension(data, id).and_then(ext::read_transport_cc)
        {
            self.arrivals.note(number, header.ssrc, arrived_us as i64);
            self.next_feedback.get_or_insert(now + FEEDBACK);
        }
        let stream = &self.streams[at];
        if stream.rtx {
            self.on_rtx((now, arrived_us), at, data, &header, transport, plain, tally);
            return;
        }
        let open = self.wants_open(now, at, &header, data.len());
        let stream = &mut self.streams[at];
        let mut flags = if header.marker { MARKER } else { 0 };
        let mut opened = None;
        if open {
            match transport.open_rtp(data, &header, plain) {
                Ok(done) => opened = RtpPacket::parse(&plain[..done.len]).ok(),
                Err(SrtpError::Replayed) => {
                    tally.counters.received_resent += 1;
                    return;
                }
                Err(_) => {
                    tally.counters.corrupt_packets += 1;
                    return;
                }
            }
            let Some(packet) = &opened else {
                tally.counters.corrupt_packets += 1;
                return;
            };
            if packet.payload().is_empty() {
                flags |= PADDING;
            } else if stream.video {
                flags |= key_flag(self.uses[usize::from(header.payload_type)], packet.payload());
            }
        } else if stream.video
            && header.has_padding
            && !header.marker
            && data.len() - header.header_len <= MAX_PADDING
        {
            // Not opened at all: as small as this, and no frame's end, it is padding.
            flags |= PADDING;
        }
        if let Some(id) = self.descriptor_id.filter(|_| stream.video)
            && let Some(value) = header.extension(data, id)
        {
            // Start of a frame, and a structure: AOM "RTP Payload Format For AV1" A.8.
            let structure = value.get(3).is_some_and(|byte| byte & 0x80 != 0);
            let starts = value.first().is_some_and(|byte| byte & 0x80 != 0);
            flags |= if starts && structure { KEY } else { 0 };
        }
        let arrival = stream.take(now, arrived_us, header.sequence_number, header.timestamp, flags);
        let Arrival::New { number, due } = arrival else {
            tally.counters.received_resent += 1;
            return;
        };
        if flags & PADDING == 0 {
            stream.last_at = now;
            stream.has_media = true;
            if !self.first_packet {
                self.first_packet = true;
                let since = now.saturating_duration_since(self.begun);
                tally.delays.first_packet.saturating_record(since.as_micros().max(1) as u64);
            }
        }
        tally.counters.received_packets += 1;
        tally.counters.expected_packets += due;
        if flags & PADDING != 0 {
            stream.paddings += 1;
            tally.counters.received_padding += 1;
        } else if let Some(packet) = &opened {
            let codec = self.uses[usize::from(header.payload_type)];
            self.verify_payload((now, arrived_us), at, number, packet.payload(), codec, tally);
        }
        self.show(now, at, tally);
    }

    fn show(&mut self, now: Instant, at: usize, tally: &mut Tally) {
        let stream = &mut self.streams[at];
        if stream.show(now, tally) && !self.first_key_frame {
            self.first_key_frame = true;
            let since = now.saturating_duration_since(self.begun);
            tally.delays.first_key_frame.saturating_record(since.as_micros().max(1) as u64);
        }
        if self.next_look.is_none() && self.streams[at].wants_look() {
            self.next_look = Some(now + LOOK);
        }
    }

    /// Whether this packet is to be opened.
    fn wants_open(&mut self, now: Instant, at: usize, header: &RtpHeader, len: usize) -> bool {
        let stream = &mut self.streams[at];
        match self.verify {
            Verify::All => true,
            Verify::Count => false,
            Verify::Sample => {
                if stream.until_open == 0 {
                    stream.until_open = 1 + (self.lots.next() % 31) as u8;
                }
                stream.until_open -= 1;
                let looks_for_key = stream.picture.as_ref().is_some_and(|p| p.wants_key());
                let short =
                    len - header.header_len <= MAX_PADDING && header.has_padding && stream.video;
                stream.until_open == 0
                    || looks_for_key
                    || short
                    || now.saturating_duration_since(stream.last_at) > PAUSE
            }
        }
    }

    /// RFC 4588: the original number, then the original payload.
    #[allow(clippy::too_many_arguments)]
    fn on_rtx(
        &mut self,
        (now, arrived_us): (Instant, u64),
        at: usize,
        data: &[u8],
        header: &RtpHeader,
        transport: &mut PeerTransport,
        plain: &mut [u8],
        tally: &mut Tally,
    ) {
        tally.counters.received_resent += 1;
        let opened = match transport.open_rtp(data, header, plain) {
            Ok(done) => RtpPacket::parse(&plain[..done.len]).ok(),
            Err(SrtpError::Replayed) => return,
            Err(_) => None,
        };
        let Some(packet) = opened else {
            tally.counters.corrupt_packets += 1;
            return;
        };
        let Some((number, payload)) = packet.payload().split_first_chunk::<2>() else {
            tally.counters.received_padding += 1;
            return;
        };
        let number = u16::from_be_bytes(*number);
        let Some(of) = self.original(at, header, number) else { return };
        let codec = match self.uses[usize::from(header.payload_type)] {
            Use::Rtx(codec) => Use::Media(codec),
            other => other,
        };
        let mut flags = if header.marker { MARKER } else { 0 };
        flags |= if payload.is_empty() { PADDING } else { key_flag(codec, payload) };
        let stream = &mut self.streams[of];
        let arrival = stream.take(now, arrived_us, number, header.timestamp, flags);
        if let Arrival::New { number, due } = arrival {
            tally.counters.expected_packets += due;
            if flags & PADDING == 0 && self.verify != Verify::Count {
                self.verify_payload((now, arrived_us), of, number, payload, codec, tally);
            }
            self.show(now, of, tally);
        }
    }

    /// The stream that a retransmission belongs to.
    fn original(&mut self, rtx: usize, header: &RtpHeader, number: u16) -> Option<usize> {
        let pairs = self.sections.iter().flat_map(|section| &section.pairs);
        let mut told = pairs.filter(|(_, repair)| *repair == Some(header.ssrc));
        if let Some((media, _)) = told.next() {
            return self.ssrcs.iter().position(|ssrc| ssrc == media);
        }
        // Nobody said: whoever misses it, in the same section.
        let section = self.streams[rtx].section;
        let misses = |stream: &Inbound| {
            !stream.rtx && stream.section == section && stream.seq.is_missing(number)
        };
        self.streams.iter().position(misses)
    }

    fn verify_payload(
        &mut self,
        (now, arrived_us): (Instant, u64),
        at: usize,
        number: u64,
        payload: &[u8],
        codec: Use,
        tally: &mut Tally,
    ) {
        let stream = &mut self.streams[at];
        tally.counters.verified_packets += 1;
        match Stamp::read(payload) {
            Ok(Some(stamp)) => {
                tally.added(arrived_us.saturating_sub(stamp.sent_us));
                let all = self.verify == Verify::All;
                let seen = stream.stamps.take(now, &stamp, number, stream.paddings, all);
                tally.counters.switches += u64::from(seen.layer && stream.video);
                if seen.publisher
                    && let Some(picture) = &mut stream.picture
                {
                    picture.changed();
                }
            }
            // A pause in speech.
            Ok(None) if codec == Use::Media(Codec::Opus) && payload.len() <= 2 => {}
            Ok(None) => {
                let sent = recording::sent().lock().expect("nobody panics with it");
                match sent.find(payload, arrived_us) {
                    Some(sent_us) => tally.added(arrived_us - sent_us),
                    None => tally.counters.corrupt_packets += 1,
                }
            }
            Err(_) => tally.counters.corrupt_packets += 1,
        }
    }

    /// The stream of a packet; a new one where its payload type is known.
    fn stream(&mut self, now: Instant, header: &RtpHeader) -> Option<usize> {
        if self.ssrcs.get(self.last) == Some(&header.ssrc) {
            return Some(self.last);
        }
        if let Some(at) = self.ssrcs.iter().position(|ssrc| *ssrc == header.ssrc) {
            self.last = at;
            return Some(at);
        }
        if self.streams.len() >= MAX_STREAMS {
            return None;
        }
        let mut rtx = false;
        let codec = match self.uses[usize::from(header.payload_type)] {
            Use::Media(codec) => Some(codec),
            Use::Rtx(codec) => {
                rtx = true;
                Some(codec)
            }
            Use::Unknown => None,
        };
        let told = |section: &Section| {
            let mut pairs = section.pairs.iter();
            pairs.any(|(media, repair)| *media == header.ssrc || *repair == Some(header.ssrc))
        };
        let section = self.sections.iter().position(told).or_else(|| {
            let number = header.payload_type;
            self.sections.iter().position(|s| s.codecs.contains(&number) || rtx && s.video)
        });
        let repairs =
            |section: &Section| section.pairs.iter().any(|(_, r)| *r == Some(header.ssrc));
        rtx |= self.sections.iter().any(repairs);
        // Neither announced nor of a known type: not for us.
        if codec.is_none() && section.is_none() {
            return None;
        }
        let of = section.map(|at| &self.sections[at]);
        let video = of.map_or(codec.is_some_and(|c| c.kind() == MediaKind::Video), |of| of.video);
        let blind = self.verify == Verify::Count;
        let mut stream = Inbound::new(now, header.ssrc, codec, video && !rtx, blind);
        stream.rtx = rtx;
        stream.section = section.unwrap_or(usize::MAX);
        stream.nack = !rtx && of.is_some_and(|of| of.nack);
        stream.pli = !rtx && of.is_some_and(|of| of.pli);
        self.ssrcs.push(header.ssrc);
        self.streams.push(stream);
        self.last = self.streams.len() - 1;
        Some(self.last)
    }
}

/// Whether a payload starts a key frame.
fn key_flag(codec: Use, payload: &[u8]) -> u8 {
    let Use::Media(codec) = codec else { return 0 };
    let key = match codec {
        Codec::Vp8 => vp8::parse(payload).is_ok_and(|facts| facts.key_frame),
        Codec::Vp9 => vp9::parse(payload).is_ok_and(|facts| facts.key_frame()),
        Codec::H264 => h264::parse(payload).is_ok_and(|facts| facts.key_frame),
        Codec::Av1 => av1::parse(payload).is_ok_and(|facts| facts.key_frame()),
        Codec::Opus => false,
    };
    if key { KEY } else { 0 }
}
