//! A real shard on a real socket: one publisher, many receivers on the loopback interface.

use crate::floor::{self, Sizes, WARM_UP_FRAMES};
use crate::media::Publisher;
use crate::running::{Running, THREADS};
use crate::sink::Sink;
use crate::world::meeting;
use crate::{Error, ROUNDS, cpu};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};
use weir_net::BackendChoice;
use weir_sfu_api::SrtpProfile;

/// Numbers of receivers that are measured.
pub const RECEIVERS: [usize; 2] = [50, 200];
/// Frames of one measurement: two seconds.
const FRAMES: u32 = 60;
/// What the receivers get, with fixed header and tag: a part of a frame with its padding; 20 ms of
/// sound with its level.
const SIZES: Sizes = Sizes { video: 12 + 1_044 + 16, audio: 12 + 8 + 80 + 16 };

/// What a shard took, in its best round.
#[derive(Debug, Clone)]
pub struct Forwarded {
    /// The backend, or why it is not there.
    pub backend: Result<&'static str, String>,
    /// CPU microseconds of the shard per packet that came at a receiver.
    pub us: f64,
    /// Datagrams a train.
    pub train: f64,
    /// System calls per packet sent.
    pub syscalls: f64,
    /// Share of the packets expected that came.
    pub delivered: f64,
}

/// All about one number of receivers.
#[derive(Debug, Clone)]
pub struct Mix {
    /// Receivers.
    pub receivers: usize,
    /// CPU microseconds per packet of the floor of the same mix.
    pub floor: f64,
    /// One for each backend.
    pub shards: Vec<Forwarded>,
}

/// Measures floor, mmsg and io_uring in turns, [`ROUNDS`] times each.
///
/// # Errors
/// When there are no sockets, threads or CPU times.
pub fn measure() -> Result<Vec<Mix>, Error> {
    RECEIVERS.into_iter().map(measure_one).collect()
}

fn measure_one(receivers: usize) -> Result<Mix, Error> {
    let backends = [("mmsg", BackendChoice::Mmsg), ("io_uring", BackendChoice::IoUring)];
    let mut floor = f64::INFINITY;
    let mut shards: Vec<Forwarded> = Vec::new();
    for round in 0..ROUNDS {
        floor = floor.min(floor::mix(receivers, FRAMES, SIZES)?);
        for (position, (name, choice)) in backends.into_iter().enumerate() {
            let result = run(name, choice, receivers)?;
            match shards.get_mut(position) {
                None => shards.push(result),
                Some(best) if result.us < best.us => *best = result,
                Some(_) => {}
            }
            debug_assert!(shards.len() > position, "round {round}");
        }
    }
    Ok(Mix { receivers, floor, shards })
}

fn run(name: &'static str, choice: BackendChoice, receivers: usize) -> Result<Forwarded, Error> {
    let sink = Sink::start()?;
    let publisher = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let now = Instant::now();
    let addresses = sink.addresses(receivers);
    let (shard, mut media) =
        meeting(now, SrtpProfile::AeadAes128Gcm, publisher.local_addr()?, &addresses)?;
    let running = match Running::start(shard, choice)? {
        Ok(running) => running,
        Err(reason) => {
            return Ok(Forwarded {
                backend: Err(reason),
                us: f64::INFINITY,
                train: f64::NAN,
                syscalls: f64::NAN,
                delivered: f64::NAN,
            });
        }
    };
    publisher.connect(running.addr())?;
    publish(&publisher, &mut media, WARM_UP_FRAMES)?;
    let (cpu_before, rtp_before) = (cpu::of_threads(&THREADS)?, sink.rtp());
    let published = publish(&publisher, &mut media, FRAMES)?;
    let (cpu_after, rtp_after) = (cpu::of_threads(&THREADS)?, sink.rtp());
    let (stats, _) = running.stop()?;
    let got = rtp_after - rtp_before;
    if got == 0 {
        return Err(format!("{name}: nothing came at the receivers").into());
    }
    Ok(Forwarded {
        backend: Ok(name),
        us: (cpu_after - cpu_before).as_secs_f64() * 1e6 / got as f64,
        train: stats.sent_datagrams as f64 / stats.sent_trains as f64,
        syscalls: stats.syscalls() as f64 / stats.sent_datagrams as f64,
        delivered: got as f64 / (published * receivers) as f64,
    })
}

/// Sends `frames` frames, each in one burst, and the sound of the same time; then waits until all is
/// quiet. How many packets that were.
fn publish(socket: &UdpSocket, media: &mut Publisher, frames: u32) -> Result<usize, Error> {
    let begin = Instant::now();
    let mut sent = 0;
    for (at, is_frame, _) in floor::moments(frames) {
        let packets = if is_frame { media.frame() } else { vec![media.audio()] };
        std::thread::sleep((begin + at).saturating_duration_since(Instant::now()));
        for packet in &packets {
            socket.send(packet)?;
        }
        sent += packets.len();
    }
    std::thread::sleep(Duration::from_millis(100));
    Ok(sent)
}
