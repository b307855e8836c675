//! A real shard on a real socket: one publisher, many receivers on the loopback interface.
//!
//! Publisher, shard and receivers take turns in one thread, in steps of a virtual millisecond, and only
//! the shard's turns are timed, by the thread's CPU clock. Whatever else the machine does can then
//! neither merge batches nor starve anybody; what is not in the figures is waking up, a few microseconds
//! a batch. `delay` and `big` run in real time.

use crate::cpu::{self, Stopwatch};
use crate::floor::{self, Mix, Moment, WARM_UP_FRAMES};
use crate::media::{FPS, Publisher};
use crate::sink::{Ends, socket};
use crate::world::{drain, one_to_many};
use crate::{Error, ROUNDS};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};
use weir_net::{Backend, BackendChoice};
use weir_sfu::{Input, Shard};

/// What comes within this time is one batch.
const TICK: Duration = Duration::from_millis(1);
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
    let mut ends = Ends::new()?;
    let publisher = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let start = Instant::now();
    let addresses = ends.addresses(load.receivers);
    let (shard, media, tellers) =
        one_to_many(start, load.mix, publisher.local_addr()?, &addresses)?;
    let backend = match weir_net::open(choice, &socket(Ipv4Addr::LOCALHOST)) {
        Ok((backend, _)) => backend,
        Err(reason) => {
            return Ok(Forwarded {
                backend: Err(reason.to_string()),
                us: f64::INFINITY,
                train: f64::NAN,
                syscalls: f64::NAN,
                delivered: f64::NAN,
            });
        }
    };
    publisher.connect(backend.local_addr())?;
    ends.tellers = tellers;
    let watch = Stopwatch::new()?;
    let mut field = Field {
        start,
        elapsed: Duration::ZERO,
        publisher,
        media,
        frame: VecDeque::new(),
        shard,
        backend,
        deadline: None,
        ends,
        watch,
    };
    field.run(load.mix, if load.mix.tells { BROWSER_FRAMES } else { WARM_UP_FRAMES })?;
    let (before, rtp) = (field.backend.stats(), field.ends.rtp);
    field.watch.reset();
    let helpers = cpu::of_threads(&["iou-"])?;
    let published = field.run(load.mix, FRAMES)?;
    let helpers = cpu::of_threads(&["iou-"])? - helpers;
    let (after, got) = (field.backend.stats(), field.ends.rtp - rtp);
    if got == 0 {
        return Err(format!("{name}: nothing came at the receivers").into());
    }
    let datagrams = (after.sent_datagrams - before.sent_datagrams) as f64;
    Ok(Forwarded {
        backend: Ok(name),
        us: (field.watch.micros() + helpers.as_secs_f64() * 1e6) / got as f64,
        train: datagrams / (after.sent_trains - before.sent_trains) as f64,
        syscalls: (after.syscalls() - before.syscalls()) as f64 / datagrams,
        delivered: got as f64 / (published * load.receivers) as f64,
    })
}

/// A publisher, a shard, and where its packets end.
struct Field {
    start: Instant,
    elapsed: Duration,
    publisher: UdpSocket,
    media: Publisher,
    /// What is left of the publisher's frame.
    frame: VecDeque<Vec<u8>>,
    shard: Shard,
    backend: Box<dyn Backend>,
    deadline: Option<Instant>,
    ends: Ends,
    watch: Stopwatch,
}

impl Field {
    /// Sends `frames` frames as the mix has them, and the sound of the same time. How many packets.
    fn run(&mut self, mix: Mix, frames: u32) -> Result<usize, Error> {
        let begin = self.elapsed;
        let end = begin + Duration::from_secs(1) / FPS * frames;
        let mut moments = floor::moments(mix, frames).into_iter().peekable();
        let mut sent = 0;
        while self.elapsed < end {
            self.elapsed += TICK;
            let now = self.start + self.elapsed;
            let mut due = self.deadline.is_some_and(|at| at <= now);
            while let Some(moment) = moments.next_if(|m| begin + m.at <= self.elapsed) {
                sent += self.publish(&moment)?;
                due = true;
            }
            let server = self.backend.local_addr();
            due |= self.ends.tell(now, server) > 0;
            if due {
                self.turn(now)?;
            }
        }
        Ok(sent)
    }

    fn publish(&mut self, moment: &Moment) -> Result<usize, Error> {
        let packets: Vec<Vec<u8>> = if moment.audio {
            vec![self.media.audio()]
        } else {
            if moment.first {
                self.frame = self.media.frame().into();
            }
            // A key frame is larger: all of it leaves with its last part.
            let count = if moment.last { self.frame.len() } else { moment.count };
            self.frame.drain(..count.min(self.frame.len())).collect()
        };
        for packet in &packets {
            self.publisher.send(packet)?;
        }
        Ok(packets.len())
    }

    /// The shard's loop, once: receive, handle, send. Between two rounds of trains the receivers take
    /// what has come, so that nothing is lost.
    fn turn(&mut self, now: Instant) -> Result<(), Error> {
        let arrival = i64::try_from(self.elapsed.as_micros()).unwrap_or(0);
        let (shard, backend) = (&mut self.shard, &mut self.backend);
        let mut again = true;
        let mut first = true;
        let mut result = Ok(());
        while again {
            self.watch.time(|| {
                if std::mem::take(&mut first) {
                    let received = backend.receive(Some(Duration::ZERO), &mut |datagram| {
                        let (src, dst, data) = (datagram.src, datagram.dst, datagram.data);
                        shard.handle_input(now, Input::Datagram { src, dst, data });
                    });
                    result = received.map(|_| ());
                }
                shard.handle_input(now, Input::BatchEnd);
                self.deadline = drain(shard);
                if self.deadline.is_some_and(|at| at <= now) && !shard.wants_flush() {
                    shard.handle_input(now, Input::Timeout);
                    self.deadline = drain(shard);
                }
                shard.send_trains(|trains| {
                    backend.send(trains);
                });
                again = shard.wants_flush() || self.deadline.is_some_and(|at| at <= now);
            })?;
            self.ends.take(arrival)?;
        }
        Ok(result?)
    }
}
