//! Figures out of a diary.

use super::{Facts, Joins, Media, Own, RoleLine, Server, Spread, StageLine};
use crate::measure::{Counters, Snapshot};
use crate::report::diary::{Diary, Stage, Total};
use crate::report::{BUSY, RunFacts, TOLERATED};
use hdrhistogram::Histogram;

impl Facts {
    pub(super) fn of(facts: &RunFacts, diary: &Diary) -> Self {
        let started = facts.started.to_offset(time::UtcOffset::UTC);
        let format = time::format_description::well_known::Rfc3339;
        Self {
            tool: format!("weir-load {}", env!("CARGO_PKG_VERSION")),
            scenario: facts.scenario.clone(),
            target: facts.target.clone(),
            command: facts.command.clone(),
            started: started
                .replace_nanosecond(0)
                .unwrap_or(started)
                .format(&format)
                .unwrap_or_default(),
            cpu: facts.cpu.clone(),
            kernel: facts.kernel.clone(),
            cores: facts.cores,
            threads: facts.threads,
            verify: facts.verify,
            server_pids: facts.server_pids.clone(),
            seconds: diary.last().map_or(0.0, |last| last.at.as_secs_f64()),
            steady_seconds: diary.steady.seconds,
        }
    }
}

/// Late frames in fewer seconds are forgiven, however short the run was.
const LATE_SECONDS: f64 = 3.0;

/// Cores that our threads waited for above which somebody else is busy here.
const WAITED: f64 = 0.3;

/// `part / whole`, if there is a whole.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn loss(counted: &Counters) -> Option<f64> {
    ratio(
        counted.lost_packets.min(counted.expected_packets) as f64,
        counted.expected_packets as f64,
    )
}

impl Media {
    pub(super) fn of(total: &Total) -> Self {
        let Total { seconds, counted, stream_seconds, .. } = total;
        let rate = |count: u64| ratio(count as f64, *seconds);
        let delivered = counted.expected_packets.saturating_sub(counted.lost_packets);
        let missing = counted.stamped_missing;
        let looked = counted.verified_packets + missing > 0;
        Self {
            delivered_packets: delivered,
            delivered_share: loss(counted).map(|loss| 1.0 - loss),
            loss: loss(counted),
            stamped_loss: ratio(missing as f64, (delivered + missing) as f64).filter(|_| looked),
            received_packets_per_s: rate(counted.received_packets),
            received_bps: rate(counted.received_bytes).map(|bytes| bytes * 8.0),
            sent_packets_per_s: rate(counted.sent_packets),
            sent_bps: rate(counted.sent_bytes).map(|bytes| bytes * 8.0),
            frames_per_stream_s: ratio(counted.frames as f64, *stream_seconds),
            freezes_per_stream_minute: ratio(counted.freezes as f64 * 60.0, *stream_seconds),
            freezes: counted.freezes,
            switches: counted.switches,
            corrupt_packets: counted.corrupt_packets,
            counted: counted.clone(),
        }
    }
}

impl Joins {
    pub(super) fn of(diary: &Diary) -> Self {
        let people = diary.last().map(|last| last.people).unwrap_or_default();
        let delays = diary.last().map(|last| &last.media.delays);
        Self {
            started: people.started,
            succeeded: people.present + people.left,
            failed: people.failed,
            present_max: diary.present_max,
            signalling: delays.and_then(|delays| Spread::of(&delays.signalling)),
            connected: delays.and_then(|delays| Spread::of(&delays.connected)),
            first_packet: delays.and_then(|delays| Spread::of(&delays.first_packet)),
            first_key_frame: delays.and_then(|delays| Spread::of(&delays.first_key_frame)),
        }
    }
}

impl Server {
    pub(super) fn of(facts: &RunFacts, diary: &Diary) -> Option<Self> {
        let rss_max_bytes = diary.server_rss_max?;
        let before = facts.server_before.or(diary.server_before).map(|before| before.rss_bytes);
        let busiest = diary.points().iter().filter(|point| point.steady);
        let busiest = busiest.filter_map(|point| point.server).map(|server| server.busiest);
        let Total { server_micros, server_packets, server_seconds, .. } = diary.steady;
        let (micros, packets) = (server_micros as f64, server_packets as f64);
        let growth = diary.server_at_steady.zip(before).and_then(|((now, present), before)| {
            ratio(now as f64 - before as f64, f64::from(present))
        });
        Some(Self {
            cpu_cores: ratio(micros / 1e6, server_seconds),
            busiest_thread_max: busiest.reduce(f64::max),
            cpu_us_per_packet: ratio(micros, packets),
            packets_per_cpu_s: ratio(packets, micros / 1e6),
            rss_max_bytes,
            rss_before_bytes: before,
            rss_steady_bytes: diary.server_at_steady.map(|(rss, _)| rss),
            rss_per_participant_bytes: growth,
        })
    }
}

