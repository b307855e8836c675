//! Media in `/metrics`, and its signs of life for `/health`.

use super::MediaObserver;
use crate::App;
use crate::metrics::{
    BackendLabels, DirectionLabels, Metrics, ReasonLabels, ShardLabels, StreamLabels,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use weir_sfu_api::{GoneReason, ShardId, ShardStats, SrtpProfile};

/// Writes what shards tell into [`Metrics`], and that they told it into [`super::Vitals`].
pub struct MetricsObserver {
    app: App,
    /// Shards count from their start; counters need the growth.
    last: Mutex<BTreeMap<ShardId, ShardStats>>,
}

impl MetricsObserver {
    /// Into this application's metrics.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, last: Mutex::default() }
    }
}

impl MediaObserver for MetricsObserver {
    fn connected(&self, profile: SrtpProfile, setup_us: u64) {
        self.app.metrics.connected(profile, setup_us);
    }

    fn gone(&self, reason: GoneReason) {
        self.app.metrics.gone(reason);
    }

    fn shard(&self, shard: ShardId, stats: &ShardStats) {
        self.app.vitals.heard(shard, Instant::now());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.insert(shard, stats.clone()).unwrap_or_default();
        let metrics = &self.app.metrics;
        grow(metrics, &before, stats);
        let load = ShardLabels { shard: shard.0 };
        metrics.shard_load.get_or_create(&load).set(stats.load);
        metrics.shard_peers.get_or_create(&load).set(i64::from(stats.peers));
        let backend = BackendLabels { kind: stats.backend.into() };
        metrics.backend.get_or_create(&backend).set(1);
        let sum =
            |of: fn(&ShardStats) -> u32| last.values().map(|stats| i64::from(of(stats))).sum();
        metrics.rooms.set(sum(|stats| stats.rooms));
        metrics.peers.set(sum(|stats| stats.peers));
        metrics.backend_fallback.set(sum(|stats| u32::from(stats.fallback)));
        metrics.estimated.set(sum(|stats| stats.estimated));
        metrics.paused_slots.set(sum(|stats| stats.paused_slots));
        let bits = |of: fn(&ShardStats) -> u64| {
            let all = last.values().map(of).fold(0_u64, u64::saturating_add);
            i64::try_from(all).unwrap_or(i64::MAX)
        };
        metrics.estimate_bps.set(bits(|stats| stats.estimate_bps));
        metrics.allocated_bps.set(bits(|stats| stats.allocated_bps));
        let pacing = Duration::from_micros(stats.pacing_us).as_secs_f64();
        metrics.pacing_seconds.get_or_create(&load).set(pacing);
    }
}

fn grow(metrics: &Metrics, before: &ShardStats, now: &ShardStats) {
    let flow = |direction: &'static str, packets: u64, bytes: u64| {
        let labels = DirectionLabels { direction: direction.into() };
        metrics.packets.get_or_create(&labels).inc_by(packets);
        metrics.bytes.get_or_create(&labels).inc_by(bytes);
    };
    flow(
        "in",
        now.datagrams_received.saturating_sub(before.datagrams_received),
        now.bytes_received.saturating_sub(before.bytes_received),
    );
    flow(
        "out",
        now.datagrams_sent.saturating_sub(before.datagrams_sent),
        now.bytes_sent.saturating_sub(before.bytes_sent),
    );
    let media = StreamLabels { stream: "media".into() };
    let rtx = StreamLabels { stream: "rtx".into() };
    let full = ReasonLabels { reason: "full".into() };
    let error = ReasonLabels { reason: "error".into() };
    let growth = |of: fn(&ShardStats) -> u64| of(now).saturating_sub(of(before));
    metrics.padded.get_or_create(&media).inc_by(growth(|stats| stats.padded));
    metrics.padded.get_or_create(&rtx).inc_by(growth(|stats| stats.padded_rtx));
    metrics.retransmissions.inc_by(growth(|stats| stats.retransmitted));
    metrics.border_packets.inc_by(growth(|stats| stats.border_packets));
    metrics.key_frame_requests.inc_by(growth(|stats| stats.key_frame_requests));
    metrics.probes.inc_by(growth(|stats| stats.probes));
    metrics.probe_packets.inc_by(growth(|stats| stats.probe_packets));
    metrics.queues_cut.inc_by(growth(|stats| stats.queues_cut));
    metrics.layers_off.inc_by(growth(|stats| stats.layers_off));
    metrics.send_refused.get_or_create(&full).inc_by(growth(|stats| stats.send_would_block));
    metrics.send_refused.get_or_create(&error).inc_by(growth(|stats| stats.send_errors));
    for (reason, count) in &now.drops {
        let known = before.drops.iter().find(|(name, _)| name == reason);
        let growth = count.saturating_sub(known.map_or(0, |(_, count)| *count));
        let labels = ReasonLabels { reason: (*reason).into() };
        metrics.drops.get_or_create(&labels).inc_by(growth);
    }
    for (reason, count) in &now.late {
        let known = before.late.iter().find(|(name, _)| name == reason);
        let growth = count.saturating_sub(known.map_or(0, |(_, count)| *count));
        metrics.late.get_or_create(&ReasonLabels { reason: (*reason).into() }).inc_by(growth);
    }
}
