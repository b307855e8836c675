#![allow(clippy::disallowed_methods)] // the start of virtual time

use super::*;

fn run(config: LinkConfig, seed: u64, packets: u32) -> (Vec<[Option<Duration>; 2]>, LinkCounters) {
    let start = Instant::now();
    let mut link = Link::new(config, seed);
    let fates = (0..packets).map(|n| {
        link.send(start + Duration::from_millis(10) * n, 1_000)
            .map(|at| at.map(|at| at.saturating_duration_since(start)))
    });
    (fates.collect(), link.counters())
}

#[test]
fn the_same_seed_gives_the_same_fate_and_another_another() {
    let config = LinkConfig { duplicate: 0.1, ..LinkConfig::lossy(0.1) };
    assert_eq!(run(config, 7, 1_000), run(config, 7, 1_000));
    assert_ne!(run(config, 7, 1_000), run(config, 8, 1_000));
}

#[test]
fn losses_copies_and_reordering_are_as_frequent_as_asked() {
    let config = LinkConfig { duplicate: 0.1, ..LinkConfig::lossy(0.05) };
    let (fates, counters) = run(config, 1, 20_000);
    assert!((800..1_200).contains(&counters.lost), "{counters:?}");
    assert!((1_700..2_100).contains(&counters.duplicated), "{counters:?}");
    let arrived: Vec<Duration> = fates.iter().filter_map(|fate| fate[0]).collect();
    let overtaken = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((150..600).contains(&overtaken), "{overtaken}");
}

#[test]
fn bursts_lose_packets_in_a_row() {
    let loss = Loss::Bursts { enter: 0.01, leave: 0.2, loss: 1.0 };
    let (fates, counters) = run(LinkConfig { loss, ..LinkConfig::default() }, 3, 50_000);
    let bursts = fates.windows(2).filter(|p| p[0][0].is_some() && p[1][0].is_none()).count();
    let mean = counters.lost as f64 / bursts as f64;
    assert!((4.0..6.0).contains(&mean), "{mean}");
}

#[test]
fn a_rate_delays_and_its_full_queue_drops() {
    // 1,000 bytes each 10 ms are 800 kbit/s into half of it.
    let config = LinkConfig {
        rate_bps: Some(400_000),
        queue: Duration::from_millis(100),
        ..LinkConfig::default()
    };
    let (fates, counters) = run(config, 1, 200);
    assert!((80..110).contains(&counters.overflowed), "{counters:?}");
    let delay = |n: u32| fates[n as usize][0].unwrap() - Duration::from_millis(10) * n;
    assert_eq!(delay(0), Duration::from_millis(20));
    assert_eq!(delay(5), Duration::from_millis(70));
}

#[test]
fn a_rate_that_changes_counts_for_what_waits_and_its_history_shows_it() {
    let start = Instant::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    let mut link = Link::new(LinkConfig { queue: ms(300), ..LinkConfig::narrow(3_000_000) }, 1);
    link.rate_from(at(1_000), Some(600_000));
    link.rate_from(at(3_000), Some(3_000_000));
    // 1 ms before the change: 3,000 of its 10,000 bits leave at the old rate.
    let arrives = link.send(at(999), 1_250)[0].unwrap();
    assert_eq!(arrives - at(999), Duration::from_nanos(1_000_000 + 11_666_666) + ms(25));
    assert!(link.queue_delay(at(1_000)) > ms(11) && link.queue_delay(at(2_000)).is_zero());
    assert_eq!(
        [999, 1_000, 3_000].map(|ms| link.rate_at(at(ms)).unwrap() / 1_000),
        [3_000, 600, 3_000]
    );
    // 2 Mbit/s all the time.
    for n in 1_000..5_000 {
        link.send(at(n), 250);
    }
    let narrow = link.between(at(1_500), at(2_900));
    assert!((580_000..620_000).contains(&narrow.delivered_bps()), "{narrow:?}");
    assert!((1_900_000..2_100_000).contains(&narrow.sent_bps()), "{narrow:?}");
    assert!(narrow.queue_delay > ms(290) && narrow.queue_delay < ms(310), "{narrow:?}");
    assert!(narrow.overflowed > 600, "{narrow:?}");
    let wide = link.between(at(4_000), at(4_900));
    assert_eq!((wide.overflowed, wide.queue_delay), (0, Duration::ZERO));
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn held_jitter_moves_packets_together_and_keeps_their_order() {
    let config = LinkConfig { jitter: ms(200), jitter_hold: ms(50), ..LinkConfig::default() };
    let (fates, _) = run(config, 5, 2_000);
    let delays: Vec<Duration> =
        fates.iter().zip(0u32..).map(|(f, n)| f[0].unwrap() - ms(10) * n).collect();
    assert!(fates.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
    assert!(delays.iter().any(|delay| *delay > ms(180)) && delays.iter().any(|d| *d < ms(60)));
}

#[test]
fn a_token_bucket_lets_a_burst_through_and_then_its_rate() {
    let start = Instant::now();
    let mut link = Link::new(LinkConfig::shaped(600_000, 10_000), 1);
    let delays = |link: &mut Link, at: Instant| -> Vec<Duration> {
        let sent = (0..12).map(|_| link.send(at, 1_000)[0].unwrap() - at);
        sent.map(|delay| delay - ms(25)).collect()
    };
    let first = delays(&mut link, start);
    assert_eq!(first[..10], [Duration::ZERO; 10]);
    // 8,000 bits at 600 kbit/s.
    assert_eq!(first[10..], [Duration::from_nanos(13_333_333), Duration::from_nanos(26_666_666)]);
    // A second fills it again, and no further.
    let later = delays(&mut link, start + ms(1_027));
    assert_eq!(later[9], Duration::ZERO);
    assert_eq!(later[10], Duration::from_nanos(13_333_333));
    // 40 ms bring 3,000 bytes, less what the last packet still waits for.
    let soon = delays(&mut link, start + ms(1_027) + Duration::from_nanos(66_666_666));
    assert_eq!(soon[..3], [Duration::ZERO; 3]);
    assert!(soon[3] > ms(13) && soon[11] > ms(110), "{soon:?}");
}

#[test]
fn a_bucket_without_a_queue_is_a_policer() {
    let config = LinkConfig { queue: Duration::ZERO, ..LinkConfig::shaped(600_000, 10_000) };
    let start = Instant::now();
    let mut link = Link::new(config, 1);
    let passed = (0..2_000).filter(|n| link.send(start + ms(1) * *n, 250)[0].is_some()).count();
    // 10,000 bytes and 2 s of the rate.
    assert!((639..=641).contains(&passed), "{passed}");
}
