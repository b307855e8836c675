//! Meetings in which everybody sends and receives, so that receiving counts: fifty rooms of two,
//! and one meeting of fifty. A real shard on a real socket, both backends in turns.

use crate::media::{FPS, Offer, Publisher, VIDEO_BPS};
use crate::report::Report;
use crate::running::{Running, THREADS};
use crate::sink::socket;
use crate::world::{join, shard};
use crate::{Error, ROUNDS, cpu};
use serde_json::{Value, json};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use weir_net::{Backend, BackendChoice, BackendStats, GATHER};
use weir_sfu::Shard;
use weir_sfu_api::{RoomId, SrtpProfile};
use weir_wire::train::TrainBuf;

/// Before and of one measurement.
const WARM_UP: Duration = Duration::from_millis(1_500);
const MEASURED: Duration = Duration::from_secs(3);
/// Of one measurement of delay.
const WATCHED: Duration = Duration::from_secs(2);
/// How often the clients look for what came.
const LOOK: Duration = Duration::from_millis(1);
const AUDIO_TIME: Duration = Duration::from_millis(20);
/// Sealed packets of sound are shorter than this, sealed packets of video longer.
const AUDIO_AT_MOST: usize = 200;

/// Who meets whom and sends what.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// Rooms.
    pub rooms: usize,
    /// People in each; all publish a microphone and a camera.
    pub people: usize,
    /// Bits per second of a camera.
    pub bps: u64,
    /// Slots of each for pictures, and as many for sound.
    pub slots: usize,
}

/// What is measured.
pub const SHAPES: [Shape; 2] = [
    Shape { name: "50 rooms of 2", rooms: 50, people: 2, bps: VIDEO_BPS, slots: 1 },
    Shape { name: "50 x 50", rooms: 1, people: 50, bps: 100_000, slots: 9 },
];

impl Shape {
    /// How many receive what the person of this place in its room sends: slots are filled in the order of
    /// joining, and nobody gets itself.
    fn receivers(&self, place: usize) -> usize {
        match place.cmp(&self.slots) {
            Ordering::Less => self.people - 1,
            Ordering::Equal => self.slots,
            Ordering::Greater => 0,
        }
    }
}

/// What a shard took with one backend, in its best round.
#[derive(Debug, Clone)]
pub struct Measured {
    /// CPU microseconds of the shard's threads per packet, received ones and sent ones counted alike.
    pub us: f64,
    /// Packets a second, received and sent.
    pub rate: f64,
    /// Share of one core.
    pub core: f64,
    /// Share of what is due that came.
    pub delivered: f64,
    /// System calls per packet, received and sent.
    pub syscalls: f64,
    /// Datagrams received per wait.
    pub batch: f64,
    /// Datagrams a train.
    pub train: f64,
    /// Microseconds from sending to receiving of a packet of sound, where clients wait for it: median, and
    /// 99 of 100 below; shapes with rooms of two only.
    pub delay: Option<(f64, f64)>,
}

/// A backend and how long it gathers.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// What it is called.
    pub name: &'static str,
    /// The backend.
    pub choice: BackendChoice,
    /// See [`Backend::gather`].
    pub gather: Duration,
}

/// The ways that are compared; the first is what the others are compared with.
pub const WAYS: [Way; 4] = [
    Way { name: "mmsg, gathering", choice: BackendChoice::Mmsg, gather: GATHER },
    Way { name: "io_uring, gathering", choice: BackendChoice::IoUring, gather: GATHER },
    Way { name: "mmsg, woken at once", choice: BackendChoice::Mmsg, gather: Duration::ZERO },
    Way { name: "io_uring, woken at once", choice: BackendChoice::IoUring, gather: Duration::ZERO },
];

/// All about one shape.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// Which.
    pub shape: Shape,
    /// For each of [`WAYS`] what was measured, or why it was not.
    pub ways: Vec<Result<Measured, String>>,
}

impl Rooms {
    /// Adds a row for each way; the column of the floor holds the first way, so that the ratio compares.
    pub fn add_to(&self, report: &mut Report) {
        let first = self.ways.first().and_then(|first| first.as_ref().ok()).map(|first| first.us);
        for (way, result) in WAYS.iter().zip(&self.ways) {
            let what = format!("rooms, {}, {}", way.name, self.shape.name);
            match result {
                Ok(measured) => {
                    let more = measured.json(way, self.shape.name);
                    report.add(what, "us/packet", Some(measured.us), first, measured.note(), more);
                }
                Err(reason) => report.add(what, "us/packet", None, None, reason, Value::Null),
            }
        }
    }
}

