//! The run second by second, small enough to be kept whole.

use crate::measure::{Counters, Delays, People, ProcessCost, Sample};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Most points kept, and drawn; with more, neighbours are put together. 4096 seconds are 68 minutes, and at some 600
/// bytes a point 2.4 MB.
pub(super) const MAX_POINTS: usize = 4_096;

/// Most stages told apart; the histogram of each takes about 130 KB. What comes later is added to the last.
pub(super) const MAX_STAGES: usize = 100;

/// Of a shorter time no rates are told: a few packets in a few milliseconds look like a flood. It is added to the
/// point before.
pub(super) const SHORTEST_S: f64 = 0.3;

/// What happened between a sample and the one before it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Point {
    /// End, in seconds since the start of the run.
    pub at_s: f64,
    /// Its length in seconds.
    pub seconds: f64,
    /// Name of the stage.
    pub stage: String,
    /// Whether it counts.
    pub steady: bool,
    /// People at its end.
    pub people: People,
    /// Connections with keys at its end.
    pub connected: u32,
    /// Video streams received at its end.
    pub streams: u32,
    /// Video streams by lines of height at its end.
    pub by_height: BTreeMap<u16, u32>,
    /// Counted in it.
    pub counted: Counters,
    /// Added delay in microseconds, `None` without measured packets; of points put together, the mean of medians and
    /// the largest of the others.
    pub delay_p50_us: Option<u64>,
    /// 99th percentile.
    pub delay_p99_us: Option<u64>,
    /// Largest.
    pub delay_max_us: Option<u64>,
    /// The server.
    pub server: Option<Usage>,
    /// Ourselves.
    pub own: Usage,
}

/// What a process used in a point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Cores that it kept busy.
    pub cores: f64,
    /// Share of a core of its busiest thread.
    pub busiest: f64,
    /// Cores for which its threads waited, ready to run.
    pub waited: f64,
    /// Resident memory at the end, in bytes.
    pub rss_bytes: u64,
}

/// Sums over seconds that belong together.
#[derive(Debug, Clone)]
pub(super) struct Total {
    pub(super) seconds: f64,
    pub(super) counted: Counters,
    pub(super) added: Histogram<u64>,
    /// Stream seconds: video streams times seconds.
    pub(super) stream_seconds: f64,
    /// The server's CPU, where it was measured.
    pub(super) server_micros: u64,
    /// Packets received and seconds in these seconds.
    pub(super) server_packets: u64,
    pub(super) server_seconds: f64,
    pub(super) own_micros: u64,
    pub(super) own_waited_micros: u64,
    /// Seconds in which one of our threads was busy nearly always, or all of them together.
    pub(super) busy_seconds: f64,
    /// Seconds with a frame of ours that left late.
    pub(super) late_seconds: f64,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            seconds: 0.0,
            counted: Counters::default(),
            added: Delays::default().added,
            stream_seconds: 0.0,
            server_micros: 0,
            server_packets: 0,
            server_seconds: 0.0,
            own_micros: 0,
            own_waited_micros: 0,
            busy_seconds: 0.0,
            late_seconds: 0.0,
        }
    }
}

/// One stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage {
    pub(super) name: String,
    /// Of all its seconds.
    pub(super) seconds: f64,
    /// Of the steady ones.
    pub(super) steady: Total,
    pub(super) people: People,
    pub(super) server_rss: Option<u64>,
}

/// The run so far.
#[derive(Debug, Clone, Default)]
pub struct Diary {
    /// All of it, oldest first, at most 4096.
    points: Vec<Point>,
    /// Samples put together in one point.
    merge: u32,
    merged: u32,
    last: Option<Sample>,
    pub(super) steady: Total,
    pub(super) stages: Vec<Stage>,
    /// The server before the first person was asked to join, if it was seen then.
    pub(super) server_before: Option<ProcessCost>,
    pub(super) server_rss_max: Option<u64>,
    pub(super) own_rss_max: u64,
    pub(super) present_max: u32,
    /// Resident memory of the server and people present, at the last steady second.
    pub(super) server_at_steady: Option<(u64, u32)>,
}

