//! The floor: AES-128-GCM and `sendmmsg` with `UDP_SEGMENT`, and nothing else. No forwarder that
//! sends SRTP to sockets can cost less on the same machine.

use crate::cpu::Stopwatch;
use crate::media::{FPS, PARTS};
use crate::sink::{Sink, socket};
use crate::{Error, PACKET_BYTES, ROUNDS};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
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
/// Bytes of header and tag.
const HEADER: usize = 12;
const TAG: usize = 16;

/// Seals and sends.
struct Floor {
    key: LessSafeKey,
    nonce: u64,
    plain: Vec<u8>,
    backend: Box<dyn Backend>,
    trains: TrainBuf,
    /// Packets the kernel took.
    sent: u64,
}

impl Floor {
    fn new() -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| "key")?;
        let (backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(Ipv4Addr::LOCALHOST))?;
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
    fn train(&mut self, to: SocketAddr, count: usize, len: usize) {
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

    fn send(&mut self) {
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
    let mut floor = Floor::new()?;
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

/// CPU microseconds per packet of the mix that `forward` delivers: so many frames as one train each
/// and so many packets of sound alone, at their times, to `receivers` receivers.
///
/// # Errors
/// When there are no sockets or no CPU times.
pub fn mix(receivers: usize, frames: u32, sizes: Sizes) -> Result<f64, Error> {
    let sink = Sink::start()?;
    let receivers = sink.addresses(receivers);
    let mut floor = Floor::new()?;
    let mut watch = Stopwatch::new()?;
    let mut warm_up = 0;
    let begin = Instant::now();
    for (at, is_frame, frame) in moments(frames + WARM_UP_FRAMES) {
        if frame == WARM_UP_FRAMES && is_frame {
            watch.reset();
            warm_up = floor.sent;
        }
        std::thread::sleep((begin + at).saturating_duration_since(Instant::now()));
        let (count, len) = if is_frame { (PARTS, sizes.video) } else { (1, sizes.audio) };
        watch.time(|| {
            for receiver in &receivers {
                floor.train(*receiver, count, len);
            }
            floor.send();
        })?;
    }
    complete(&sink, floor.sent)?;
    Ok(watch.micros() / (floor.sent - warm_up) as f64)
}

/// Bytes of the mix's datagrams.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Of one packet of a frame.
    pub video: usize,
    /// Of one packet of sound.
    pub audio: usize,
}

/// When what leaves: `frames` frames and the sound of the same time; true is a frame.
pub fn moments(frames: u32) -> impl Iterator<Item = (Duration, bool, u32)> {
    let mut video = 0;
    let mut audio = 0;
    std::iter::from_fn(move || {
        if video == frames {
            return None;
        }
        // Between the frames' times, so that both never leave together.
        let at_video = Duration::from_secs(1) / FPS * video;
        let at_audio = Duration::from_millis(20) * audio + Duration::from_millis(5);
        Some(if at_video <= at_audio {
            video += 1;
            (at_video, true, video - 1)
        } else {
            audio += 1;
            (at_audio, false, video)
        })
    })
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
