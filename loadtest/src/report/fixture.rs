//! Runs that never were, for the tests of the report.

use super::{RunFacts, Threshold};
use crate::measure::{Delays, People, ProcessCost, Sample};
use crate::plan::Verify;
use std::time::Duration;

/// Facts of a run with two thresholds met, one missed and one not measured.
pub(super) fn facts() -> RunFacts {
    let thresholds = ["loss < 0.5%", "added_delay_p99 < 20ms", "join_p95 < 1ms", "delivered > 99%"];
    RunFacts {
        scenario: "one_to_many".to_owned(),
        target: "weir ws://127.0.0.1:8080/ws".to_owned(),
        command: ["weir-load", "run", "one_to_many"].map(str::to_owned).to_vec(),
        started: time::OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap(),
        cpu: "A Processor 9000".to_owned(),
        kernel: "6.18.5".to_owned(),
        cores: 4,
        threads: 2,
        verify: Verify::All,
        server_pids: vec![4711],
        server_before: None,
        per_role: Vec::new(),
        failures: Vec::new(),
        thresholds: thresholds.map(|text| text.parse::<Threshold>().unwrap()).to_vec(),
    }
}

/// The sample at this second, with nothing in it but a stage.
pub(super) fn sample(at: u64, stage: &str, steady: bool) -> Sample {
    Sample {
        at: Duration::from_secs(at),
        stage: stage.to_owned(),
        steady,
        media: Default::default(),
        people: People::default(),
        server: None,
        own: ProcessCost::default(),
    }
}

/// One sender and `people - 1` receivers of 100 packets of 1,000 bytes a second, 30 frames: four seconds of joining,
/// then `steady` seconds. One packet in a hundred is lost. Delays are 1 to 100 milliseconds, each as often.
pub(super) fn run(people: u32, steady: u64) -> Vec<Sample> {
    const MIB: u64 = 1024 * 1024;
    let mut samples = Vec::new();
    let mut last = sample(0, "join", false);
    last.server = Some(ProcessCost { rss_bytes: 20 * MIB, ..ProcessCost::default() });
    last.own.rss_bytes = 8 * MIB;
    samples.push(last.clone());
    for at in 1..=4 + steady {
        let mut next = last.clone();
        next.at = Duration::from_secs(at);
        let joining = at <= 4;
        if joining {
            let present = (u64::from(people) * at / 4) as u32;
            for one in next.people.started..present {
                let micros = 2_000 + u64::from(one) * 100;
                next.media.delays.signalling.saturating_record(micros);
                next.media.delays.connected.saturating_record(2 * micros);
                if one > 0 {
                    next.media.delays.first_packet.saturating_record(3 * micros);
                    next.media.delays.first_key_frame.saturating_record(4 * micros);
                }
            }
            next.people = People { started: present, present, ..People::default() };
        } else {
            next.stage = "hold".to_owned();
            next.steady = true;
        }
        let receivers = u64::from(next.people.present.saturating_sub(1));
        let counted = &mut next.media.counters;
        counted.sent_packets += 100;
        counted.sent_bytes += 100_000;
        counted.expected_packets += 100 * receivers;
        counted.received_packets += 99 * receivers;
        counted.received_bytes += 99_000 * receivers;
        counted.lost_packets += receivers;
        counted.verified_packets += 99 * receivers;
        counted.frames += 30 * receivers;
        let mut added = Delays::default().added;
        for milli in 1..=100 {
            added.record_n(milli * 1_000, receivers).unwrap();
        }
        next.media.delays.added.add(&added).unwrap();
        next.media.added_since = Some(added);
        next.media.connected = next.people.present;
        next.media.streams = receivers as u32;
        next.media.by_height = [(720, receivers as u32)].into();
        if let Some(server) = &mut next.server {
            server.cpu_micros += 99 * receivers * 5;
            server.busiest_micros = 99 * receivers * 5;
            server.rss_bytes = 20 * MIB + u64::from(next.people.present) * 100 * 1024;
        }
        next.own.cpu_micros += 300_000;
        next.own.busiest_micros = 200_000;
        samples.push(next.clone());
        last = next;
    }
    samples
}
