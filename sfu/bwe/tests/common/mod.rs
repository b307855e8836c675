//! A leg, a source that follows its estimate, a path, and a receiver that reports.

mod link;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use weir_bwe::{Leg, LegConfig, SentKind};
use weir_wire::rtcp::{self, RtcpPacket};

pub use link::{Link, Path, Random};

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Bytes of a full packet.
const PACKET: usize = 1_200;
/// The receiver's clock is another.
const RECEIVER_CLOCK_US: i64 = 77_000_123;

/// What the source makes of the estimate.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// Follows up to a rate, bit/s.
    Follows(f64),
    /// Sends so much whatever the estimate.
    Fixed(f64),
    /// The highest of three layers that fits.
    Layers([f64; 3]),
}

/// What one step (1 ms) of all is summed up in, once a second.
#[derive(Debug, Clone, Copy, Default)]
pub struct Second {
    pub estimate: f64,
    pub sent: f64,
    pub received: f64,
    /// Longest wait in the bottleneck.
    pub queue: Duration,
    pub padding: f64,
}

pub struct World {
    pub leg: Leg,
    pub link: Link,
    pub source: Source,
    pub now: Duration,
    pub seconds: Vec<Second>,
    /// The receiver sends transport-wide feedback.
    pub feedback: bool,
    pub feedback_interval: Duration,
    /// Each feedback comes twice.
    pub repeat_feedback: bool,
    start: Instant,
    seq: u16,
    frame_at: Duration,
    tick_at: Duration,
    feedback_at: Duration,
    random: Random,
    /// Sizes waiting for the pacer.
    queue: VecDeque<usize>,
    /// By arrival: unwrapped sequence number and bytes.
    in_flight: BTreeMap<(Duration, u64), usize>,
    sent: u64,
    arrivals: BTreeMap<u64, Duration>,
    reported: u64,
    highest: u64,
    reports: VecDeque<(Duration, Vec<u8>)>,
    second: Second,
    fb_count: u8,
    pub estimates: Vec<(Duration, u64)>,
}

impl World {
    pub fn new(path: Path, source: Source, seed: u64) -> Self {
        Self::with(path, source, seed, LegConfig::default(), 0)
    }

    pub fn with(path: Path, source: Source, seed: u64, config: LegConfig, seq: u16) -> Self {
        let start = Instant::now();
        let mut leg = Leg::new(start, config);
        leg.enable_feedback();
        Self {
            leg,
            link: Link::new(path, seed),
            source,
            now: Duration::ZERO,
            seconds: Vec::new(),
            feedback: true,
            feedback_interval: ms(100),
            repeat_feedback: false,
            start,
            seq,
            frame_at: Duration::ZERO,
            tick_at: Duration::ZERO,
            feedback_at: Duration::ZERO,
            random: Random(seed ^ 0x5eed),
            queue: VecDeque::new(),
            in_flight: BTreeMap::new(),
            sent: 0,
            arrivals: BTreeMap::new(),
            reported: 0,
            highest: 0,
            reports: VecDeque::new(),
            second: Second::default(),
            fb_count: 0,
            estimates: Vec::new(),
        }
    }

    pub fn instant(&self) -> Instant {
        self.start + self.now
    }

    /// The sequence number of the next packet.
    pub fn next_seq(&self) -> u16 {
        self.seq
    }

    pub fn estimate(&self) -> f64 {
        self.leg.estimate_bps() as f64
    }

    /// Mean of the estimate over the last `n` seconds.
    pub fn mean_estimate(&self, n: usize) -> f64 {
        let last = &self.seconds[self.seconds.len() - n..];
        last.iter().map(|second| second.estimate).sum::<f64>() / n as f64
    }

