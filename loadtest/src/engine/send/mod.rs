//! What a connection publishes: frames when they are due, packets as they leave, repetitions on request.

mod layer;
mod talk;

use super::clock::Clock;
use super::lots::Lots;
use super::outbox::Outbox;
use super::tally::Tally;
use super::{ConnectionPlan, LocalTrack, Negotiated};
use crate::media::{Media, recording};
use crate::plan::Codec;
use layer::{Kept, Layer};
use std::time::Instant;
use talk::Talk;
use weir_session::PeerTransport;
use weir_sfu_api::ExtensionKind as E;
use weir_wire::ext::{self, AudioLevel};
use weir_wire::rtcp::{self, RtcpPacket};
use weir_wire::rtp::{FixedHeader, write_header};

/// Packets that carry mid and rid, until the receiver surely knows the SSRC.
const INTRODUCTION: u32 = 300;
/// Header with all extensions, a structure included.
const MAX_HEADER: usize = 256;

/// Numbers that were agreed on for a track.
#[derive(Debug, Clone, Default)]
struct Numbers {
    payload_type: u8,
    rtx: Option<u8>,
    mid: String,
    extensions: Vec<(E, u8)>,
    wide: bool,
}

impl Numbers {
    fn id(&self, wanted: E) -> Option<u8> {
        self.extensions.iter().find(|(kind, _)| *kind == wanted).map(|(_, id)| *id)
    }
}

#[derive(Debug)]
struct Track {
    codec: Codec,
    numbers: Option<Numbers>,
    layers: Vec<Layer>,
    talk: Option<Talk>,
    recorded: bool,
}

/// The sending half of a connection.
#[derive(Debug)]
pub(super) struct Sender {
    tracks: Vec<Track>,
    wide: u16,
    header: Vec<u8>,
    payload: Vec<u8>,
    resend: Vec<(usize, usize, Kept)>,
}

/// What sending needs besides.
pub(super) struct Way<'a> {
    pub(super) now: Instant,
    pub(super) clock: &'a Clock,
    pub(super) transport: &'a mut PeerTransport,
    pub(super) out: &'a mut Outbox,
    pub(super) tally: &'a mut Tally,
}

impl Sender {
    /// `None` where nothing is published.
    pub(super) fn new(
        plan: &ConnectionPlan,
        tracks: &[LocalTrack],
        media: &[Media],
        lots: &mut Lots,
    ) -> Option<Box<Self>> {
        if tracks.is_empty() {
            return None;
        }
        let tracks = tracks.iter().zip(media).enumerate().map(|(number, (track, media))| {
            // The publisher's number, and which of its tracks.
            let source = plan.stamp << 4 | (number as u32 & 15);
            let layers = track.ssrcs.iter().enumerate();
            let layers =
                layers.map(|(at, ssrcs)| Layer::new(&track.plan, at, *ssrcs, media, source, lots));
            Track {
                codec: track.plan.codec,
                numbers: None,
                layers: layers.collect(),
                talk: track.plan.talk.map(Talk::new),
                recorded: matches!(media, Media::Recorded(_)),
            }
        });
        Some(Box::new(Self {
            tracks: tracks.collect(),
            wide: lots.next() as u16,
            header: vec![0; MAX_HEADER],
            payload: Vec::new(),
            resend: Vec::new(),
        }))
    }

    /// What was agreed on. A track whose codec was refused is not sent.
    pub(super) fn negotiate(&mut self, negotiated: &Negotiated) {
        for section in &negotiated.sections {
            let Some(track) = section.track.and_then(|at| self.tracks.get_mut(at)) else {
                continue;
            };
            let found = section.codecs.iter().find(|(_, codec)| *codec == track.codec);
            track.numbers = found.map(|(payload_type, _)| Numbers {
                payload_type: *payload_type,
                rtx: section.rtx.iter().find(|(of, _)| of == payload_type).map(|(_, rtx)| *rtx),
                mid: section.mid.clone(),
                extensions: section.extensions.clone(),
                wide: section.transport_cc,
            });
            // Of simulcast that was not taken, the best layer is left (RFC 8853 5.3.2).
            let count = track.layers.len();
            for (at, layer) in track.layers.iter_mut().enumerate() {
                layer.taken = match &layer.rid {
                    Some(rid) if count > 1 => {
                        section.rids.contains(rid) || section.rids.is_empty() && at + 1 == count
                    }
                    _ => true,
                };
            }
        }
    }

