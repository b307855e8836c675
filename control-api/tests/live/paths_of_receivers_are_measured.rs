use crate::harness::Server;
use std::sync::atomic::Ordering;
use std::time::Duration;
use weir_sfu_api::{Event, ShardStats};

/// `/metrics` until it has all of these lines.
async fn until(server: &Server, lines: &[&str]) {
    let mut last = String::new();
    for _ in 0..500 {
        last = server.request("GET", "/metrics", &[], "").await.body;
        if lines.iter().all(|line| last.lines().any(|found| found == *line)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("in vain waited for {lines:?}: {last}");
}

#[tokio::test]
async fn what_a_shard_tells_of_its_receivers_is_in_the_metrics() {
    let server = Server::start().await;
    server.plane.silent.store(true, Ordering::Relaxed);
    let first = ShardStats {
        probes: 3,
        probe_packets: 40,
        queues_cut: 1,
        layers_off: 2,
        estimated: 5,
        estimate_bps: 6_000_000_000,
        allocated_bps: 4_000_000,
        pacing_us: 12_500,
        paused_slots: 7,
        ..ShardStats::default()
    };
    server.plane.tell(Event::Stats(Box::new(first.clone())));
    until(
        &server,
        &[
            "weir_probes_total 3",
            "weir_probe_packets_total 40",
            "weir_queues_cut_total 1",
            "weir_layers_off_total 2",
            "weir_estimated_receivers 5",
            "weir_estimate_bps 6000000000",
            "weir_allocated_bps 4000000",
            "weir_pacing_seconds{shard=\"0\"} 0.0125",
            "weir_paused_slots 7",
        ],
    )
    .await;
    // Counters grow by the difference, gauges follow.
    let second = ShardStats { probes: 5, estimated: 4, paused_slots: 0, ..first };
    server.plane.tell(Event::Stats(Box::new(second)));
    let lines = ["weir_probes_total 5", "weir_queues_cut_total 1", "weir_estimated_receivers 4"];
    until(&server, &lines).await;
    until(&server, &["weir_paused_slots 0"]).await;
}
