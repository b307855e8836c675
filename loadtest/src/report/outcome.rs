//! What came of a run, all figures in one value: its serialization is the JSON report.

mod figures;

use super::diary::{Diary, Point};
use super::{RunFacts, Threshold, html, table};
use crate::measure::{Counters, People, Sample};
use crate::plan::Verify;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// Of the JSON: grows when a field goes or means another thing, not when one is added.
pub const FORMAT: u32 = 1;

/// What came of a run. Where a figure was not measured it is `None`, `null` in the JSON: never 0.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Version of this format: [`FORMAT`].
    pub format: u32,
    /// Circumstances.
    pub facts: Facts,
    /// Packets and frames, over the steady seconds.
    pub media: Media,
    /// Send time in the payload to arrival, over the steady seconds.
    pub added_delay: Option<Spread>,
    /// Joining, over the whole run.
    pub joins: Joins,
    /// The server, over the steady seconds; with `--server-pid`.
    pub server: Option<Server>,
    /// This program itself, over the steady seconds.
    pub own: Own,
    /// Video streams received by lines of height, at the last steady second.
    pub by_height: BTreeMap<u16, u32>,
    /// Stages in their order; figures over their steady seconds.
    pub stages: Vec<StageLine>,
    /// Roles by name; over the whole run.
    pub roles: Vec<RoleLine>,
    /// Why people failed.
    pub failures: Vec<Failure>,
    /// Thresholds of the scenario.
    pub thresholds: Vec<Verdict>,
    /// Added delays over the steady seconds: upper bound in microseconds and packets, 20 to a decade.
    pub delay_histogram: Vec<(u64, u64)>,
    /// Second by second.
    pub series: Vec<Point>,
}

/// Circumstances of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// `weir-load` and its version.
    pub tool: String,
    /// The scenario's name.
    pub scenario: String,
    /// Against what.
    pub target: String,
    /// The command line.
    pub command: Vec<String>,
    /// RFC 3339, UTC.
    pub started: String,
    /// Processor model.
    pub cpu: String,
    /// Kernel release.
    pub kernel: String,
    /// Cores that this program may use.
    pub cores: usize,
    /// Its worker threads.
    pub threads: usize,
    /// How packets were looked at.
    pub verify: Verify,
    /// Watched processes.
    pub server_pids: Vec<u32>,
    /// Length of the whole run.
    pub seconds: f64,
    /// Length of what counts.
    pub steady_seconds: f64,
}

/// Packets and frames over the steady seconds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Media {
    /// `expected - lost`.
    pub delivered_packets: u64,
    /// `delivered / expected`.
    pub delivered_share: Option<f64>,
    /// `lost / expected`.
    pub loss: Option<f64>,
    /// `missing / (delivered + missing)` by the numbers in the payload; `None` when no packet was opened.
    pub stamped_loss: Option<f64>,
    /// Received packets a second.
    pub received_packets_per_s: Option<f64>,
    /// Received bits a second.
    pub received_bps: Option<f64>,
    /// Sent packets a second.
    pub sent_packets_per_s: Option<f64>,
    /// Sent bits a second.
    pub sent_bps: Option<f64>,
    /// Whole frames a second and video stream.
    pub frames_per_stream_s: Option<f64>,
    /// Freezes a minute and video stream.
    pub freezes_per_stream_minute: Option<f64>,
    /// `freezes`.
    pub freezes: u64,
    /// `switches`.
    pub switches: u64,
    /// `corrupt_packets`.
    pub corrupt_packets: u64,
    /// Everything that was counted.
    pub counted: Counters,
}

/// How a measured time is spread, in microseconds, to three digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Measurements.
    pub count: u64,
    /// Arithmetic mean.
    pub mean_us: f64,
    /// Median.
    pub p50_us: u64,
    /// 95th percentile.
    pub p95_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Largest.
    pub max_us: u64,
}

