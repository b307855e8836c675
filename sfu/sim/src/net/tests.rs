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
