use super::super::fixture::{facts, run, sample};
use super::*;
use crate::measure::{Delays, ProcessCost};

#[test]
fn percentiles_are_those_of_the_measured_times() {
    let mut times = Delays::default().added;
    for micros in 1..=1_000 {
        times.record(micros).unwrap();
    }
    let spread = Spread::of(&times).unwrap();
    assert_eq!((spread.count, spread.p50_us, spread.p95_us), (1_000, 500, 950));
    assert_eq!((spread.p99_us, spread.max_us), (990, 1_000));
    assert!((spread.mean_us - 500.5).abs() < 0.01);
}

#[test]
fn one_measurement_is_every_percentile() {
    let mut times = Delays::default().added;
    times.record(700).unwrap();
    let spread = Spread::of(&times).unwrap();
    assert_eq!((spread.p50_us, spread.p99_us, spread.max_us), (700, 700, 700));
    assert_eq!(Spread::of(&Delays::default().added), None);
}

#[test]
fn delivered_and_lost_add_up_to_what_was_due() {
    let outcome = Outcome::of(&facts(), &run(11, 10));
    let media = &outcome.media;
    assert_eq!(media.counted.expected_packets, 10 * 10 * 100);
    assert_eq!(media.delivered_packets + media.counted.lost_packets, 10 * 10 * 100);
    assert_eq!(media.loss, Some(0.01));
    assert_eq!(media.delivered_share, Some(0.99));
    assert_eq!(media.received_packets_per_s, Some(990.0));
    assert_eq!(media.received_bps, Some(990.0 * 8_000.0));
    assert_eq!(media.frames_per_stream_s, Some(30.0));
}

#[test]
fn more_lost_than_due_is_all_of_it() {
    let mut one = sample(1, "hold", true);
    one.media.counters.expected_packets = 10;
    one.media.counters.lost_packets = 12;
    let outcome = Outcome::of(&facts(), &[one]);
    assert_eq!((outcome.media.loss, outcome.media.delivered_packets), (Some(1.0), 0));
}

#[test]
fn loss_that_a_server_hides_by_renumbering_shows_in_the_payloads_numbers() {
    let mut one = sample(1, "hold", true);
    one.media.counters.expected_packets = 970;
    one.media.counters.verified_packets = 970;
    one.media.counters.stamped_missing = 30;
    let outcome = Outcome::of(&facts(), &[one]);
    assert_eq!((outcome.media.loss, outcome.media.stamped_loss), (Some(0.0), Some(0.03)));
}

#[test]
fn the_servers_cost_is_told_by_packet_and_person() {
    let server = Outcome::of(&facts(), &run(11, 10)).server.unwrap();
    assert_eq!(server.cpu_us_per_packet, Some(5.0));
    assert_eq!(server.packets_per_cpu_s, Some(200_000.0));
    assert_eq!(server.rss_before_bytes, Some(20 * 1024 * 1024));
    assert_eq!(server.rss_per_participant_bytes, Some(100.0 * 1024.0));
}

#[test]
fn without_a_look_before_the_first_join_nobody_costs_memory() {
    let samples = &run(11, 10)[2..];
    let server = Outcome::of(&facts(), samples).server.unwrap();
    assert_eq!(server.rss_per_participant_bytes, None);
    let before = ProcessCost { rss_bytes: 10 * 1024 * 1024, ..ProcessCost::default() };
    let facts = RunFacts { server_before: Some(before), ..facts() };
    let server = Outcome::of(&facts, samples).server.unwrap();
    assert_eq!(server.rss_before_bytes, Some(before.rss_bytes));
}

#[test]
fn a_server_that_ends_is_told_until_then() {
    let mut samples = run(11, 10);
    samples[10..].iter_mut().for_each(|sample| sample.server = None);
    let server = Outcome::of(&facts(), &samples).server.unwrap();
    assert_eq!(server.cpu_us_per_packet, Some(5.0));
    assert_eq!(server.rss_steady_bytes, None);
}

#[test]
fn a_run_without_steady_seconds_has_joins_and_no_rates() {
    let outcome = Outcome::of(&facts(), &run(11, 0));
    assert_eq!(outcome.joins.succeeded, 11);
    assert_eq!(outcome.joins.first_packet.unwrap().count, 10);
    assert_eq!(outcome.media.loss, None);
    assert_eq!(outcome.media.received_packets_per_s, None);
    assert_eq!(outcome.added_delay, None);
    assert_eq!(outcome.own.cpu_share, None);
    assert_eq!(outcome.server.as_ref().unwrap().cpu_us_per_packet, None);
    assert_eq!(outcome.missed().len(), 4);
    assert!(!outcome.json().contains("NaN") && !outcome.table().contains("NaN"));
}

#[test]
fn a_run_without_samples_is_told_too() {
    let outcome = Outcome::of(&facts(), &[]);
    assert_eq!((outcome.joins.started, outcome.series.len()), (0, 0));
    assert!(outcome.server.is_none());
    assert!(outcome.missed().iter().all(|text| text.ends_with("not measured")));
    assert!(!outcome.table().is_empty() && !outcome.html().is_empty());
}

