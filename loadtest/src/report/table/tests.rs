use super::super::RunFacts;
use super::super::fixture::{facts, run};
use super::*;

#[test]
fn a_small_run_reads_like_this() {
    let failures = vec![("the server answered 503 Service Unavailable".to_owned(), 2)];
    let outcome = Outcome::of(&RunFacts { failures, ..facts() }, &run(11, 10));
    let table = outcome.table();
    assert_eq!(table, include_str!("golden.txt"), "is now:\n{table}");
}

#[test]
fn who_never_got_in_is_told() {
    let mut samples = run(11, 2);
    samples.iter_mut().for_each(|sample| sample.people.started += 7);
    let table = Outcome::of(&facts(), &samples).table();
    assert!(
        table.contains("11 joined, 0 failed, 7 still joining at the end, at most 11"),
        "{table}"
    );
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    let failures = vec![("word ".repeat(60), 2), ("w".repeat(300), 1)];
    let mut samples = run(100_000, 10);
    for sample in &mut samples {
        sample.media.counters.received_bytes *= 1_000_000;
        sample.media.counters.own_drops = u64::from(sample.people.present) * 1_000_000;
        sample.own.busiest_micros = 1_000_000;
        sample.stage = format!("{} of a stage with a long name", sample.stage);
    }
    let facts = RunFacts {
        failures,
        target: "https://a.very.long.name.example/".repeat(10),
        per_role: vec![("a role with a long name".to_owned(), samples[9].media.clone()); 2],
        ..facts()
    };
    let table = Outcome::of(&facts, &samples).table();
    for line in table.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
        assert_eq!(line.trim_end(), line);
    }
    assert!(table.contains("WARNING weir-load itself is the bottleneck"), "{table}");
}
