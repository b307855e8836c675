//! The whole way of packets through a shard in virtual time, without sockets: the same inputs in the
//! same order each time, so that instructions can be counted. `weir-way` runs it under callgrind.

use crate::Error;
use crate::media::{FPS, Offer, Publisher, VIDEO_BPS, wide_number};
use crate::world::{drain, join, shard};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use weir_session::srtp::SrtpSession;
use weir_sfu::{Input, Shard};
use weir_sfu_api::{RoomId, SrtpProfile};
use weir_wire::rtcp::{self, ReportBlock};
use weir_wire::rtp::parse_header;
use weir_wire::train::TrainBuf;

/// What comes within this time is one batch.
const TICK: Duration = Duration::from_millis(1);
/// Interval of the receivers' feedback, as browsers have it.
pub const FEEDBACK: Duration = Duration::from_millis(100);
/// And of their reports.
pub const REPORT: Duration = Duration::from_millis(1_000);
const AUDIO: Duration = Duration::from_millis(20);

/// The address of the first of many clients: 127.1.0.1.
pub const FIRST_RECEIVER: u32 = 0x7f01_0001;

/// Who is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scene {
    /// Who send. Each also receives all others where `mesh` is set.
    pub publishers: usize,
    /// Who receive all publishers and send nothing.
    pub receivers: usize,
    /// Publishers receive, too.
    pub mesh: bool,
    /// Receivers tell arrivals each 100 ms and send reports each second; they are paced.
    pub browsers: bool,
    /// Who sit in a room of their own, in which nobody sends.
    pub idle: usize,
}

/// Counted of a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// RTP packets that publishers sent.
    pub sent: u64,
    /// RTP packets that left for receivers.
    pub delivered: u64,
    /// Other datagrams that left.
    pub control: u64,
}

/// A shard and its clients.
pub struct Way {
    shard: Shard,
    start: Instant,
    now: Instant,
    people: Vec<Person>,
    trains: TrainBuf,
    deadline: Option<Instant>,
    counts: Counts,
}

struct Person {
    addr: SocketAddr,
    source: Option<Source>,
    teller: Option<Teller>,
}

struct Source {
    publisher: Publisher,
    next_frame: Instant,
    next_audio: Instant,
}

/// A receiver as browsers are one: it tells what came and when.
pub struct Teller {
    srtp: SrtpSession,
    arrivals: Vec<(u16, i64)>,
    streams: Vec<(u32, u16)>,
    count: u8,
    next_feedback: Instant,
    next_report: Instant,
    plain: Vec<u8>,
}

impl Way {
    /// Everybody joined and keyed.
    ///
    /// # Errors
    /// When the shard cannot be made or refuses somebody.
    pub fn new(scene: Scene) -> Result<Self, Error> {
        let start = Instant::now();
        let mut shard = shard(start)?;
        let mut people = Vec::new();
        let active = scene.publishers + scene.receivers;
        let frame = Duration::from_secs(1) / FPS;
        for number in 0..active + scene.idle {
            let publishes = number < scene.publishers;
            let idle = number >= active;
            let slots = match () {
                () if publishes && !scene.mesh => 0,
                () if publishes => scene.publishers - 1,
                () if idle => 1,
                () => scene.publishers,
            };
            let tells = scene.browsers && slots > 0 && !idle;
            let offer = Offer { publishes, slots, tells };
            let room = RoomId(if idle { 2 } else { 1 });
            let ip = IpAddr::V4(Ipv4Addr::from(FIRST_RECEIVER + number as u32));
            let addr = SocketAddr::new(ip, 9);
            // Ids are not dense, as in a server.
            let id = number as u64 * 7 + 1;
            let profile = SrtpProfile::AeadAes128Gcm;
            let srtp = join(&mut shard, start, profile, (id, room), addr, offer)?;
            let share = |time: Duration| time.mul_f64(number as f64 / active.max(1) as f64);
            // The publisher's two ends share their keys but not what is counted of packets.
            let (_, other) = crate::media::sessions(profile, id);
            people.push(Person {
                addr,
                teller: tells.then(|| Teller::new(other, start, share(FEEDBACK), share(REPORT))),
                source: publishes.then(|| Source {
                    publisher: Publisher::new(srtp, VIDEO_BPS),
                    next_frame: start + share(frame),
                    next_audio: start + share(AUDIO),
                }),
            });
        }
        let deadline = drain(&mut shard);
        let trains = TrainBuf::default();
        let counts = Counts::default();
        Ok(Self { shard, start, now: start, people, trains, deadline, counts })
    }

