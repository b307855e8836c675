//! The rate at which a cluster arrived (after libwebrtc `ProbeBitrateEstimator`).

use crate::delay::Arrived;

/// Clusters measured at once.
const CLUSTERS: usize = 4;
/// A cluster must arrive in this many packets to be measured.
const MIN_PACKETS: u32 = 4;
/// Packets sent this close together are one burst of the pacer.
const BURST_US: i64 = 1_000;
/// Shortest time over which a rate is measured.
const MIN_INTERVAL_US: i64 = 4_000;
const MAX_INTERVAL_US: i64 = 1_000_000;
/// A cluster received this much faster than sent tells nothing.
const MAX_RATIO: f64 = 2.0;
/// Received at less than this share of the sent rate: the path is full, take a little less.
const UNSATURATED: f64 = 0.9;
const TARGET: f64 = 0.95;

/// What a cluster tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) cluster: u8,
    /// Received of it.
    pub(crate) bytes: f64,
    /// What the path carries, bit/s.
    pub(crate) bps: f64,
    /// And no more: the cluster arrived slower than it was sent.
    pub(crate) full: bool,
}

impl Found {
    /// What would have been found on the same path without this share of loss.
    pub(crate) fn lossless(self, loss: f64) -> Self {
        let part = 1.0 - loss;
        Self { bytes: self.bytes / part, bps: self.bps / part, ..self }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cluster {
    id: u8,
    packets: u32,
    bytes: f64,
    first_sent: i64,
    /// Of the first burst.
    first_bytes: f64,
    first_arrival: i64,
    last_sent: i64,
    last_arrival: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Measure {
    clusters: [Cluster; CLUSTERS],
}

impl Measure {
    /// A packet of a cluster; what the cluster so far tells, if anything.
    pub(crate) fn on_packet(&mut self, packet: &Arrived) -> Option<Found> {
        let at = usize::from(packet.cluster) % CLUSTERS;
        let cluster = self.clusters.get_mut(at)?;
        if cluster.id != packet.cluster || cluster.packets == 0 {
            *cluster = Cluster {
                id: packet.cluster,
                first_sent: packet.sent_us,
                first_arrival: packet.arrival_us,
                last_sent: packet.sent_us,
                last_arrival: packet.arrival_us,
                ..Cluster::default()
            };
        }
        let bytes = f64::from(packet.bytes);
        cluster.packets = cluster.packets.saturating_add(1);
        cluster.bytes += bytes;
        if packet.sent_us.saturating_sub(cluster.first_sent) < BURST_US {
            cluster.first_bytes += bytes;
            cluster.first_arrival = cluster.first_arrival.max(packet.arrival_us);
        }
        cluster.last_sent = cluster.last_sent.max(packet.sent_us);
        cluster.last_arrival = cluster.last_arrival.max(packet.arrival_us);
        cluster.rate()
    }
}

impl Cluster {
    fn rate(&self) -> Option<Found> {
        let sent_us = self.last_sent.saturating_sub(self.first_sent);
        let arrival_us = self.last_arrival.saturating_sub(self.first_arrival);
        let times = MIN_INTERVAL_US..=MAX_INTERVAL_US;
        if self.packets < MIN_PACKETS || !times.contains(&sent_us) || !times.contains(&arrival_us) {
            return None;
        }
        // The first burst begins the interval; without queueing the others arrive as they were sent.
        let bits = (self.bytes - self.first_bytes) * 8.0;
        let (sent, received) = (bits * 1e6 / sent_us as f64, bits * 1e6 / arrival_us as f64);
        if sent <= 0.0 || received <= 0.0 || received > MAX_RATIO * sent {
            return None;
        }
        let full = received < UNSATURATED * sent;
        let bps = if full { TARGET * received } else { sent.min(received) };
        Some(Found { cluster: self.id, bytes: self.bytes, bps, full })
    }
}
