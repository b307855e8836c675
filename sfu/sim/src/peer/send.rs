//! What a peer publishes: tracks, whose encoders make frames, and their RTP packets.

pub use super::encoder::Stream;

use super::Source;
use super::describe::{extensions, numbers};
use super::encoder::Kept;
use super::wide::Wide;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use weir_sfu_api::{CodecKind, ExtensionKind, ExtensionMap, LayerDemand, MediaKind, Rid};
use weir_wire::ext::AudioLevel;
use weir_wire::rtp::{FixedHeader, write_header};

/// Packets that carry mid and rid, until the receiver surely knows the SSRC.
const INTRODUCTION: u64 = 300;
/// Between comfort noise packets in a pause with DTX.
const DTX: Duration = Duration::from_millis(400);
/// -dBov of a quiet room.
const SILENCE: u8 = 90;

/// One packet, header and payload apart, ready to be sealed.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) index: u64,
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
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
    /// The level it tells instead of the true one.
    pub lie: Option<AudioLevel>,
    /// Ended: its m-line is inactive with the next offer.
    pub stopped: bool,
    /// What the server demanded last, and how often it did.
    pub demands: (Vec<LayerDemand>, u64),
    pub(crate) mid: String,
    next_frame: Instant,
    /// Packets that the pacer holds: when they leave, of which stream.
    paced: VecDeque<(Instant, usize, u64)>,
    payload_type: u8,
    extensions: ExtensionMap,
    source_id: u32,
    talking: bool,
    turn: Option<Instant>,
    last_noise: Option<Instant>,
    rng: StdRng,
}

