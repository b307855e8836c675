use super::*;
use std::time::Duration;

fn stream() -> Stream {
    Stream::new(1, 77, 90_000, 64)
}

#[test]
fn a_gap_fills_up_and_a_second_copy_is_a_duplicate() {
    let now = Instant::now();
    let mut s = stream();
    assert_eq!(s.arrive(65_534, false, now), Arrival::New { seq: 131_070, gap: false });
    assert_eq!(s.arrive(1, false, now), Arrival::New { seq: 131_073, gap: false });
    assert_eq!(s.arrive(65_535, true, now), Arrival::Late { seq: 131_071 });
    assert_eq!(s.arrive(65_535, true, now), Arrival::Duplicate);
    assert_eq!(s.arrive(0, false, now), Arrival::Late { seq: 131_072 });
    assert!(s.missing.is_empty());
    assert_eq!(s.recovered, 1);
}

#[test]
fn two_packets_from_a_far_place_restart_the_stream() {
    let now = Instant::now();
    let mut s = stream();
    s.arrive(100, false, now);
    assert_eq!(s.arrive(30_000, false, now), Arrival::Duplicate);
    assert!(matches!(s.arrive(30_001, false, now), Arrival::Reset { .. }));
    assert!(matches!(s.arrive(30_002, false, now), Arrival::New { gap: false, .. }));
}

#[test]
fn a_report_counts_what_was_lost_in_the_interval() {
    let now = Instant::now();
    let mut s = stream();
    for number in (0..100u16).filter(|n| n % 4 != 3) {
        s.arrive(number, false, now);
    }
    let report = s.report(now).unwrap();
    // 75 of 99 expected arrived.
    assert_eq!(report.cumulative_lost, 24);
    assert_eq!(report.fraction_lost, 62);
    assert_eq!(report.ext_highest_seq, 98);
    assert_eq!(s.report(now).unwrap().fraction_lost, 0);
}

#[test]
fn rtp_time_follows_the_sender_report() {
    let now = Instant::now();
    let mut s = stream();
    s.on_sender_report(5 << 32, 1_000, now);
    assert_eq!(s.rtp_at(6 << 32), Some(91_000));
    assert_eq!(s.ntp_of(91_000), Some(6 << 32));
    assert_eq!(s.rtp_at(4 << 32), Some(1_000u32.wrapping_sub(90_000)));
}

#[test]
fn a_steady_stream_has_no_jitter_and_a_rate() {
    let start = Instant::now();
    let mut s = stream();
    for n in 0..200u32 {
        let ms = u64::from(n) * 10;
        s.arrive(n as u16, false, start);
        s.measure(1_000, n * 900, ms * 1_000, start + Duration::from_millis(ms));
    }
    assert_eq!(s.report(start).unwrap().jitter, 0);
    assert!((700_000..900_000).contains(&s.bitrate_bps), "{}", s.bitrate_bps);
}