    /// Lets so much time pass; what was counted in it. With `count`, what the shard does is done within
    /// `collected_way`, which a profiler can tell from the rest.
    pub fn run(&mut self, time: Duration, count: bool) -> Counts {
        self.counts = Counts::default();
        let end = self.now + time;
        let mut batch = Vec::new();
        while self.now < end {
            self.now += TICK;
            let now = self.now;
            batch.clear();
            for person in &mut self.people {
                person.due(now, &mut batch, &mut self.counts.sent);
            }
            let due = self.deadline.is_some_and(|at| at <= now);
            if !batch.is_empty() || due {
                self.batch(&batch, count);
            }
        }
        self.counts
    }

    fn batch(&mut self, batch: &[(SocketAddr, Vec<u8>)], count: bool) {
        let mut batch = batch;
        loop {
            let step = if count { collected_way } else { plain_way };
            let (deadline, again) = step(&mut self.shard, self.now, batch, &mut self.trains);
            self.deadline = deadline;
            self.deliver();
            if !again {
                return;
            }
            batch = &[];
        }
    }

    fn deliver(&mut self) {
        let arrival = i64::try_from((self.now - self.start).as_micros()).unwrap_or(0);
        for train in self.trains.trains() {
            for datagram in self.trains.datagrams(train) {
                if is_rtcp(datagram) {
                    self.counts.control += 1;
                    continue;
                }
                self.counts.delivered += 1;
                let IpAddr::V4(ip) = train.dst.ip() else { continue };
                let number = (u32::from(ip) - FIRST_RECEIVER) as usize;
                let person = self.people.get_mut(number);
                if let Some(teller) = person.and_then(|person| person.teller.as_mut()) {
                    teller.note(datagram, arrival);
                }
            }
        }
        self.trains.clear();
    }
}

/// RFC 5761 4: 192 to 223 in the second byte is RTCP.
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|second| (192..=223).contains(second))
}

/// What the shard does with one batch, under a name that profilers know. Gives when it wants to be
/// woken, and whether it wants to go on at once.
#[inline(never)]
fn collected_way(
    shard: &mut Shard,
    now: Instant,
    batch: &[(SocketAddr, Vec<u8>)],
    trains: &mut TrainBuf,
) -> (Option<Instant>, bool) {
    way(shard, now, batch, trains)
}

#[inline(never)]
fn plain_way(
    shard: &mut Shard,
    now: Instant,
    batch: &[(SocketAddr, Vec<u8>)],
    trains: &mut TrainBuf,
) -> (Option<Instant>, bool) {
    // Not the same function to the linker, which would give both one name.
    std::hint::black_box(trains.byte_len());
    way(shard, now, batch, trains)
}

#[inline(always)]
fn way(
    shard: &mut Shard,
    now: Instant,
    batch: &[(SocketAddr, Vec<u8>)],
    trains: &mut TrainBuf,
) -> (Option<Instant>, bool) {
    for (src, data) in batch {
        shard.handle_input(now, Input::Datagram { src: *src, dst: None, data });
    }
    shard.handle_input(now, Input::BatchEnd);
    let mut deadline = drain(shard);
    if deadline.is_some_and(|at| at <= now) {
        shard.handle_input(now, Input::Timeout);
        deadline = drain(shard);
    }
    shard.send_trains(|out| std::mem::swap(out, trains));
    (deadline, shard.wants_flush() || deadline.is_some_and(|at| at <= now))
}

impl Person {
    fn due(&mut self, now: Instant, batch: &mut Vec<(SocketAddr, Vec<u8>)>, sent: &mut u64) {
        let addr = self.addr;
        if let Some(source) = &mut self.source {
            while source.next_frame <= now {
                source.next_frame += Duration::from_secs(1) / FPS;
                let packets = source.publisher.frame();
                *sent += packets.len() as u64;
                batch.extend(packets.into_iter().map(|packet| (addr, packet)));
            }
            while source.next_audio <= now {
                source.next_audio += AUDIO;
                *sent += 1;
                batch.push((addr, source.publisher.audio()));
            }
        }
        if let Some(teller) = &mut self.teller {
            teller.due(now, |data| batch.push((addr, data)));
        }
    }
}