impl Own {
    pub(super) fn of(facts: &RunFacts, diary: &Diary) -> Self {
        let total = &diary.steady;
        let available = facts.cores.min(facts.threads + 1).max(1) as f64;
        let cpu_cores = ratio(total.own_micros as f64 / 1e6, total.seconds);
        let mut own = Self {
            cpu_cores,
            cpu_share: cpu_cores.map(|cores| cores / available),
            waited_cores: ratio(total.own_waited_micros as f64 / 1e6, total.seconds),
            busy_share: ratio(total.busy_seconds, total.seconds),
            late_share: ratio(total.late_seconds, total.seconds),
            rss_max_bytes: diary.own_rss_max,
            drops: total.counted.own_drops,
            late_frames: total.counted.late_frames,
            bottleneck: Vec::new(),
        };
        own.bottleneck = own.reasons(total.late_seconds >= LATE_SECONDS);
        own
    }

    /// The rule, documented in docs/loadtest.md.
    fn reasons(&self, often_late: bool) -> Vec<String> {
        let percent = |share: f64| (share * 100.0).round();
        let mut reasons = Vec::new();
        if let Some(share) = self.cpu_share.filter(|share| *share > BUSY) {
            reasons.push(format!("its threads used {} % of the CPU they can have", percent(share)));
        }
        if let Some(share) = self.busy_share.filter(|share| *share > TOLERATED) {
            let text = "one of its threads was busy for more than 85 % of";
            reasons.push(format!("{text} {} % of the steady seconds", percent(share)));
        }
        if self.drops > 0 {
            reasons.push(format!("its own sockets dropped {} packets", self.drops));
        }
        if let Some(share) = self.late_share.filter(|share| often_late && *share > TOLERATED) {
            let text = format!("{} of its frames left more than 10 ms late", self.late_frames);
            let text = format!("{text}, in {} % of the steady seconds", percent(share));
            let waited = self.waited_cores.filter(|cores| *cores > WAITED);
            reasons.push(match waited {
                Some(cores) => format!("{text} (others had {cores:.1} cores that it waited for)"),
                None => text,
            });
        }
        reasons
    }
}

impl StageLine {
    pub(super) fn of(stage: &Stage) -> Self {
        let Total {
            seconds, counted, added, server_micros, server_packets, server_seconds, ..
        } = &stage.steady;
        Self {
            name: stage.name.clone(),
            seconds: stage.seconds,
            steady_seconds: *seconds,
            people: stage.people,
            received_packets_per_s: ratio(counted.received_packets as f64, *seconds),
            received_bps: ratio(counted.received_bytes as f64 * 8.0, *seconds),
            loss: loss(counted),
            added_delay: Spread::of(added),
            freezes: counted.freezes,
            server_cpu_cores: ratio(*server_micros as f64 / 1e6, *server_seconds),
            server_cpu_us_per_packet: ratio(*server_micros as f64, *server_packets as f64),
            server_rss_bytes: stage.server_rss,
        }
    }
}

impl RoleLine {
    pub(super) fn of(name: &str, all: &Snapshot) -> Self {
        Self {
            name: name.to_owned(),
            loss: loss(&all.counters),
            added_delay: Spread::of(&all.delays.added),
            connected: Spread::of(&all.delays.connected),
            first_packet: Spread::of(&all.delays.first_packet),
            first_key_frame: Spread::of(&all.delays.first_key_frame),
            counted: all.counters.clone(),
        }
    }
}

/// Counts by upper bound, 20 bounds to a decade, without the empty ones at both ends.
pub(super) fn log_buckets(times: &Histogram<u64>) -> Vec<(u64, u64)> {
    let bound = |step: i32| 10_f64.powf(f64::from(step) / 20.0);
    let mut buckets: Vec<(u64, u64)> = Vec::new();
    let mut step = 0;
    for value in times.iter_recorded() {
        while bound(step) < value.value_iterated_to() as f64 {
            step += 1;
        }
        let (bound, count) = (bound(step).round() as u64, value.count_since_last_iteration());
        match buckets.last_mut() {
            Some((last, sum)) if *last == bound => *sum += count,
            _ => buckets.push((bound, count)),
        }
    }
    buckets
}