#[test]
fn thresholds_of_the_facts_are_judged() {
    let outcome = Outcome::of(&facts(), &run(11, 10));
    let met: Vec<bool> = outcome.thresholds.iter().map(|one| one.met).collect();
    assert_eq!(met, [false, false, false, false]);
    assert_eq!(outcome.missed()[0], "loss < 0.5%: 1.00 %");
    assert_eq!(outcome.check(&["loss < 2%".parse().unwrap()]), Vec::<String>::new());
}

/// The reasons of a run in which the own side of ten steady seconds is changed.
fn reasons(change: impl Fn(u64, &mut Sample)) -> Vec<String> {
    let mut samples = run(11, 10);
    for (index, sample) in samples.iter_mut().enumerate() {
        change(index as u64, sample);
    }
    Outcome::of(&facts(), &samples).own.bottleneck
}

#[test]
fn we_are_the_bottleneck_when_a_thread_of_ours_is_always_busy() {
    assert_eq!(reasons(|_, _| ()), Vec::<String>::new());
    let reasons = reasons(|_, sample| sample.own.busiest_micros = 900_000);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("100 % of the steady seconds"), "{reasons:?}");
}

#[test]
fn we_are_the_bottleneck_when_all_our_cores_are_used() {
    // Two workers and the runner: three of the four cores.
    let reasons = reasons(|at, sample| sample.own.cpu_micros = at * 2_700_000);
    assert_eq!(reasons, ["its threads used 90 % of the CPU they can have"]);
}

#[test]
fn we_are_the_bottleneck_when_our_sockets_drop() {
    let reasons = reasons(|at, sample| sample.media.counters.own_drops = at.saturating_sub(11));
    assert_eq!(reasons, ["its own sockets dropped 3 packets"]);
}

#[test]
fn a_late_frame_now_and_then_is_forgiven_and_many_are_not() {
    let late_from = |first: u64| {
        reasons(move |at, sample| sample.media.counters.late_frames = at.saturating_sub(first))
    };
    assert_eq!(late_from(12), Vec::<String>::new());
    assert_eq!(
        late_from(11),
        ["3 of its frames left more than 10 ms late, in 30 % of the steady seconds"]
    );
}

#[test]
fn failures_come_most_frequent_first() {
    let failures = vec![("a".to_owned(), 1), ("b".to_owned(), 7), ("c".to_owned(), 1)];
    let outcome = Outcome::of(&RunFacts { failures, ..facts() }, &run(2, 1));
    let reasons: Vec<&str> = outcome.failures.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["b", "a", "c"]);
}

#[test]
fn stages_have_figures_of_their_own() {
    let mut samples = run(11, 10);
    for sample in &mut samples[10..] {
        sample.stage = "later".to_owned();
    }
    let outcome = Outcome::of(&facts(), &samples);
    let names: Vec<&str> = outcome.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["join", "hold", "later"]);
    let seconds: Vec<f64> = outcome.stages.iter().map(|stage| stage.steady_seconds).collect();
    assert_eq!(seconds, [0.0, 5.0, 5.0]);
    assert_eq!(outcome.stages[0].loss, None);
    assert_eq!(outcome.stages[2].loss, Some(0.01));
    assert_eq!(outcome.stages[1].added_delay.unwrap().count, 5_000);
}

#[test]
fn delays_are_gathered_in_twenty_buckets_a_decade() {
    let mut times = Delays::default().added;
    times.record_n(1, 5).unwrap();
    times.record_n(1_000, 7).unwrap();
    times.record_n(1_001, 7).unwrap();
    times.record_n(10_000_000, 1).unwrap();
    let buckets = figures::log_buckets(&times);
    assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 20);
    assert_eq!(buckets[0], (1, 5));
    assert_eq!(buckets.len(), 4);
    assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0), "{buckets:?}");
    assert!(figures::log_buckets(&Delays::default().added).is_empty());
}

#[test]
fn the_json_says_its_format_and_null_where_nothing_was_measured() {
    let json: serde_json::Value =
        serde_json::from_str(&Outcome::of(&facts(), &run(3, 2)).json()).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["facts"]["started"], "2027-01-15T08:00:00Z");
    assert_eq!(json["media"]["loss"], 0.01);
    assert_eq!(json["series"].as_array().unwrap().len(), 6);
    assert_eq!(json["series"][5]["by_height"]["720"], 2);
    let json: serde_json::Value = serde_json::from_str(&Outcome::of(&facts(), &[]).json()).unwrap();
    assert!(json["media"]["loss"].is_null() && json["added_delay"].is_null());
}

/// All names of fields, at any depth.
fn names(value: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                // Maps by number.
                if name.parse::<u32>().is_err() {
                    into.insert(name.clone());
                }
                names(value, into);
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| names(value, into)),
        _ => {}
    }
}

#[test]
fn the_documentation_names_every_field_and_figure() {
    const TEXT: &str = include_str!("../../../../docs/loadtest.md");
    let mut samples = run(3, 2);
    let per_role = vec![("viewer".to_owned(), samples.pop().unwrap().media)];
    let failures = vec![("late".to_owned(), 1)];
    let facts = RunFacts { per_role, failures, ..facts() };
    let json = serde_json::from_str(&Outcome::of(&facts, &samples).json()).unwrap();
    let mut all = std::collections::BTreeSet::new();
    names(&json, &mut all);
    all.extend(crate::report::Measure::all().map(|(name, _)| name.to_owned()));
    let missing: Vec<&String> =
        all.iter().filter(|name| !TEXT.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/loadtest.md does not tell of {missing:?}");
}