/// Names, bits per second and pixels of simulcast layers as browsers make them.
const LAYERS: [(&str, u64, (u16, u16)); 3] =
    [("q", 150_000, (320, 180)), ("h", 500_000, (640, 360)), ("f", 1_700_000, (1280, 720))];

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
            vec![(None, source.bitrate_bps, source.resolution)]
        };
        let streams = (0u8..).zip(plan).map(|(layer, (rid, bitrate_bps, resolution))| Stream {
            rid,
            ssrc: rng.random_range(1..u32::MAX),
            rtx_ssrc: rng.random_range(1..u32::MAX),
            active: true,
            wanted: true,
            bitrate_bps,
            resolution,
            spatial_limit: 3,
            frames: 0,
            key_frames: 0,
            requests: Vec::new(),
            nacked: 0,
            report: None,
            layer,
            rtx_payload_type: rtx,
            packets: 0,
            octets: 0,
            timestamp_base: rng.random(),
            index: u64::from(source.first_seq.unwrap_or_else(|| rng.random::<u16>() & 0x7fff)),
            rtx_index: u64::from(rng.random::<u16>() & 0x7fff),
            sent: 0,
            picture_id: rng.random::<u16>() & 0x7fff,
            tl0_pic_idx: rng.random(),
            key_idx: 0,
            key_wanted: true,
            last_key: None,
            history: BTreeMap::new(),
            order: VecDeque::new(),
            picture: 0,
            phase: 0,
            spatial: 3,
            last: Default::default(),
        });
        let streams = streams.collect();
        // Encoders do not tick together.
        let phase = rng.random_range(0..interval(source.codec, source.fps).as_micros() as u64);
        Self {
            source,
            streams,
            level: 60,
            lie: None,
            stopped: false,
            demands: (Vec::new(), 0),
            mid: format!("p{index}"),
            next_frame: now + Duration::from_micros(phase),
            paced: VecDeque::new(),
            payload_type,
            extensions: extensions(dialect, media, transport_cc),
            source_id,
            talking: false,
            turn: None,
            last_noise: None,
            // Its own: who speaks when changes nothing else.
            rng: StdRng::seed_from_u64(u64::from(source_id) << 8 | index as u64),
        }
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Instant {
        let paced = self.paced.front().map(|(at, _, _)| *at);
        paced.map_or(self.next_frame, |at| at.min(self.next_frame))
    }

    /// Makes the frames and sends the packets that are due, into `out`.
    pub(crate) fn make(
        &mut self,
        now: Instant,
        now_us: u64,
        wide: &mut Wide,
        out: &mut Vec<Outgoing>,
    ) {
        if self.next_frame <= now {
            let interval = interval(self.source.codec, self.source.fps);
            self.next_frame += interval;
            if self.next_frame <= now {
                self.next_frame = now + interval;
            }
            if !self.stopped && self.speaks(now) {
                for at in 0..self.streams.len() {
                    if self.streams[at].is_on() {
                        self.make_picture(at, now, now_us);
                    }
                }
            }
        }
        while let Some((at, stream, index)) = self.paced.front().copied()
            && at <= now
        {
            self.paced.pop_front();
            out.extend(self.outgoing(stream, index, now, wide));
        }
    }

    /// Whether an audio packet is due; video always is.
    fn speaks(&mut self, now: Instant) -> bool {
        let Some(talk) = self.source.talk else { return true };
        if self.turn.is_none_or(|turn| turn <= now) {
            self.talking = self.turn.is_some() && !self.talking;
            let mean = if self.talking { talk.spurt } else { talk.pause };
            self.turn = Some(now + mean.mul_f64(self.rng.random_range(0.3..1.7)));
            self.level = if self.talking { self.rng.random_range(20..40) } else { SILENCE };
        }
        let due = self.talking || !talk.dtx || self.last_noise.is_none_or(|last| now - last >= DTX);
        if due && !self.talking {
            self.last_noise = Some(now);
        }
        due
    }

    /// Speaks now, by its talk spurts.
    #[must_use]
    pub fn is_talking(&self) -> bool {
        self.talking
    }

    fn make_picture(&mut self, at: usize, now: Instant, now_us: u64) {
        let Some(stream) = self.streams.get_mut(at) else { return };
        let who = (self.source_id, self.level);
        let numbers = stream.make_picture(&self.source, who, now, now_us);
        let rate = self.source.pace.map(|pace| pace * stream.bitrate_bps as f64);
        // After what is still being paced of the same stream.
        let busy = self.paced.iter().rev().find(|(_, stream, _)| *stream == at);
        let mut leaves = busy.map_or(now, |(until, ..)| now.max(*until));
        for number in numbers {
            let place = self.paced.partition_point(|(at, _, _)| *at <= leaves);
            self.paced.insert(place, (leaves, at, number));
            if let Some(rate) = rate {
                let bytes = stream.history.get(&(number as u16)).map_or(0, |k| k.payload.len());
                leaves += Duration::from_secs_f64(bytes as f64 * 8.0 / rate.max(1.0));
            }
        }
    }

    fn outgoing(
        &mut self,
        at: usize,
        index: u64,
        now: Instant,
        wide: &mut Wide,
    ) -> Option<Outgoing> {
        let stream = self.streams.get_mut(at)?;
        let kept = stream.history.get(&(index as u16))?.clone();
        let about = (&*self.mid, &self.extensions, self.lie);
        let numbers = (self.payload_type, index as u16, false);
        let header = header(about, stream, numbers, &kept, self.source.codec, (wide, now));
        stream.sent += 1;
        Some(Outgoing { index, header, payload: kept.payload })
    }

    /// Repeats what the server asks for, as RTX (RFC 4588).
    pub(crate) fn resend(
        &mut self,
        ssrc: u32,
        number: u16,
        now: Instant,
        wide: &mut Wide,
    ) -> Option<Outgoing> {
        let stream = self.streams.iter_mut().find(|stream| stream.ssrc == ssrc)?;
        stream.nacked += 1;
        let kept = stream.history.get(&number)?.clone();
        let payload_type = stream.rtx_payload_type?;
        stream.rtx_index += 1;
        let index = stream.rtx_index;
        let about = (&*self.mid, &self.extensions, self.lie);
        let numbers = (payload_type, index as u16, true);
        let header = header(about, stream, numbers, &kept, self.source.codec, (wide, now));
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

    /// The server says which layers it wants. One that comes back begins with a key frame.
    pub(crate) fn take_demand(&mut self, layers: &[LayerDemand]) {
        self.demands = (layers.to_vec(), self.demands.1 + 1);
        for stream in &mut self.streams {
            let demand = layers.iter().find(|layer| layer.rid == stream.rid);
            let wanted = demand.is_none_or(|layer| layer.active);
            stream.key_wanted |= wanted && !stream.wanted;
            stream.wanted = wanted;
        }
    }

    /// Other names for its layers, from the next offer on, with other SSRCs.
    pub(crate) fn change_rids(&mut self, rids: &[&str], rng: &mut StdRng) {
        for (stream, rid) in self.streams.iter_mut().zip(rids) {
            stream.rid = Rid::new(rid);
        }
        self.change_ssrc(rng);
    }

    /// A new encoder: other SSRCs, numbers, times and picture ids.
    pub(crate) fn change_ssrc(&mut self, rng: &mut StdRng) {
        self.paced.clear();
        for stream in &mut self.streams {
            stream.ssrc = rng.random_range(1..u32::MAX);
            stream.rtx_ssrc = rng.random_range(1..u32::MAX);
            stream.index = u64::from(rng.random::<u16>() & 0x7fff);
            stream.rtx_index = u64::from(rng.random::<u16>() & 0x7fff);
            stream.timestamp_base = rng.random();
            stream.picture_id = rng.random::<u16>() & 0x7fff;
            stream.forget();
        }
    }
}

fn header(
    (mid, extensions, lie): (&str, &ExtensionMap, Option<AudioLevel>),
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
        let truth = AudioLevel { voice: kept.level < 50, level: kept.level };
        add(E::AudioLevel, lie.unwrap_or(truth).to_bytes().to_vec());
    }
    if let Some(descriptor) = &kept.descriptor {
        add(E::DependencyDescriptor, descriptor.clone());
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
    let mut header = vec![0; 512];
    let len = write_header(&mut header, &fixed, &values).expect("short extensions");
    header.truncate(len);
    header
}

fn interval(codec: CodecKind, fps: u32) -> Duration {
    if codec.is_video() { Duration::from_secs(1) / fps } else { Duration::from_millis(20) }
}
