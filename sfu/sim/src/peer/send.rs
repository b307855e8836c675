//! What a peer publishes: encoders that make frames, and their RTP streams.

use super::Source;
use super::describe::{extensions, numbers};
use super::wide::Wide;
use crate::content::{Content, FrameIds};
use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use weir_sfu_api::{CodecKind, ExtensionKind, ExtensionMap, MediaKind, Rid};
use weir_wire::ext::AudioLevel;
use weir_wire::rtcp::ReportBlock;
use weir_wire::rtp::{FixedHeader, write_header};

/// Bytes of a video packet's payload, at most: libwebrtc's 1,200 less headers.
const PAYLOAD: usize = 1_150;
/// Packets kept for retransmission: 5 s of 2 Mbit/s.
const HISTORY: usize = 1_024;
/// Packets that carry mid and rid, until the receiver surely knows the SSRC.
const INTRODUCTION: u64 = 300;
/// An encoder makes at most this many key frames a second on request.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(100);

/// A packet that was sent, without transport-wide number.
#[derive(Debug, Clone)]
struct Kept {
    marker: bool,
    timestamp: u32,
    payload: Vec<u8>,
    descriptor: Option<[u8; 3]>,
}

/// One packet, header and payload apart, ready to be sealed.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) index: u64,
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// One layer of one track.
#[derive(Debug)]
pub struct Stream {
    /// Its name with simulcast.
    pub rid: Option<Rid>,
    /// The media SSRC; see [`super::SimPeer::change_ssrc`].
    pub ssrc: u32,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: u32,
    /// False: the encoder makes no frames.
    pub active: bool,
    /// Frames made.
    pub frames: u32,
    /// Key frames made.
    pub key_frames: u32,
    /// When requests for key frames came.
    pub requests: Vec<Instant>,
    /// Packets asked for again by the server.
    pub nacked: u64,
    /// The last report of the server.
    pub report: Option<ReportBlock>,
    pub(crate) rtx_payload_type: Option<u8>,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    pub(crate) timestamp_base: u32,
    layer: u8,
    bitrate_bps: u64,
    resolution: (u16, u16),
    index: u64,
    rtx_index: u64,
    sent: u64,
    picture_id: u16,
    tl0_pic_idx: u8,
    key_wanted: bool,
    last_key: Option<Instant>,
    history: BTreeMap<u16, Kept>,
    order: std::collections::VecDeque<u16>,
}

/// A published track.
#[derive(Debug)]
pub struct Track {
    /// What it is.
    pub source: Source,
    /// Layers, lowest first; one without simulcast.
    pub streams: Vec<Stream>,
    /// Loudness of what the microphone hears: -dBov, 0 to 127.
    pub level: u8,
    /// Ended: its m-line is inactive with the next offer.
    pub stopped: bool,
    pub(crate) mid: String,
    pub(crate) next_frame: Instant,
    payload_type: u8,
    extensions: ExtensionMap,
    source_id: u32,
}

/// Names, bits per second and pixels of simulcast layers as browsers make them.
const LAYERS: [(&str, u64, (u16, u16)); 3] =
    [("q", 150_000, (320, 180)), ("h", 400_000, (640, 360)), ("f", 1_200_000, (1280, 720))];