impl Teller {
    /// Its first feedback and report come so much later than `start`.
    #[must_use]
    pub fn new(srtp: SrtpSession, start: Instant, feedback: Duration, report: Duration) -> Self {
        Self {
            srtp,
            arrivals: Vec::new(),
            streams: Vec::new(),
            count: 0,
            next_feedback: start + FEEDBACK + feedback,
            next_report: start + REPORT + report,
            plain: Vec::new(),
        }
    }

    /// A packet came, so many microseconds after the beginning.
    pub fn note(&mut self, datagram: &[u8], arrival_us: i64) {
        if let Some(number) = wide_number(datagram) {
            self.arrivals.push((number, arrival_us));
        }
        let Ok(header) = parse_header(datagram) else { return };
        match self.streams.iter_mut().find(|(ssrc, _)| *ssrc == header.ssrc) {
            Some((_, highest)) => *highest = header.sequence_number,
            None => self.streams.push((header.ssrc, header.sequence_number)),
        }
    }

    /// Sends what is due.
    pub fn due(&mut self, now: Instant, mut send: impl FnMut(Vec<u8>)) {
        while self.next_feedback <= now {
            self.next_feedback += FEEDBACK;
            let mut arrivals = std::mem::take(&mut self.arrivals);
            // Numbers wrap; within one feedback they lie together.
            let first = arrivals.first().map_or(0, |arrival| arrival.0);
            arrivals.sort_by_key(|arrival| arrival.0.wrapping_sub(first).cast_signed());
            let Some(&(first, _)) = arrivals.first() else { continue };
            let span = arrivals.last().map_or(0, |last| last.0.wrapping_sub(first)) + 1;
            let mut statuses = vec![None; usize::from(span)];
            for (number, at) in &arrivals {
                statuses[usize::from(number.wrapping_sub(first))] = Some(*at);
            }
            let (mut base, mut rest) = (first, statuses.as_slice());
            while let Some(at) = rest.iter().find_map(|status| *status) {
                self.plain.clear();
                let time = rtcp::reference_time_64ms(at);
                let done = rtcp::write_transport_cc(
                    &mut self.plain,
                    1,
                    self.streams.first().map_or(0, |stream| stream.0),
                    base,
                    time,
                    self.count,
                    rest,
                );
                self.count = self.count.wrapping_add(1);
                self.seal(&mut send);
                base = base.wrapping_add(done as u16);
                rest = &rest[done..];
            }
            arrivals.clear();
            self.arrivals = arrivals;
        }
        while self.next_report <= now {
            self.next_report += REPORT;
            let blocks: Vec<ReportBlock> =
                self.streams.iter().map(|stream| block(*stream)).collect();
            for blocks in blocks.chunks(31) {
                self.plain.clear();
                rtcp::write_receiver_report(&mut self.plain, 1, blocks);
                self.seal(&mut send);
            }
        }
    }

    fn seal(&mut self, send: &mut impl FnMut(Vec<u8>)) {
        let mut out = vec![0; self.plain.len() + self.srtp.rtcp_overhead()];
        if let Some(len) = self.srtp.seal_rtcp(&self.plain, &mut out) {
            out.truncate(len);
            send(out);
        }
    }
}

fn block((ssrc, highest): (u32, u16)) -> ReportBlock {
    ReportBlock {
        ssrc,
        fraction_lost: 0,
        cumulative_lost: 0,
        ext_highest_seq: u32::from(highest),
        jitter: 10,
        last_sr: 0,
        delay_since_last_sr: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(scene: Scene, warm_up: u64) -> Counts {
        let mut way = Way::new(scene).unwrap();
        way.run(Duration::from_secs(warm_up), false);
        way.run(Duration::from_secs(1), true)
    }

    #[test]
    fn everybody_gets_everything() {
        // 30 frames of four packets and 50 of sound.
        let one = counts(Scene { publishers: 1, receivers: 10, ..Scene::default() }, 1);
        assert_eq!((one.sent, one.delivered), (170, 1_700));
        let mesh = counts(Scene { publishers: 5, mesh: true, ..Scene::default() }, 1);
        assert_eq!((mesh.sent, mesh.delivered), (850, 3_400));
    }

    #[test]
    fn receivers_that_tell_get_everything_once_their_paths_are_known() {
        let scene = Scene { publishers: 2, receivers: 3, browsers: true, ..Scene::default() };
        let counts = counts(scene, 8);
        // Padding of probes comes beside.
        assert!(counts.delivered >= 340 * 3, "{counts:?}");
        assert_eq!(counts.sent, 340);
    }
}