impl Measured {
    fn note(&self) -> String {
        let delay = self.delay.map_or(String::new(), |(p50, p99)| {
            format!(", delay of sound p50 {p50:.0} us, p99 {p99:.0} us")
        });
        format!(
            "{:.0} packets/s in and out, {:.0} % of a core, {:.1} % came, {:.3} system calls a packet, \
             {:.1} packets a wait, {:.1} a train{delay}",
            self.rate,
            self.core * 100.0,
            self.delivered * 100.0,
            self.syscalls,
            self.batch,
            self.train
        )
    }

    fn json(&self, way: &Way, shape: &str) -> Value {
        json!({
            "backend": way.name,
            "gather_us": way.gather.as_micros(),
            "shape": shape,
            "rate": self.rate,
            "core": self.core,
            "delivered": self.delivered,
            "syscalls": self.syscalls,
            "batch": self.batch,
            "train": self.train,
            "delay_p50_us": self.delay.map(|delay| delay.0),
            "delay_p99_us": self.delay.map(|delay| delay.1),
        })
    }
}

/// Measures all ways in turns, [`ROUNDS`] times each.
///
/// # Errors
/// When there are no sockets, threads or CPU times.
pub fn measure() -> Result<Vec<Rooms>, Error> {
    SHAPES.into_iter().map(measure_one).collect()
}

fn measure_one(shape: Shape) -> Result<Rooms, Error> {
    let mut ways: Vec<Result<Measured, String>> = Vec::new();
    for _ in 0..ROUNDS {
        for (position, way) in WAYS.iter().enumerate() {
            let new = run(shape, way)?;
            match (ways.get_mut(position), new) {
                (None, new) => ways.push(new),
                (Some(Ok(best)), Ok(new)) if new.us < best.us => *best = new,
                _ => {}
            }
        }
    }
    for (way, result) in WAYS.iter().zip(&mut ways) {
        if let (Ok(measured), 2) = (result, shape.people) {
            measured.delay = Some(delay(shape, way)??);
        }
    }
    Ok(Rooms { shape, ways })
}

/// One measurement of CPU time. The inner error: this machine does not have the backend.
///
/// # Errors
/// When there are no sockets, threads or CPU times.
pub fn run(shape: Shape, way: &Way) -> Result<Result<Measured, String>, Error> {
    let (mut people, shard) = People::new(shape, false)?;
    let running = match Running::start_gathering(shard, way.choice, way.gather)? {
        Ok(running) => running,
        Err(reason) => return Ok(Err(reason)),
    };
    let begin = Instant::now();
    people.run(running.addr(), begin + WARM_UP)?;
    let (cpu_before, before) = (cpu::of_threads(&THREADS)?, people.counts);
    let from = Instant::now();
    people.run(running.addr(), begin + WARM_UP + MEASURED)?;
    let (cpu_after, time) = (cpu::of_threads(&THREADS)?, from.elapsed().as_secs_f64());
    let after = people.counts;
    let (stats, _) = running.stop()?;
    if stats.kernel_drops > 0 {
        return Err("packets were lost on the way: the machine is too busy".into());
    }
    let sent = (after.sent - before.sent) as f64;
    let came = (after.rtp - before.rtp) as f64;
    let spent = (cpu_after - cpu_before).as_secs_f64();
    let all = sent + came;
    let total = (stats.received_datagrams + stats.sent_datagrams) as f64;
    Ok(Ok(Measured {
        us: spent * 1e6 / all,
        rate: all / time,
        core: spent / time,
        delivered: came / ((after.due - before.due) as f64).max(1.0),
        syscalls: stats.syscalls() as f64 / total,
        batch: per(stats.received_datagrams, &stats),
        train: stats.sent_datagrams as f64 / stats.sent_trains as f64,
        delay: None,
    }))
}

fn per(count: u64, stats: &BackendStats) -> f64 {
    count as f64 / stats.wait_syscalls.max(1) as f64
}

/// Median and 99th percentile in microseconds from sending a packet of sound to receiving it.
///
/// # Errors
/// As [`run`].
pub fn delay(shape: Shape, way: &Way) -> Result<Result<(f64, f64), String>, Error> {
    let (mut people, shard) = People::new(shape, true)?;
    let running = match Running::start_gathering(shard, way.choice, way.gather)? {
        Ok(running) => running,
        Err(reason) => return Ok(Err(reason)),
    };
    let begin = Instant::now();
    people.run(running.addr(), begin + WARM_UP)?;
    people.delays.clear();
    people.run(running.addr(), begin + WARM_UP + WATCHED)?;
    running.stop()?;
    people.delays.sort_unstable();
    let at = |share: f64| {
        let index = (people.delays.len() as f64 * share) as usize;
        people.delays.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    };
    Ok(Ok((at(0.5), at(0.99))))
}

/// One client.
struct Person {
    media: Publisher,
    ip: IpAddr,
    /// When it last sent sound.
    spoke: Instant,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    sent: u64,
    /// Packets of RTP that came, and that should.
    rtp: u64,
    due: u64,
}

