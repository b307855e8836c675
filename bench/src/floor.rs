//! The floor: AES-128-GCM and `sendmmsg` with `UDP_SEGMENT`, and nothing else. No forwarder that
//! sends SRTP to sockets can cost less on the same machine.

use crate::cpu::Stopwatch;
use crate::media::{FPS, VIDEO_BPS, frame_bytes, parts};
use crate::sink::{Ends, Sink, socket};
use crate::{Error, PACKET_BYTES, ROUNDS};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use weir_net::{Backend, BackendChoice};
use weir_wire::train::TrainBuf;

/// Packets a train, as in the table.
pub const TRAINS: [usize; 4] = [1, 4, 8, 16];
/// Receivers that the plain floor goes to.
const RECEIVERS: usize = 64;
/// Packets of one measurement of the plain floor, and of one call.
const PACKETS: usize = 131_072;
const BATCH: usize = 1_024;
/// Batches before a measurement.
const WARM_UP: usize = 8;
/// Frames before a measurement of the mix: half a second.
pub const WARM_UP_FRAMES: u32 = FPS / 2;
/// Bytes of trains that leave in one call.
const ROUND_BYTES: usize = 256 * 1024;
/// Bytes of header and tag.
const HEADER: usize = 12;
const TAG: usize = 16;

/// Seals and sends.
pub(crate) struct Floor {
    key: LessSafeKey,
    nonce: u64,
    plain: Vec<u8>,
    backend: Box<dyn Backend>,
    trains: TrainBuf,
    /// Packets the kernel took.
    sent: u64,
}

impl Floor {
    /// Sends from `ip`.
    pub(crate) fn new(ip: Ipv4Addr) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| "key")?;
        let (backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(ip))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            nonce: 0,
            plain: (0..PACKET_BYTES).map(|n| n as u8).collect(),
            backend,
            trains: TrainBuf::default(),
            sent: 0,
        })
    }

    /// Seals `count` packets of `len` bytes each for one receiver.
    pub(crate) fn train(&mut self, to: SocketAddr, count: usize, len: usize) {
        let (key, plain) = (&self.key, &self.plain[..len]);
        for _ in 0..count {
            self.nonce += 1;
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&self.nonce.to_be_bytes());
            self.trains.push_with(to, None, len, true, |out| {
                let (header, body) = plain[..len - TAG].split_at(HEADER);
                let (out_header, rest) = out.split_at_mut(HEADER);
                let (out_body, tag) = rest.split_at_mut(body.len());
                out_header.copy_from_slice(header);
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_out_of_place_scatter(nonce, Aad::from(header), body, out_body, &[], tag)
                    .map_or(0, |()| len)
            });
        }
    }

    /// Sends what was sealed.
    pub(crate) fn send(&mut self) {
        self.sent += self.backend.send(&mut self.trains).datagrams as u64;
    }
}

/// Smallest CPU microseconds per packet of [`PACKET_BYTES`], for each of [`TRAINS`].
///
/// # Errors
/// When there are no sockets or no CPU times.
pub fn measure() -> Result<Vec<(usize, f64)>, Error> {
    let mut best = TRAINS.map(|train| (train, f64::INFINITY));
    for _ in 0..ROUNDS {
        for (train, best) in &mut best {
            *best = best.min(plain(*train)?);
        }
    }
    Ok(best.to_vec())
}

/// One measurement with `train` packets a train.
fn plain(train: usize) -> Result<f64, Error> {
    let sink = Sink::start()?;
    let receivers = sink.addresses(RECEIVERS);
    let mut floor = Floor::new(Ipv4Addr::LOCALHOST)?;
    let mut watch = Stopwatch::new()?;
    for round in 0..WARM_UP + PACKETS / BATCH {
        if round == WARM_UP {
            watch.reset();
            floor.sent = 0;
        }
        watch.time(|| {
            for _ in 0..BATCH / (RECEIVERS * train) {
                for receiver in &receivers {
                    floor.train(*receiver, train, PACKET_BYTES);
                }
            }
            floor.send();
        })?;
        // Nothing may get lost: a lost packet is cheap.
        sink.wait_for(((round + 1) * BATCH) as u64);
    }
    complete(&sink, (PACKETS + WARM_UP * BATCH) as u64)?;
    Ok(watch.micros() / floor.sent as f64)
}

