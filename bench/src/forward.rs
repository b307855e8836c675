//! A real shard on a real socket: one publisher, many receivers on the loopback interface.

use crate::floor::{self, Mix, WARM_UP_FRAMES};
use crate::media::{FPS, Publisher};
use crate::running::{Running, THREADS};
use crate::sink::Sink;
use crate::world::one_to_many;
use crate::{Error, ROUNDS, cpu};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};
use weir_net::BackendChoice;

/// Frames of one measurement: two seconds.
const FRAMES: u32 = 2 * FPS;
/// Frames before it where receivers' paths must become known.
const BROWSER_FRAMES: u32 = 7 * FPS;

/// One publisher's packets and who gets them.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// What is sent.
    pub mix: Mix,
    /// To how many.
    pub receivers: usize,
}

impl Load {
    /// In words.
    #[must_use]
    pub fn name(&self) -> String {
        let rate = self.mix.bps as f64 / 1e6;
        let kind = if self.mix.tells { " browsers" } else { "" };
        let paced = if self.mix.paced { ", paced publisher" } else { "" };
        format!("{rate} Mbit/s to {}{kind}{paced}", self.receivers)
    }
}

/// Everything that is measured, in the order of the table.
#[must_use]
pub fn loads() -> Vec<Load> {
    let burst = |bps, receivers| Load { mix: Mix { bps, ..Mix::default() }, receivers };
    let mut loads = Vec::new();
    for receivers in [50, 200, 500, 1_000] {
        loads.push(burst(1_000_000, receivers));
    }
    for receivers in [50, 200, 500, 1_000] {
        loads.push(burst(2_500_000, receivers));
    }
    for receivers in [100, 1_000] {
        loads.push(burst(300_000, receivers));
    }
    let paced = Mix { paced: true, ..Mix::default() };
    loads.push(Load { mix: paced, receivers: 200 });
    for receivers in [200, 500] {
        loads.push(Load { mix: Mix { tells: true, ..Mix::default() }, receivers });
    }
    loads.push(Load { mix: Mix { tells: true, paced: true, ..Mix::default() }, receivers: 200 });
    loads
}

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

/// All about one load.
#[derive(Debug, Clone)]
pub struct Measured {
    /// CPU microseconds per packet of the floor of the same mix.
    pub floor: f64,
    /// One for each backend.
    pub shards: Vec<Forwarded>,
}

/// Measures floor, mmsg and io_uring in turns, [`ROUNDS`] times each.
///
/// # Errors
/// When there are no sockets, threads or CPU times.
pub fn measure(load: Load) -> Result<Measured, Error> {
    let backends = [("mmsg", BackendChoice::Mmsg), ("io_uring", BackendChoice::IoUring)];
    let mut floor = f64::INFINITY;
    let mut shards: Vec<Forwarded> = Vec::new();
    for _ in 0..ROUNDS {
        floor = floor.min(floor::mix(load.receivers, FRAMES, load.mix)?);
        for (position, (name, choice)) in backends.into_iter().enumerate() {
            let result = run(name, choice, load)?;
            match shards.get_mut(position) {
                None => shards.push(result),
                Some(best) if result.us < best.us => *best = result,
                Some(_) => {}
            }
        }
    }
    Ok(Measured { floor, shards })
}

fn run(name: &'static str, choice: BackendChoice, load: Load) -> Result<Forwarded, Error> {
    let sink = Sink::start()?;
    let publisher = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let now = Instant::now();
    let addresses = sink.addresses(load.receivers);
    let (shard, media, tellers) = one_to_many(now, load.mix, publisher.local_addr()?, &addresses)?;
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
    sink.tell(running.addr(), tellers);
    let mut media = Media { media, frame: VecDeque::new() };
    let warm_up = if load.mix.tells { BROWSER_FRAMES } else { WARM_UP_FRAMES };
    publish(&publisher, &mut media, load.mix, warm_up)?;
    let (cpu_before, rtp_before) = (cpu::of_threads(&THREADS)?, sink.rtp());
    let published = publish(&publisher, &mut media, load.mix, FRAMES)?;
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
        delivered: got as f64 / (published * load.receivers) as f64,
    })
}

/// A publisher and what is left of its frame.
struct Media {
    media: Publisher,
    frame: VecDeque<Vec<u8>>,
}

/// Sends `frames` frames as the mix has them, and the sound of the same time; then waits until all is
/// quiet. How many packets that were.
fn publish(socket: &UdpSocket, media: &mut Media, mix: Mix, frames: u32) -> Result<usize, Error> {
    let begin = Instant::now();
    let mut sent = 0;
    for moment in floor::moments(mix, frames) {
        std::thread::sleep((begin + moment.at).saturating_duration_since(Instant::now()));
        let packets: Vec<Vec<u8>> = if moment.audio {
            vec![media.media.audio()]
        } else {
            if moment.first {
                media.frame = media.media.frame().into();
            }
            // A key frame is larger: all of it leaves with its last part.
            let count = if moment.last { media.frame.len() } else { moment.count };
            media.frame.drain(..count.min(media.frame.len())).collect()
        };
        for packet in &packets {
            socket.send(packet)?;
        }
        sent += packets.len();
    }
    std::thread::sleep(Duration::from_millis(100));
    Ok(sent)
}