impl Diary {
    /// A diary of these samples, oldest first.
    #[must_use]
    pub fn of(samples: &[Sample]) -> Self {
        let mut diary = Self::default();
        samples.iter().for_each(|sample| diary.add(sample));
        diary
    }

    /// The next sample. One that is not later than the one before is left out.
    pub fn add(&mut self, sample: &Sample) {
        let begin = self.last.as_ref().map_or(Duration::ZERO, |last| last.at);
        let first = self.last.is_none();
        let seconds = sample.at.saturating_sub(begin).as_secs_f64();
        if seconds > 0.0 {
            let point = Point::between(self.last.as_ref(), sample);
            self.sum(sample, &point);
            self.keep(point);
        } else if !first {
            return;
        }
        self.note(sample);
        // What was counted since is not looked at again, and large.
        let mut last = sample.clone();
        last.media.added_since = None;
        self.last = Some(last);
    }

    /// Whether anybody was ever in a meeting.
    #[must_use]
    pub fn saw_anybody(&self) -> bool {
        self.present_max > 0
    }

    /// Second by second; put together where there were more than 4096.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The latest sample, without its `added_since`.
    pub(super) fn last(&self) -> Option<&Sample> {
        self.last.as_ref()
    }

    /// Adds up what is steady.
    fn sum(&mut self, sample: &Sample, point: &Point) {
        let known = self.stages.iter().rposition(|stage| stage.name == sample.stage);
        let index = known.unwrap_or_else(|| {
            if self.stages.len() < MAX_STAGES {
                self.stages.push(Stage { name: sample.stage.clone(), ..Stage::default() });
            }
            self.stages.len() - 1
        });
        let own_before = self.last.as_ref().map(|last| last.own).unwrap_or_default();
        if let Some(stage) = self.stages.get_mut(index) {
            stage.seconds += point.seconds;
            stage.people = point.people;
            stage.server_rss = sample.server.map(|server| server.rss_bytes);
            if point.steady {
                stage.steady.add(sample, point, own_before);
            }
        }
        if point.steady {
            self.steady.add(sample, point, own_before);
            self.server_at_steady =
                sample.server.map(|server| (server.rss_bytes, sample.people.present));
        }
    }

    fn note(&mut self, sample: &Sample) {
        if sample.people.started == 0 && sample.server.is_some() {
            self.server_before = sample.server;
        }
        let server = sample.server.map(|server| server.rss_bytes);
        self.server_rss_max = self.server_rss_max.max(server);
        self.own_rss_max = self.own_rss_max.max(sample.own.rss_bytes);
        self.present_max = self.present_max.max(sample.people.present);
    }

    fn keep(&mut self, point: Point) {
        self.merge = self.merge.max(1);
        if self.merged == 0 || self.merged >= self.merge && point.seconds >= SHORTEST_S {
            self.points.push(point);
            self.merged = 1;
        } else if let Some(last) = self.points.last_mut() {
            last.join(point);
            self.merged += 1;
        }
        if self.points.len() > MAX_POINTS {
            let points = std::mem::take(&mut self.points);
            for (index, point) in points.into_iter().enumerate() {
                match self.points.last_mut() {
                    Some(last) if index % 2 == 1 => last.join(point),
                    _ => self.points.push(point),
                }
            }
            self.merge *= 2;
        }
    }
}

impl Total {
    fn add(&mut self, sample: &Sample, point: &Point, own_before: ProcessCost) {
        self.seconds += point.seconds;
        self.counted.add(&point.counted);
        if let Some(added) = &sample.media.added_since {
            let fits = self.added.add(added).is_ok();
            debug_assert!(fits, "all delays have the same bounds");
        }
        self.stream_seconds += f64::from(point.streams) * point.seconds;
        if let Some(server) = point.server {
            self.server_micros += (server.cores * point.seconds * 1e6).round() as u64;
            self.server_packets += point.counted.received_packets;
            self.server_seconds += point.seconds;
        }
        let own = sample.own;
        self.own_micros += grown(own_before.cpu_micros, own.cpu_micros);
        self.own_waited_micros += own.waited_micros.saturating_sub(own_before.waited_micros);
        if point.own.busiest > super::BUSY {
            self.busy_seconds += point.seconds;
        }
        if point.counted.late_frames > 0 {
            self.late_seconds += point.seconds;
        }
    }
}