impl Spread {
    /// `None` without measurements.
    #[must_use]
    pub fn of(times: &Histogram<u64>) -> Option<Self> {
        (!times.is_empty()).then(|| Self {
            count: times.len(),
            mean_us: times.mean(),
            p50_us: times.value_at_quantile(0.5),
            p95_us: times.value_at_quantile(0.95),
            p99_us: times.value_at_quantile(0.99),
            max_us: times.max(),
        })
    }
}

/// Joining, over the whole run; all times from the first word to the server.
#[derive(Debug, Clone, Serialize)]
pub struct Joins {
    /// People asked to join.
    pub started: u32,
    /// Who were in the meeting, or left it by plan.
    pub succeeded: u32,
    /// Who could not join, or lost their connection.
    pub failed: u32,
    /// Most at once.
    pub present_max: u32,
    /// To the answer.
    pub signalling: Option<Spread>,
    /// To keys.
    pub connected: Option<Spread>,
    /// To the first packet of media.
    pub first_packet: Option<Spread>,
    /// To the first whole key frame.
    pub first_key_frame: Option<Spread>,
}

impl Joins {
    /// Who was still joining when the run ended.
    #[must_use]
    pub fn unfinished(&self) -> u32 {
        self.started.saturating_sub(self.succeeded).saturating_sub(self.failed)
    }
}

/// What the server cost over the steady seconds.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    /// Cores kept busy.
    pub cpu_cores: Option<f64>,
    /// Of a core, its busiest thread in its busiest second.
    pub busiest_thread_max: Option<f64>,
    /// Microseconds of CPU a received packet.
    pub cpu_us_per_packet: Option<f64>,
    /// Received packets a second of CPU.
    pub packets_per_cpu_s: Option<f64>,
    /// Largest resident memory of the whole run.
    pub rss_max_bytes: u64,
    /// Resident memory before anybody was asked to join.
    pub rss_before_bytes: Option<u64>,
    /// Resident memory at the last steady second.
    pub rss_steady_bytes: Option<u64>,
    /// Growth between these two for each person present then; negative where memory was given back.
    pub rss_per_participant_bytes: Option<f64>,
}

/// What this program cost over the steady seconds, and whether it was too slow.
#[derive(Debug, Clone, Serialize)]
pub struct Own {
    /// Cores kept busy.
    pub cpu_cores: Option<f64>,
    /// Of the cores that it can have: the smaller of worker threads + 1 and [`Facts::cores`].
    pub cpu_share: Option<f64>,
    /// Cores for which threads waited, ready to run.
    pub waited_cores: Option<f64>,
    /// Share of the steady seconds in which a thread was busy for more than 85 %.
    pub busy_share: Option<f64>,
    /// Share of the steady seconds with a frame that left more than 10 ms late.
    pub late_share: Option<f64>,
    /// Largest resident memory of the whole run.
    pub rss_max_bytes: u64,
    /// Datagrams that our sockets dropped.
    pub drops: u64,
    /// Frames that left more than 10 ms late.
    pub late_frames: u64,
    /// Why the figures may tell of this program rather than of the server; empty when they do not.
    pub bottleneck: Vec<String>,
}

/// A stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageLine {
    /// Its name.
    pub name: String,
    /// Its length.
    pub seconds: f64,
    /// What of it counts.
    pub steady_seconds: f64,
    /// At its end.
    pub people: People,
    /// Received packets a second.
    pub received_packets_per_s: Option<f64>,
    /// Received bits a second.
    pub received_bps: Option<f64>,
    /// As of [`Media`].
    pub loss: Option<f64>,
    /// As of [`Outcome`].
    pub added_delay: Option<Spread>,
    /// Freezes.
    pub freezes: u64,
    /// The server's cores.
    pub server_cpu_cores: Option<f64>,
    /// The server's microseconds of CPU a received packet.
    pub server_cpu_us_per_packet: Option<f64>,
    /// The server's resident memory at its end.
    pub server_rss_bytes: Option<u64>,
}

