//! What `/metrics` shows. Handles are cheap to clone and to count with.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use weir_sfu_api::{GoneReason, SrtpProfile};

type Text = Cow<'static, str>;

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        #[allow(missing_docs, reason = "label names speak for themselves")]
        pub struct $name { $(pub $field: $ty,)* }
    };
}

labels!(
    /// One kind of HTTP answer.
    HttpLabels { method: Text, route: Text, status: u16, }
);
labels!(
    /// `in` or `out`.
    DirectionLabels { direction: Text, }
);
labels!(
    /// Why something was dropped.
    ReasonLabels { reason: Text, }
);
labels!(
    /// One shard.
    ShardLabels { shard: u16, }
);
labels!(
    /// How a handshake ended, and with which SRTP profile.
    HandshakeLabels { result: Text, profile: Text, }
);
labels!(
    /// A kind of RTP stream.
    StreamLabels { stream: Text, }
);
labels!(
    /// A network backend.
    BackendLabels { kind: Text, }
);

/// All metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    /// HTTP answers by method, route and status.
    pub http_requests: Family<HttpLabels, Counter>,
    /// RTP and RTCP packets by direction.
    pub packets: Family<DirectionLabels, Counter>,
    /// RTP and RTCP bytes by direction.
    pub bytes: Family<DirectionLabels, Counter>,
    /// Packets dropped by reason.
    pub drops: Family<ReasonLabels, Counter>,
    /// Datagrams that came too late to matter, by reason.
    pub late: Family<ReasonLabels, Counter>,
    /// Open rooms.
    pub rooms: Gauge,
    /// Peers with state in a shard.
    pub peers: Gauge,
    /// Peers of each shard.
    pub shard_peers: Family<ShardLabels, Gauge>,
    /// Packets that went from one shard to another.
    pub border_packets: Counter,
    /// Share of time a shard's thread is busy, 0 to 1.
    pub shard_load: Family<ShardLabels, Gauge<f64, AtomicU64>>,
    /// DTLS handshakes by result and SRTP profile.
    pub handshakes: Family<HandshakeLabels, Counter>,
    /// Peers gone by reason.
    pub peers_gone: Family<ReasonLabels, Counter>,
    /// Seconds from a peer's first offer to media.
    pub join_seconds: Histogram,
    /// The network backend in use has 1.
    pub backend: Family<BackendLabels, Gauge>,
    /// Shards whose preferred backend was not available.
    pub backend_fallback: Gauge,
    /// Retransmissions sent to receivers.
    pub retransmissions: Counter,
    /// Packets padded to even out trains; `stream` is `media` or `rtx`.
    pub padded: Family<StreamLabels, Counter>,
    /// Key frames asked of publishers.
    pub key_frame_requests: Counter,
    /// Datagrams the kernel refused; reason `full` or `error`.
    pub send_refused: Family<ReasonLabels, Counter>,
    /// Probes of receivers' paths.
    pub probes: Counter,
    /// Packets of padding those probes were made of.
    pub probe_packets: Counter,
    /// Times a receiver's queue was too long and frames were dropped from it.
    pub queues_cut: Counter,
    /// Layers that publishers were asked not to send.
    pub layers_off: Counter,
    /// Receivers with an estimate of their path.
    pub estimated: Gauge,
    /// Sum of those estimates in bits per second.
    pub estimate_bps: Gauge,
    /// Sum of what is given to those receivers' video in bits per second.
    pub allocated_bps: Gauge,
    /// Slots that nothing is sent to for want of bandwidth.
    pub paused_slots: Gauge,
    /// The longest time in seconds that a packet waits for a shard's pacers.
    pub pacing_seconds: Family<ShardLabels, Gauge<f64, AtomicU64>>,
    /// Open signalling sessions.
    pub sessions: Gauge,
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("weir")),
            http_requests: Family::default(),
            packets: Family::default(),
            bytes: Family::default(),
            drops: Family::default(),
            late: Family::default(),
            rooms: Gauge::default(),
            peers: Gauge::default(),
            shard_peers: Family::default(),
            border_packets: Counter::default(),
            shard_load: Family::default(),
            handshakes: Family::default(),
            peers_gone: Family::default(),
            // 5 ms to 20 s.
            join_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 13)),
            backend: Family::default(),
            backend_fallback: Gauge::default(),
            retransmissions: Counter::default(),
            padded: Family::default(),
            key_frame_requests: Counter::default(),
            send_refused: Family::default(),
            probes: Counter::default(),
            probe_packets: Counter::default(),
            queues_cut: Counter::default(),
            layers_off: Counter::default(),
            estimated: Gauge::default(),
            estimate_bps: Gauge::default(),
            allocated_bps: Gauge::default(),
            paused_slots: Gauge::default(),
            pacing_seconds: Family::default(),
            sessions: Gauge::default(),
        };
        metrics.register(|r| {
            r.register("http_requests", "HTTP answers", metrics.http_requests.clone());
            r.register("packets", "RTP and RTCP packets", metrics.packets.clone());
            r.register("bytes", "RTP and RTCP bytes", metrics.bytes.clone());
            r.register("drops", "Packets dropped", metrics.drops.clone());
            r.register("late", "Datagrams too late to matter, no drops", metrics.late.clone());
            r.register("rooms", "Open rooms", metrics.rooms.clone());
            r.register("peers", "Peers with state in a shard", metrics.peers.clone());
            r.register("shard_peers", "Peers of each shard", metrics.shard_peers.clone());
            let border = metrics.border_packets.clone();
            r.register("border_packets", "Packets from one shard to another", border);
            r.register("shard_load", "Busy share of a shard", metrics.shard_load.clone());
            r.register("handshakes", "DTLS handshakes", metrics.handshakes.clone());
            r.register("peers_gone", "Peers gone", metrics.peers_gone.clone());
            r.register("join_seconds", "First offer to media", metrics.join_seconds.clone());
            r.register("backend_info", "Network backend in use", metrics.backend.clone());
            r.register(
                "backend_fallback",
                "Shards on a fallback backend",
                metrics.backend_fallback.clone(),
            );
            r.register("retransmissions", "RTX packets sent", metrics.retransmissions.clone());
            r.register("padded_packets", "Packets padded for trains", metrics.padded.clone());
            r.register(
                "key_frame_requests",
                "Key frames asked of publishers",
                metrics.key_frame_requests.clone(),
            );
            r.register("send_refused", "Datagrams refused", metrics.send_refused.clone());
            r.register("signaling_sessions", "Open sessions", metrics.sessions.clone());
        });
        metrics.register_paths();
        metrics
    }

    /// What the receivers' paths carry.
    fn register_paths(&self) {
        self.register(|r| {
            r.register("probes", "Probes of receivers' paths", self.probes.clone());
            r.register("probe_packets", "Padding sent to probe", self.probe_packets.clone());
            r.register("queues_cut", "Receivers' queues cut for length", self.queues_cut.clone());
            r.register("layers_off", "Layers asked off at publishers", self.layers_off.clone());
            r.register("estimated_receivers", "Receivers with an estimate", self.estimated.clone());
            r.register(
                "estimate_bps",
                "Sum of the estimates of receivers' paths, bits per second",
                self.estimate_bps.clone(),
            );
            r.register(
                "allocated_bps",
                "Sum of what is given to receivers' video, bits per second",
                self.allocated_bps.clone(),
            );
            r.register(
                "paused_slots",
                "Slots without media for want of bandwidth",
                self.paused_slots.clone(),
            );
            r.register(
                "pacing_seconds",
                "Longest wait for a pacer, now",
                self.pacing_seconds.clone(),
            );
        });
    }

    /// Adds further metrics; names get the prefix `weir_`.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A peer's media can flow, `setup_us` microseconds after its first offer.
    pub fn connected(&self, profile: SrtpProfile, setup_us: u64) {
        let profile = match profile {
            SrtpProfile::AeadAes128Gcm => "aead_aes_128_gcm",
            SrtpProfile::AeadAes256Gcm => "aead_aes_256_gcm",
            SrtpProfile::Aes128CmHmacSha1_80 => "aes128_cm_hmac_sha1_80",
            SrtpProfile::Aes128CmHmacSha1_32 => "aes128_cm_hmac_sha1_32",
        };
        let labels = HandshakeLabels { result: "ok".into(), profile: profile.into() };
        self.handshakes.get_or_create(&labels).inc();
        self.join_seconds.observe(std::time::Duration::from_micros(setup_us).as_secs_f64());
    }

    /// A peer's state is freed.
    pub fn gone(&self, reason: GoneReason) {
        let word = match reason {
            GoneReason::Left => "left",
            GoneReason::ConsentExpired => "consent_expired",
            GoneReason::HandshakeFailed => "handshake_failed",
            GoneReason::Closed => "closed",
            GoneReason::RoomClosed => "room_closed",
        };
        self.peers_gone.get_or_create(&ReasonLabels { reason: word.into() }).inc();
        if reason == GoneReason::HandshakeFailed {
            let labels = HandshakeLabels { result: "failed".into(), profile: "none".into() };
            self.handshakes.get_or_create(&labels).inc();
        }
    }

    /// The text format 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        let mut open_metrics = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut open_metrics, &registry);
        drop(registry);
        prometheus_text(&open_metrics)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// OpenMetrics names the family of `x_total` plain `x`, has `# UNIT` and ends with `# EOF`; the
/// older format wants the sample's name in `# TYPE` and `# HELP`.
fn prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let counter = |line: &str| {
            let name = line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?;
            Some(name.to_owned())
        };
        let next_type = lines.peek().and_then(|next| counter(next));
        let _ = if let Some(name) = counter(line) {
            writeln!(text, "# TYPE {name}_total counter")
        } else if let (Some(name), Some(help)) = (next_type, line.strip_prefix("# HELP "))
            && let Some(help) = help.strip_prefix(&name)
        {
            writeln!(text, "# HELP {name}_total{help}")
        } else {
            writeln!(text, "{line}")
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn counters_are_typed_under_their_sample_name() {
        let metrics = Metrics::new();
        metrics.drops.get_or_create(&super::ReasonLabels { reason: "replay".into() }).inc();
        let text = metrics.text();
        assert!(text.contains("# TYPE weir_drops_total counter\n"), "{text}");
        assert!(text.contains("weir_drops_total{reason=\"replay\"} 1\n"), "{text}");
        assert!(text.contains("# TYPE weir_rooms gauge\nweir_rooms 0\n"), "{text}");
        assert!(!text.contains("EOF"));
    }
}