/// CPU microseconds per packet of the mix that `forward` delivers: so many frames, in trains as they
/// come, and so many packets of sound alone, at their times, to `receivers` receivers.
///
/// # Errors
/// When there are no sockets or no CPU times.
pub fn mix(receivers: usize, frames: u32, mix: Mix) -> Result<f64, Error> {
    let mut ends = Ends::new()?;
    let receivers = ends.addresses(receivers);
    let mut floor = Floor::new(Ipv4Addr::LOCALHOST)?;
    let mut watch = Stopwatch::new()?;
    let (mut warm_up, mut lost) = (0, 0);
    for moment in moments(mix, frames + WARM_UP_FRAMES) {
        if moment.frame == WARM_UP_FRAMES && moment.first {
            watch.reset();
            warm_up = floor.sent;
        }
        let len = if moment.audio { mix.audio_len() } else { mix.video_len() };
        // As the shard does: what would not stay in the cache leaves before more is sealed.
        let each = ROUND_BYTES.div_ceil(len * moment.count);
        for receivers in receivers.chunks(each) {
            watch.time(|| {
                for receiver in receivers {
                    floor.train(*receiver, moment.count, len);
                }
                floor.send();
            })?;
            ends.take(0)?;
        }
        lost = floor.sent - ends.rtp;
    }
    if lost * 100 > floor.sent {
        return Err(format!("{lost} of {} packets did not come", floor.sent).into());
    }
    Ok(watch.micros() / (floor.sent - warm_up) as f64)
}

/// One publisher's stream as its receivers get it.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    /// Bits per second of its camera; its microphone sends 50 packets a second beside.
    pub bps: u64,
    /// Sent as libwebrtc's pacer sends: two packets at once, each 5 ms. Else each frame is one burst.
    pub paced: bool,
    /// Receivers behave as browsers do: they tell arrivals and reports, and what they get is paced.
    pub tells: bool,
}

impl Default for Mix {
    fn default() -> Self {
        Self { bps: VIDEO_BPS, paced: false, tells: false }
    }
}

impl Mix {
    /// Bytes of a part of a frame, with its padding: fixed header, transport-wide number where there
    /// is one, payload, tag.
    #[must_use]
    pub fn video_len(&self) -> usize {
        let extension = if self.tells { 8 } else { 0 };
        // Frames are up to 15 bytes larger, 8 on average.
        12 + extension + (frame_bytes(self.bps) + 8).div_ceil(parts(self.bps)) + 16
    }

    /// Bytes of 20 ms of sound with its level.
    #[must_use]
    pub fn audio_len(&self) -> usize {
        let extension = if self.tells { 12 } else { 8 };
        12 + extension + 80 + 16
    }
}

/// What leaves at one time.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Since the beginning.
    pub at: Duration,
    /// Sound; else a picture, or a part of one.
    pub audio: bool,
    /// Packets.
    pub count: usize,
    /// Of this frame, counted from 0.
    pub frame: u32,
    /// The frame's first packets.
    pub first: bool,
    /// And its last.
    pub last: bool,
}

/// Packets that a pacer sends at once, and its pause.
const PACED: usize = 2;
const PACE: Duration = Duration::from_millis(5);

/// When what leaves: `frames` frames and the sound of the same time.
#[must_use]
pub fn moments(mix: Mix, frames: u32) -> Vec<Moment> {
    let mut moments = Vec::new();
    let once = if mix.paced { PACED } else { usize::MAX };
    for frame in 0..frames {
        let (mut at, mut left) = (Duration::from_secs(1) / FPS * frame, parts(mix.bps));
        let mut first = true;
        while left > 0 {
            let count = left.min(once);
            left -= count;
            moments.push(Moment { at, audio: false, count, frame, first, last: left == 0 });
            (at, first) = (at + PACE, false);
        }
    }
    let end = Duration::from_secs(1) / FPS * frames;
    // Between the frames' times, so that both never leave together.
    let mut at = Duration::from_micros(7_500);
    while at < end {
        let frame = u32::MAX;
        moments.push(Moment { at, audio: true, count: 1, frame, first: false, last: true });
        at += Duration::from_millis(20);
    }
    moments.sort_by_key(|moment| moment.at);
    moments
}

/// What was sent must have come: what the receiver drops is cheaper.
fn complete(sink: &Sink, sent: u64) -> Result<(), Error> {
    sink.wait_for(sent);
    let got = sink.rtp();
    if got * 100 < sent * 99 {
        return Err(format!("only {got} of {sent} packets came: the machine is too busy").into());
    }
    Ok(())
}