impl Track {
    pub(crate) fn new(
        source: Source,
        index: usize,
        (source_id, dialect, transport_cc): (u32, u8, bool),
        rng: &mut StdRng,
        now: Instant,
    ) -> Self {
        let (payload_type, rtx) = numbers(dialect, source.codec);
        let media = if source.codec.is_video() { MediaKind::Video } else { MediaKind::Audio };
        let plan: Vec<(Option<Rid>, u64, (u16, u16))> = if source.simulcast {
            LAYERS.iter().map(|(rid, bps, size)| (Rid::new(rid), *bps, *size)).collect()
        } else {
            vec![(None, source.bitrate_bps, (640, 360))]
        };
        let streams = (0u8..).zip(plan).map(|(layer, (rid, bitrate_bps, resolution))| Stream {
            rid,
            ssrc: rng.random_range(1..u32::MAX),
            rtx_ssrc: rng.random_range(1..u32::MAX),
            active: true,
            frames: 0,
            key_frames: 0,
            requests: Vec::new(),
            nacked: 0,
            report: None,
            rtx_payload_type: rtx,
            packets: 0,
            octets: 0,
            timestamp_base: rng.random(),
            layer,
            bitrate_bps,
            resolution,
            index: u64::from(source.first_seq.unwrap_or_else(|| rng.random::<u16>() & 0x7fff)),
            rtx_index: u64::from(rng.random::<u16>() & 0x7fff),
            sent: 0,
            picture_id: rng.random::<u16>() & 0x7fff,
            tl0_pic_idx: rng.random(),
            key_wanted: true,
            last_key: None,
            history: BTreeMap::new(),
            order: std::collections::VecDeque::new(),
        });
        let streams = streams.collect();
        // Encoders do not tick together.
        let phase = rng.random_range(0..interval(source.codec, source.fps).as_micros() as u64);
        Self {
            source,
            streams,
            level: 60,
            stopped: false,
            mid: format!("p{index}"),
            next_frame: now + Duration::from_micros(phase),
            payload_type,
            extensions: extensions(dialect, media, transport_cc),
            source_id,
        }
    }

    /// Makes the frames that are due into `out`.
    pub(crate) fn make(
        &mut self,
        now: Instant,
        now_us: u64,
        wide: &mut Wide,
        out: &mut Vec<Outgoing>,
    ) {
        if self.next_frame > now {
            return;
        }
        let interval = interval(self.source.codec, self.source.fps);
        self.next_frame += interval;
        if self.next_frame <= now {
            self.next_frame = now + interval;
        }
        if self.stopped {
            return;
        }
        for at in 0..self.streams.len() {
            if self.streams[at].active {
                self.make_frame(at, now, now_us, wide, out);
            }
        }
    }

    fn make_frame(
        &mut self,
        at: usize,
        now: Instant,
        now_us: u64,
        wide: &mut Wide,
        out: &mut Vec<Outgoing>,
    ) {
        let codec = self.source.codec;
        let stream = &mut self.streams[at];
        let pause_over = stream.last_key.is_none_or(|last| now - last >= KEY_FRAME_PAUSE);
        let key = !codec.is_video() || stream.key_wanted && pause_over;
        if key {
            stream.key_wanted = false;
            stream.last_key = Some(now);
            stream.key_frames += 1;
        }
        let rate = u64::from(codec.clock_rate());
        let timestamp = stream.timestamp_base.wrapping_add((now_us * rate / 1_000_000) as u32);
        let share = stream.bitrate_bps / 8 / u64::from(self.source.fps);
        let bytes = if codec.is_video() { share * if key { 4 } else { 1 } } else { 100 } as usize;
        let parts = bytes.div_ceil(PAYLOAD).max(1);
        stream.picture_id = stream.picture_id.wrapping_add(1) & 0x7fff;
        stream.tl0_pic_idx = stream.tl0_pic_idx.wrapping_add(1);
        let ids = FrameIds {
            picture_id: stream.picture_id,
            tl0_pic_idx: stream.tl0_pic_idx,
            resolution: stream.resolution,
        };
        for part in 0..parts {
            // As libwebrtc: packets of a frame differ by a byte or so.
            let len = bytes / parts + usize::from(part < bytes % parts);
            let content = Content {
                source: self.source_id,
                layer: stream.layer,
                frame: stream.frames,
                part: part as u16,
                parts: parts as u16,
                key,
                created_us: now_us,
            };
            let last = part + 1 == parts;
            let kept = Kept {
                marker: codec.is_video() && last,
                timestamp,
                payload: content.payload(codec, &ids, len),
                descriptor: (codec == CodecKind::Av1).then(|| {
                    let [high, low] = (stream.frames as u16).to_be_bytes();
                    [u8::from(part == 0) << 7 | u8::from(last) << 6, high, low]
                }),
            };
            let index = stream.index;
            stream.index += 1;
            stream.packets = stream.packets.wrapping_add(1);
            stream.octets = stream.octets.wrapping_add(kept.payload.len() as u32);
            out.push(Outgoing {
                index,
                header: Self::header(
                    (&self.mid, &self.extensions, self.level),
                    stream,
                    (self.payload_type, index as u16, false),
                    &kept,
                    codec,
                    (wide, now),
                ),
                payload: kept.payload.clone(),
            });
            stream.sent += 1;
            if stream.history.insert(index as u16, kept).is_none() {
                stream.order.push_back(index as u16);
            }
            if stream.order.len() > HISTORY
                && let Some(oldest) = stream.order.pop_front()
            {
                stream.history.remove(&oldest);
            }
        }
        stream.frames += 1;
    }

