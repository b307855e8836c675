use super::super::fixture::{run, sample};
use super::*;

fn counted(at: u64, received: u64, lost: u64) -> Sample {
    let mut sample = sample(at, "hold", true);
    sample.media.counters.received_packets = received;
    sample.media.counters.lost_packets = lost;
    sample
}

#[test]
fn a_point_holds_what_happened_since_the_sample_before() {
    let diary = Diary::of(&[counted(1, 100, 0), counted(3, 300, 4)]);
    let counted: Vec<u64> =
        diary.points().iter().map(|point| point.counted.received_packets).collect();
    assert_eq!(counted, [100, 200]);
    let last = &diary.points()[1];
    assert_eq!(last.seconds, 2.0);
    assert_eq!(last.rate(last.counted.received_packets), 100.0);
}

#[test]
fn counters_that_begin_anew_are_not_taken_for_a_huge_number() {
    let diary = Diary::of(&[counted(1, 1_000, 5), counted(2, 40, 1), counted(3, 100, 1)]);
    assert_eq!(diary.steady.counted.received_packets, 1_000 + 40 + 60);
    assert_eq!(diary.steady.counted.lost_packets, 5 + 1);
}

#[test]
fn a_loss_that_is_taken_back_is_not_counted_twice() {
    let diary = Diary::of(&[counted(1, 100, 5), counted(2, 200, 3), counted(3, 300, 3)]);
    assert_eq!(diary.steady.counted.lost_packets, 5);
}

#[test]
fn a_server_that_was_started_anew_keeps_its_figures_sane() {
    let mut samples = [counted(1, 0, 0), counted(2, 100, 0), counted(3, 200, 0)];
    for (sample, micros) in samples.iter_mut().zip([5_000_000, 5_500_000, 100_000]) {
        sample.server = Some(ProcessCost { cpu_micros: micros, ..ProcessCost::default() });
    }
    let diary = Diary::of(&samples);
    assert_eq!(diary.steady.server_micros, 500_000 + 100_000);
}

#[test]
fn only_steady_seconds_are_summed_up() {
    let mut samples = vec![counted(1, 50, 0), counted(2, 150, 0), counted(3, 350, 0)];
    samples[1].steady = false;
    let diary = Diary::of(&samples);
    assert_eq!(diary.steady.counted.received_packets, 50 + 200);
    assert_eq!(diary.steady.seconds, 2.0);
    assert_eq!(diary.stages.len(), 1);
    assert_eq!(diary.stages[0].seconds, 3.0);
}

#[test]
fn a_sample_of_the_same_moment_is_left_out() {
    let diary = Diary::of(&[counted(1, 100, 0), counted(1, 900, 0), counted(2, 200, 0)]);
    assert_eq!(diary.points().len(), 2);
    assert_eq!(diary.steady.counted.received_packets, 200);
}

#[test]
fn a_moment_at_the_end_is_no_flood() {
    let mut last = counted(2, 210, 0);
    last.at += Duration::from_millis(5);
    last.own.busiest_micros = 4_000;
    let mut late = crate::measure::Delays::default().added;
    late.record(900_000).unwrap();
    last.media.added_since = Some(late);
    let mut before = counted(2, 200, 0);
    let mut early = crate::measure::Delays::default().added;
    early.record(1_000).unwrap();
    before.media.added_since = Some(early);
    let diary = Diary::of(&[counted(1, 100, 0), before, last]);
    assert_eq!(diary.points().len(), 2);
    let point = &diary.points()[1];
    assert_eq!(point.counted.received_packets, 110);
    assert_eq!(point.own.busiest, 0.0);
    assert!(point.delay_p50_us.unwrap() < 10_000 && point.delay_p99_us == Some(1_000), "{point:?}");
    assert_eq!(point.delay_max_us, Some(900_095));
    assert_eq!(diary.steady.counted.received_packets, 210);
}

#[test]
fn a_long_run_is_kept_coarser_and_loses_nothing() {
    let mut diary = Diary::default();
    let seconds = 3 * MAX_POINTS as u64 + 7;
    let mut last = counted(0, 0, 0);
    for at in 0..=seconds {
        last.at = Duration::from_secs(at);
        last.media.counters.received_packets = at * 10;
        diary.add(&last);
    }
    assert!(diary.points().len() <= MAX_POINTS, "{}", diary.points().len());
    let sum: u64 = diary.points().iter().map(|point| point.counted.received_packets).sum();
    assert_eq!(sum, seconds * 10);
    let length: f64 = diary.points().iter().map(|point| point.seconds).sum();
    assert_eq!(length, seconds as f64);
    assert!(
        diary
            .points()
            .iter()
            .all(|point| point.counted.received_packets == (point.seconds * 10.0) as u64)
    );
}

#[test]
fn more_stages_than_are_told_apart_end_in_the_last() {
    let mut diary = Diary::default();
    for at in 1..=MAX_STAGES as u64 + 5 {
        diary.add(&sample(at, &format!("stage {at}"), true));
    }
    assert_eq!(diary.stages.len(), MAX_STAGES);
    assert_eq!(diary.stages.last().unwrap().seconds, 6.0);
}

#[test]
fn memory_before_the_first_join_is_remembered() {
    let diary = Diary::of(&run(11, 2));
    assert_eq!(diary.server_before.unwrap().rss_bytes, 20 * 1024 * 1024);
    assert_eq!(diary.server_at_steady, Some((20 * 1024 * 1024 + 11 * 100 * 1024, 11)));
}
