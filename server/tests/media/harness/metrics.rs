//! What `/metrics` says.

use super::{Server, until};
use std::collections::BTreeMap;

/// All samples by name with labels, as they are written.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// The sum of all samples of this name of which the labels contain each of `labels`, for
    /// example `reason="stun"`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let of_name = |key: &str| key.split('{').next() == Some(name);
        let all = self.0.iter().filter(|(key, _)| of_name(key));
        all.filter(|(key, _)| labels.iter().all(|label| key.contains(label)))
            .map(|(_, value)| value)
            .sum()
    }

    /// Drops by reason.
    pub(crate) fn drops(&self, reason: &str) -> f64 {
        self.sum("weir_drops_total", &[&format!("reason=\"{reason}\"")])
    }

    pub(crate) fn all_drops(&self) -> Vec<(String, f64)> {
        let drops = self.0.iter().filter(|(key, _)| key.starts_with("weir_drops_total"));
        drops.filter(|(_, value)| **value > 0.0).map(|(key, value)| (key.clone(), *value)).collect()
    }

    pub(crate) fn peers(&self) -> f64 {
        self.sum("weir_peers", &[])
    }

    pub(crate) fn rooms(&self) -> f64 {
        self.sum("weir_rooms", &[])
    }
}

impl Server {
    pub(crate) fn metrics(&self) -> Metrics {
        let answer = self.request("GET", "/metrics", &[], "");
        assert_eq!(answer.status, 200, "{answer:?}");
        let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
        Metrics(
            samples
                .filter_map(|line| line.rsplit_once(' '))
                .filter_map(|(key, value)| Some((key.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// Waits for something in the metrics, which follow once a second.
    #[track_caller]
    pub(crate) fn until_metrics(&self, what: &str, good: impl Fn(&Metrics) -> bool) -> Metrics {
        until(what, || Some(self.metrics()).filter(&good))
    }
}

impl Server {
    /// No reason has been counted, in metrics that are newer than what came before.
    #[track_caller]
    pub(crate) fn nothing_was_dropped(&self) {
        let packets = |metrics: &Metrics| metrics.sum("weir_packets_total", &["in"]);
        let before = packets(&self.metrics());
        let metrics = self.until_metrics("metrics go on", |now| packets(now) > before);
        assert_eq!(metrics.all_drops(), []);
        assert_eq!(metrics.sum("weir_send_refused_total", &[]), 0.0);
    }
}