    fn header(
        (mid, extensions, level): (&str, &ExtensionMap, u8),
        stream: &Stream,
        (payload_type, number, rtx): (u8, u16, bool),
        kept: &Kept,
        codec: CodecKind,
        (wide, now): (&mut Wide, Instant),
    ) -> Vec<u8> {
        use ExtensionKind as E;
        let mut values: Vec<(u8, Vec<u8>)> = Vec::new();
        let mut add = |kind: E, value: Vec<u8>| {
            values.extend(extensions.id(kind).map(|id| (id, value)));
        };
        if extensions.id(E::TransportCc).is_some() {
            add(E::TransportCc, wide.next(now).to_be_bytes().to_vec());
        }
        if stream.sent < INTRODUCTION {
            add(E::Mid, mid.as_bytes().to_vec());
            if let Some(rid) = stream.rid {
                add(if rtx { E::RepairedRid } else { E::Rid }, rid.as_bytes().to_vec());
            }
        }
        if !codec.is_video() {
            let level = AudioLevel { voice: level < 50, level };
            add(E::AudioLevel, level.to_bytes().to_vec());
        }
        if let Some(descriptor) = kept.descriptor {
            add(E::DependencyDescriptor, descriptor.to_vec());
        }
        let fixed = FixedHeader {
            marker: kept.marker,
            payload_type,
            sequence_number: number,
            timestamp: kept.timestamp,
            ssrc: if rtx { stream.rtx_ssrc } else { stream.ssrc },
        };
        let values: Vec<(u8, &[u8])> =
            values.iter().map(|(id, value)| (*id, value.as_slice())).collect();
        let mut header = vec![0; 256];
        let len = write_header(&mut header, &fixed, &values).expect("short extensions");
        header.truncate(len);
        header
    }

    /// Repeats what the server asks for, as RTX (RFC 4588).
    pub(crate) fn resend(
        &mut self,
        ssrc: u32,
        number: u16,
        now: Instant,
        wide: &mut Wide,
    ) -> Option<Outgoing> {
        let codec = self.source.codec;
        let stream = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc)?;
        stream.nacked += 1;
        let kept = stream.history.get(&number)?.clone();
        let payload_type = stream.rtx_payload_type?;
        stream.rtx_index += 1;
        let index = stream.rtx_index;
        let header = Self::header(
            (&self.mid, &self.extensions, self.level),
            stream,
            (payload_type, index as u16, true),
            &kept,
            codec,
            (wide, now),
        );
        let mut payload = number.to_be_bytes().to_vec();
        payload.extend(&kept.payload);
        Some(Outgoing { index, header, payload })
    }

    pub(crate) fn request_key_frame(&mut self, ssrc: u32, now: Instant) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc) {
            stream.key_wanted = true;
            stream.requests.push(now);
        }
    }

    /// A new encoder: other SSRCs, numbers, times and picture ids.
    pub(crate) fn change_ssrc(&mut self, rng: &mut StdRng) {
        for stream in &mut self.streams {
            stream.ssrc = rng.random_range(1..u32::MAX);
            stream.rtx_ssrc = rng.random_range(1..u32::MAX);
            stream.index = u64::from(rng.random::<u16>() & 0x7fff);
            stream.rtx_index = u64::from(rng.random::<u16>() & 0x7fff);
            stream.timestamp_base = rng.random();
            stream.picture_id = rng.random::<u16>() & 0x7fff;
            stream.key_wanted = true;
            stream.last_key = None;
            stream.sent = 0;
            stream.history.clear();
            stream.order.clear();
        }
    }
}

fn interval(codec: CodecKind, fps: u32) -> Duration {
    if codec.is_video() { Duration::from_secs(1) / fps } else { Duration::from_millis(20) }
}