    pub fn mean_received(&self, n: usize) -> f64 {
        let last = &self.seconds[self.seconds.len() - n..];
        last.iter().map(|second| second.received).sum::<f64>() / n as f64
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    /// Runs until the estimate is at least `bps`, at most `time`.
    pub fn until_estimate(&mut self, bps: f64, time: Duration) -> Option<Duration> {
        let begin = self.now;
        while self.now < begin + time {
            self.step();
            if self.estimate() >= bps {
                return Some(self.now - begin);
            }
        }
        None
    }

    fn step(&mut self) {
        let now = self.instant();
        self.receive();
        while self.reports.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, bytes) = self.reports.pop_front().unwrap();
            for packet in rtcp::packets(&bytes) {
                if let Ok(RtcpPacket::TransportCc(feedback)) = packet {
                    self.leg.on_feedback(now, &feedback);
                    if self.repeat_feedback {
                        self.leg.on_feedback(now, &feedback);
                    }
                }
            }
        }
        if self.leg.next_timeout(now).is_some_and(|(at, _)| at <= now) {
            self.leg.handle_timeout(now);
        }
        self.make_frame();
        if self.now >= self.tick_at {
            self.tick_at = self.now + ms(5);
            self.send_probe();
            self.drain();
        }
        let estimate = self.leg.estimate_bps();
        if self.estimates.last().is_none_or(|(_, bps)| *bps != estimate) {
            self.estimates.push((self.now, estimate));
        }
        self.second.estimate += estimate as f64 / 1_000.0;
        self.second.queue = self.second.queue.max(self.link.queued(self.now));
        self.now += ms(1);
        if self.now.as_millis().is_multiple_of(1_000) {
            self.seconds.push(std::mem::take(&mut self.second));
        }
    }

    fn make_frame(&mut self) {
        if self.now < self.frame_at {
            return;
        }
        let interval = Duration::from_micros(33_333);
        self.frame_at = self.now + interval;
        let estimate = self.estimate();
        let (rate, wanted) = match self.source {
            Source::Follows(most) => (most.min(estimate * 0.95), most),
            Source::Fixed(rate) => (rate, rate),
            Source::Layers(layers) => {
                let fits = layers.iter().rev().find(|layer| **layer * 1.05 <= estimate);
                (*fits.unwrap_or(&layers[0]), layers[2] * 1.1)
            }
        };
        self.leg.set_wanted(wanted as u64);
        // Frames vary by a quarter.
        let vary = 0.75 + 0.5 * self.random.share();
        let mut bytes = (rate * interval.as_secs_f64() / 8.0 * vary) as usize;
        while bytes > 0 {
            let packet = bytes.min(PACKET);
            self.queue.push_back(packet.max(60));
            bytes -= packet;
        }
        self.drain();
    }

    fn drain(&mut self) {
        let now = self.instant();
        while let Some(bytes) = self.queue.front().copied() {
            if self.leg.pacer().budget(now) == 0 {
                break;
            }
            self.queue.pop_front();
            self.leg.pacer().consume(now, bytes as u32);
            self.send(bytes, SentKind::Media);
        }
    }

    fn send_probe(&mut self) {
        let now = self.instant();
        let Some(probe) = self.leg.probe(now) else { return };
        let mut left = probe.bytes as usize;
        while left > 0 {
            let media = self.queue.pop_front();
            let bytes = media.unwrap_or(1_000);
            if media.is_none() {
                self.second.padding += bytes as f64 * 8.0;
            }
            self.send(bytes, SentKind::Probe { cluster: probe.cluster });
            left = left.saturating_sub(bytes);
        }
    }

    fn send(&mut self, bytes: usize, kind: SentKind) {
        self.second.sent += bytes as f64 * 8.0;
        self.leg.on_sent(self.instant(), self.seq, bytes as u32, kind);
        self.seq = self.seq.wrapping_add(1);
        if let Some(arrival) = self.link.send(self.now, bytes) {
            self.in_flight.insert((arrival, self.sent), bytes);
        }
        self.sent += 1;
    }

    fn receive(&mut self) {
        while let Some(entry) = self.in_flight.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let ((at, number), bytes) = entry.remove_entry();
            self.second.received += bytes as f64 * 8.0;
            self.arrivals.insert(number, at);
            self.highest = self.highest.max(number + 1);
            // As libwebrtc does: a late packet is told of, with all behind it.
            self.reported = self.reported.min(number);
        }
        if self.now < self.feedback_at || !self.feedback {
            return;
        }
        self.feedback_at = self.now + self.feedback_interval;
        // The sequence number of packet 0.
        let zero = self.seq.wrapping_sub(self.sent as u16);
        let mut from = self.reported;
        while from < self.highest {
            let until = self.highest.min(from + 600);
            let list: Vec<Option<i64>> = (from..until)
                .map(|number| {
                    self.arrivals
                        .get(&number)
                        .map(|at| i64::try_from(at.as_micros()).unwrap() + RECEIVER_CLOCK_US)
                })
                .collect();
            let first = list.iter().flatten().next().copied().unwrap_or(0);
            let reference = rtcp::reference_time_64ms(first);
            let mut bytes = Vec::new();
            let base = zero.wrapping_add(from as u16);
            let covered =
                rtcp::write_transport_cc(&mut bytes, 1, 2, base, reference, self.fb_count, &list);
            self.fb_count = self.fb_count.wrapping_add(1);
            if covered == 0 {
                break;
            }
            self.reports.push_back((self.now + self.link.path.rtt / 2, bytes));
            from += covered as u64;
        }
        self.reported = self.highest;
        let old = self.highest.saturating_sub(3_000);
        self.arrivals = self.arrivals.split_off(&old);
    }
}