    /// Media begins.
    pub(super) fn begin(&mut self, now: Instant, lots: &mut Lots) {
        for track in &mut self.tracks {
            // Encoders do not tick together; layers of one do.
            let share = lots.share();
            for layer in &mut track.layers {
                layer.begin(now, share);
            }
        }
    }

    /// Which layers of a track are wanted.
    pub(super) fn set_layers(&mut self, track: usize, wanted: &[bool]) {
        let Some(track) = self.tracks.get_mut(track) else { return };
        for (at, layer) in track.layers.iter_mut().enumerate() {
            layer.want(wanted.get(at).copied().unwrap_or(true));
        }
    }

    /// When [`Self::handle_timeout`] has something to do, once media has begun.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let layers = self.tracks.iter().filter(|t| t.numbers.is_some()).flat_map(|t| &t.layers);
        layers.filter_map(Layer::next_deadline).min()
    }

    /// Makes the frames and sends the packets that are due.
    pub(super) fn handle_timeout(&mut self, way: &mut Way<'_>) {
        for at in 0..self.tracks.len() {
            let track = &mut self.tracks[at];
            if track.numbers.is_none() {
                continue;
            }
            for number in 0..track.layers.len() {
                let track = &mut self.tracks[at];
                let layer = &mut track.layers[number];
                if layer.is_due(way.now) {
                    let elapsed = way.clock.elapsed(way.now);
                    let speech = track.talk.as_mut().map(|talk| talk.at(elapsed));
                    if layer.make(way.now, speech) {
                        way.tally.counters.late_frames += 1;
                    }
                }
                while let Some(kept) = self.tracks[at].layers[number].leaving(way.now) {
                    self.send_new(at, number, kept, way);
                }
            }
        }
    }

    fn send_new(&mut self, track: usize, layer: usize, mut kept: Kept, way: &mut Way<'_>) {
        let of = &mut self.tracks[track];
        let Some(numbers) = &of.numbers else { return };
        kept.sent_us = way.clock.micros(way.now);
        kept.at = way.now;
        if numbers.wide {
            kept.wide = self.wide;
            self.wide = self.wide.wrapping_add(1);
        }
        let stream = &mut of.layers[layer];
        kept.introduces = stream.packets < INTRODUCTION;
        let before = way.out.len();
        if self.write(track, layer, &kept, None, way) {
            let of = &mut self.tracks[track];
            let stream = &mut of.layers[layer];
            stream.count(self.payload.len());
            way.tally.counters.sent_packets += 1;
            way.tally.counters.sent_bytes += (way.out.len() - before) as u64;
            if of.recorded {
                let mut sent = recording::sent().lock().expect("nobody panics with it");
                sent.note(&self.payload, kept.sent_us);
            }
            stream.keep(kept);
        }
    }

    /// Seals a packet into the outbox; `repeats`: as RTX, with this payload type and index.
    fn write(
        &mut self,
        track: usize,
        layer: usize,
        kept: &Kept,
        repeats: Option<(u8, u64, u16)>,
        way: &mut Way<'_>,
    ) -> bool {
        let of = &self.tracks[track];
        let stream = &of.layers[layer];
        let Some(numbers) = &of.numbers else { return false };
        let wide = ext::transport_cc_bytes(repeats.map_or(kept.wide, |(_, _, wide)| wide));
        let sent = ext::abs_send_time_bytes(way.clock.micros(way.now));
        let sent = if repeats.is_some() { sent } else { ext::abs_send_time_bytes(kept.sent_us) };
        let level = kept.level.map(|(voice, level)| AudioLevel { voice, level }.to_bytes());
        let descriptor = numbers
            .id(E::DependencyDescriptor)
            .and_then(|id| Some((id, stream.encoder.descriptor(&kept.frame, kept.part)?)));
        let mut values: [(u8, &[u8]); 6] = [(0, &[]); 6];
        let mut count = 0;
        {
            let mut push = |id: Option<u8>, value| {
                if let Some(id) = id {
                    values[count] = (id, value);
                    count += 1;
                }
            };
            if numbers.wide {
                push(numbers.id(E::TransportCc), &wide[..]);
            }
            push(numbers.id(E::AbsSendTime), &sent[..]);
            if kept.introduces {
                push(numbers.id(E::Mid), numbers.mid.as_bytes());
                if let Some(rid) = &stream.rid {
                    let kind = if repeats.is_some() { E::RepairedRid } else { E::Rid };
                    push(numbers.id(kind), rid.as_bytes());
                }
            }
            if let Some(level) = &level {
                push(numbers.id(E::AudioLevel), &level[..]);
            }
            if let Some((id, value)) = &descriptor {
                push(Some(*id), value.as_slice());
            }
        }
        let (payload_type, index, ssrc) = match repeats {
            Some((payload_type, index, _)) => (payload_type, index, stream.rtx_ssrc),
            None => (numbers.payload_type, kept.index, stream.ssrc),
        };
        let fixed = FixedHeader {
            marker: kept.marker,
            payload_type,
            sequence_number: index as u16,
            timestamp: kept.timestamp,
            ssrc,
        };
        let Some(len) = write_header(&mut self.header, &fixed, &values[..count]) else {
            return false;
        };
        self.payload.clear();
        if kept.pause {
            // No speech: a table of contents and nothing (RFC 6716 3.1).
            self.payload.extend_from_slice(&[0xf8, 0xff]);
        } else {
            stream.encoder.payload(&kept.frame, kept.part, kept.sent_us, &mut self.payload);
        }
        let original = (kept.index as u16).to_be_bytes();
        let parts: [&[u8]; 2] = match repeats {
            Some(_) => [&original, &self.payload],
            None => [&self.payload, &[]],
        };
        let max = len + self.payload.len() + 2 + way.transport.sealed_overhead();
        let header = &self.header[..len];
        let transport = &*way.transport;
        way.out.push(max, |out| transport.seal_rtp(index, header, parts, 0, out))
    }

    /// An opened packet of the server's.
    pub(super) fn on_rtcp(&mut self, packet: &RtcpPacket<'_>, way: &mut Way<'_>) {
        match packet {
            RtcpPacket::Nack(nack) => {
                for number in nack.sequence_numbers() {
                    way.tally.counters.nacks_received += 1;
                    self.find(nack.media_ssrc, number);
                }
                for (track, layer, kept) in std::mem::take(&mut self.resend) {
                    self.send_again(track, layer, &kept, way);
                }
            }
            RtcpPacket::Pli { media_ssrc, .. } => self.want_key(*media_ssrc, way.tally),
            RtcpPacket::Fir(fir) => {
                for entry in fir.entries() {
                    self.want_key(entry.ssrc, way.tally);
                }
            }
            _ => {}
        }
    }

    fn layer(&mut self, ssrc: u32) -> Option<(usize, usize)> {
        self.tracks.iter().enumerate().find_map(|(at, track)| {
            Some((at, track.layers.iter().position(|layer| layer.ssrc == ssrc)?))
        })
    }

    fn find(&mut self, ssrc: u32, number: u16) {
        let Some((track, layer)) = self.layer(ssrc) else { return };
        let kept = self.tracks[track].layers[layer].kept(number);
        self.resend.extend(kept.map(|kept| (track, layer, kept)));
    }

    fn send_again(&mut self, track: usize, layer: usize, kept: &Kept, way: &mut Way<'_>) {
        let of = &mut self.tracks[track];
        let repeats = of.numbers.as_ref().and_then(|numbers| numbers.rtx).map(|payload_type| {
            let wide = self.wide;
            self.wide = self.wide.wrapping_add(1);
            (payload_type, of.layers[layer].next_rtx(), wide)
        });
        // Without RTX the same bytes again: its key stream may not be used twice (RFC 3711 9.1).
        self.write(track, layer, kept, repeats, way);
    }

    fn want_key(&mut self, ssrc: u32, tally: &mut Tally) {
        tally.counters.plis_received += 1;
        if let Some((track, layer)) = self.layer(ssrc) {
            self.tracks[track].layers[layer].key_wanted = true;
        }
    }

    /// Sender reports of all streams that sent anything: one compound each, to be completed.
    pub(super) fn reports(&self, now: Instant, clock: &Clock) -> Vec<(u32, Vec<u8>)> {
        let layers = self.tracks.iter().flat_map(|track| &track.layers);
        layers
            .filter_map(|layer| {
                let mut out = Vec::new();
                let info = layer.sender_info(now, clock)?;
                rtcp::write_sender_report(&mut out, layer.ssrc, &info, &[]);
                Some((layer.ssrc, out))
            })
            .collect()
    }

    /// What receives nothing reports under the SSRC of its first stream.
    pub(super) fn first_ssrc(&self) -> Option<u32> {
        self.tracks.iter().flat_map(|track| &track.layers).map(|layer| layer.ssrc).next()
    }
}