/// A role, over the whole run.
#[derive(Debug, Clone, Serialize)]
pub struct RoleLine {
    /// Its name.
    pub name: String,
    /// As of [`Media`].
    pub loss: Option<f64>,
    /// Send to arrival.
    pub added_delay: Option<Spread>,
    /// Joining to keys.
    pub connected: Option<Spread>,
    /// Joining to the first packet.
    pub first_packet: Option<Spread>,
    /// Joining to the first whole key frame.
    pub first_key_frame: Option<Spread>,
    /// Everything that was counted.
    pub counted: Counters,
}

/// A reason with how many it befell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Why.
    pub reason: String,
    /// How many people.
    pub people: u32,
}

/// A threshold and how it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// As it was written.
    pub threshold: String,
    /// What was measured, in the base unit of the figure; `None`: nothing, and it is missed.
    pub value: Option<f64>,
    /// The same with its unit.
    pub shown: String,
    /// Whether it was met.
    pub met: bool,
}

impl Outcome {
    /// Of these samples, oldest first.
    #[must_use]
    pub fn of(facts: &RunFacts, samples: &[Sample]) -> Self {
        Self::of_diary(facts, &Diary::of(samples))
    }

    /// Of a diary.
    #[must_use]
    pub fn of_diary(facts: &RunFacts, diary: &Diary) -> Self {
        let mut failures: Vec<Failure> = facts
            .failures
            .iter()
            .map(|(reason, people)| Failure { reason: reason.clone(), people: *people })
            .collect();
        failures.sort_by(|a, b| b.people.cmp(&a.people).then_with(|| a.reason.cmp(&b.reason)));
        let steady = diary.points().iter().rev().find(|point| point.steady);
        let mut outcome = Self {
            format: FORMAT,
            facts: Facts::of(facts, diary),
            media: Media::of(&diary.steady),
            added_delay: Spread::of(&diary.steady.added),
            joins: Joins::of(diary),
            server: Server::of(facts, diary),
            own: Own::of(facts, diary),
            by_height: steady.map(|point| point.by_height.clone()).unwrap_or_default(),
            stages: diary.stages.iter().map(StageLine::of).collect(),
            roles: facts.per_role.iter().map(|(name, all)| RoleLine::of(name, all)).collect(),
            failures,
            thresholds: Vec::new(),
            delay_histogram: figures::log_buckets(&diary.steady.added),
            series: diary.points().to_vec(),
        };
        outcome.thresholds = facts.thresholds.iter().map(|one| outcome.verdict(one)).collect();
        outcome
    }

    /// What of these thresholds was missed, each as a sentence; empty when all were met. What was not measured is
    /// missed.
    #[must_use]
    pub fn check(&self, thresholds: &[Threshold]) -> Vec<String> {
        let verdicts = thresholds.iter().map(|one| self.verdict(one));
        verdicts.filter(|verdict| !verdict.met).map(|verdict| verdict.sentence()).collect()
    }

    /// The thresholds of [`RunFacts`] that were missed.
    #[must_use]
    pub fn missed(&self) -> Vec<String> {
        self.thresholds.iter().filter(|one| !one.met).map(Verdict::sentence).collect()
    }

    /// Aligned lines of at most 100 columns, for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        table::table(self)
    }

    /// Format 1 of docs/loadtest.md, indented.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_else(|error| {
            // Maps have numbers and strings for keys, and nothing here fails by itself.
            unreachable!("an outcome is serializable: {error}")
        })
    }

    /// One page that opens without network.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// Counts are measured only if something counted.
    pub(super) fn if_steady(&self, count: u64) -> Option<f64> {
        (self.facts.steady_seconds > 0.0).then_some(count as f64)
    }

    pub(super) fn if_joined(&self, count: u32) -> Option<f64> {
        (self.joins.started > 0).then_some(f64::from(count))
    }

    fn verdict(&self, threshold: &Threshold) -> Verdict {
        let (value, met) = threshold.judge(self);
        let shown = threshold.show(value);
        Verdict { threshold: threshold.text().to_owned(), value, shown, met }
    }
}

impl Verdict {
    fn sentence(&self) -> String {
        format!("{}: {}", self.threshold, self.shown)
    }
}

#[cfg(test)]
mod tests;