impl Point {
    /// What happened from the sample before, or from the start, to this one.
    pub(super) fn between(last: Option<&Sample>, sample: &Sample) -> Self {
        let begin = last.map_or(Duration::ZERO, |last| last.at);
        let seconds = sample.at.saturating_sub(begin).as_secs_f64();
        let zero = Counters::default();
        let before = last.map_or(&zero, |last| &last.media.counters);
        let delays = sample.media.added_since.as_ref().filter(|delays| !delays.is_empty());
        Self {
            at_s: sample.at.as_secs_f64(),
            seconds,
            stage: sample.stage.clone(),
            steady: sample.steady,
            people: sample.people,
            connected: sample.media.connected,
            streams: sample.media.streams,
            by_height: sample.media.by_height.clone(),
            counted: sample.media.counters.since(before),
            delay_p50_us: delays.map(|delays| delays.value_at_quantile(0.5)),
            delay_p99_us: delays.map(|delays| delays.value_at_quantile(0.99)),
            delay_max_us: delays.map(Histogram::max),
            server: sample.server.and_then(|now| Some(usage(last?.server?, now, seconds))),
            own: last.map_or_else(
                || Usage { rss_bytes: sample.own.rss_bytes, ..Usage::default() },
                |last| usage(last.own, sample.own, seconds),
            ),
        }
    }

    /// A count of it a second.
    pub(super) fn rate(&self, count: u64) -> f64 {
        if self.seconds > 0.0 { count as f64 / self.seconds } else { 0.0 }
    }

    /// Becomes both together; the other follows directly.
    fn join(&mut self, next: Self) {
        let seconds = self.seconds + next.seconds;
        let mean = |a: f64, b: f64| (a * self.seconds + b * next.seconds) / seconds;
        // A few milliseconds have extremes that no second has.
        let brief = next.seconds < SHORTEST_S;
        let median = match (self.delay_p50_us, next.delay_p50_us) {
            (Some(a), Some(b)) => Some(mean(a as f64, b as f64).round() as u64),
            (a, b) => a.or(b),
        };
        let largest = |a: Option<u64>, b: Option<u64>| if brief { a.or(b) } else { a.max(b) };
        let both = |a: Usage, b: Usage| Usage {
            cores: mean(a.cores, b.cores),
            busiest: if brief { a.busiest } else { a.busiest.max(b.busiest) },
            waited: mean(a.waited, b.waited),
            rss_bytes: b.rss_bytes,
        };
        let mut counted = std::mem::take(&mut self.counted);
        counted.add(&next.counted);
        *self = Self {
            at_s: next.at_s,
            seconds,
            stage: next.stage,
            steady: self.steady && next.steady,
            people: next.people,
            connected: next.connected,
            streams: next.streams,
            by_height: next.by_height,
            counted,
            delay_p50_us: median,
            delay_p99_us: largest(self.delay_p99_us, next.delay_p99_us),
            delay_max_us: self.delay_max_us.max(next.delay_max_us),
            server: match (self.server, next.server) {
                (Some(a), Some(b)) => Some(both(a, b)),
                (a, b) => b.or(a),
            },
            own: both(self.own, next.own),
        };
    }
}

fn usage(before: ProcessCost, now: ProcessCost, seconds: f64) -> Usage {
    let micros = seconds.max(1e-6) * 1e6;
    Usage {
        cores: grown(before.cpu_micros, now.cpu_micros) as f64 / micros,
        busiest: now.busiest_micros as f64 / micros,
        waited: now.waited_micros.saturating_sub(before.waited_micros) as f64 / micros,
        rss_bytes: now.rss_bytes,
    }
}

/// What a counter grew by; one that is smaller than before has begun anew.
fn grown(before: u64, now: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

#[cfg(test)]
mod tests;