/// All clients, on one socket, each with an address of its own: 127.3.0.1 onwards.
struct People {
    backend: Box<dyn Backend>,
    shape: Shape,
    people: Vec<Person>,
    /// When who does what next; true is a frame.
    next: BinaryHeap<Reverse<(Instant, usize, bool)>>,
    out: TrainBuf,
    counts: Counts,
    /// Whether to wait in the kernel, which makes the delay exact and sending to us dearer.
    waits: bool,
    delays: Vec<Duration>,
}

const FIRST_IP: u32 = 0x7f03_0001;

impl People {
    fn new(shape: Shape, waits: bool) -> Result<(Self, Shard), Error> {
        let (backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(Ipv4Addr::UNSPECIFIED))?;
        let port = backend.local_addr().port();
        let now = Instant::now();
        let mut shard = shard(now)?;
        let offer = Offer { publishes: true, slots: shape.slots, tells: false };
        let (mut people, mut next) = (Vec::new(), BinaryHeap::new());
        let count = shape.rooms * shape.people;
        for n in 0..count {
            let ip = IpAddr::V4(Ipv4Addr::from(FIRST_IP + n as u32));
            let (room, addr) = (RoomId((n / shape.people) as u64 + 1), SocketAddr::new(ip, port));
            let profile = SrtpProfile::AeadAes128Gcm;
            let srtp = join(&mut shard, now, profile, (n as u64, room), addr, offer)?;
            let media = Publisher::new(srtp, shape.bps);
            people.push(Person { media, ip, spoke: now });
            // Spread evenly and without pattern over the time of a frame and of a packet of sound.
            let place = (n * 37 % count) as f64 / count as f64;
            let begin = now + Duration::from_millis(50);
            next.push(Reverse((begin + frame_time().mul_f64(place), n, true)));
            let place = (n * 61 % count) as f64 / count as f64;
            next.push(Reverse((begin + AUDIO_TIME.mul_f64(place), n, false)));
        }
        let (out, counts) = (TrainBuf::default(), Counts::default());
        let delays = Vec::new();
        Ok((Self { backend, shape, people, next, out, counts, waits, delays }, shard))
    }

    /// Sends what is due and takes what comes until `end`.
    fn run(&mut self, server: SocketAddr, end: Instant) -> Result<(), Error> {
        let mut looked = Instant::now();
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            self.publish(server, now);
            if self.waits || now >= looked + LOOK {
                looked = now;
                self.take(Duration::ZERO)?;
            }
            let due = self.next.peek().map_or(end, |Reverse((at, ..))| *at).min(end);
            let pause = |until: Instant| until.saturating_duration_since(Instant::now());
            if self.waits {
                self.take(pause(due))?;
            } else {
                std::thread::sleep(pause(due.min(looked + LOOK)));
            }
        }
    }

    /// Sends what is due: each packet on its own, a frame's packets in one burst.
    fn publish(&mut self, server: SocketAddr, now: Instant) {
        while let Some(Reverse((at, n, is_frame))) = self.next.peek().copied() {
            if at > now {
                break;
            }
            self.next.pop();
            let person = &mut self.people[n];
            let packets = if is_frame { person.media.frame() } else { vec![person.media.audio()] };
            for packet in &packets {
                self.out.push(server, Some(person.ip), packet);
            }
            let receivers = self.shape.receivers(n % self.shape.people);
            self.counts.due += (packets.len() * receivers) as u64;
            person.spoke = if is_frame { person.spoke } else { Instant::now() };
            let time = if is_frame { frame_time() } else { AUDIO_TIME };
            self.next.push(Reverse((at + time, n, is_frame)));
        }
        if !self.out.is_empty() {
            self.counts.sent += self.backend.send(&mut self.out).datagrams as u64;
            self.out.clear();
        }
    }

    fn take(&mut self, wait: Duration) -> Result<(), Error> {
        let (counts, people, delays) = (&mut self.counts, &self.people, &mut self.delays);
        let pairs = self.waits && self.shape.people == 2;
        self.backend.receive(Some(wait), &mut |datagram| {
            // RFC 5761 4: 192 to 223 in the second byte is RTCP.
            if datagram.data.get(1).is_some_and(|second| (192..=223).contains(second)) {
                return;
            }
            counts.rtp += 1;
            if pairs
                && datagram.data.len() < AUDIO_AT_MOST
                && let Some(IpAddr::V4(ip)) = datagram.dst
                && let Some(other) = people.get((u32::from(ip).wrapping_sub(FIRST_IP) ^ 1) as usize)
            {
                delays.push(other.spoke.elapsed());
            }
        })?;
        Ok(())
    }
}

fn frame_time() -> Duration {
    Duration::from_secs(1) / FPS
}
