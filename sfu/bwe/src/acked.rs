//! The rate at which packets arrive at the receiver.
//!
//! A plain mean over some windows, as libwebrtc's newer `RobustThroughputEstimator`: its older
//! Bayesian one takes seconds to believe a rate that a probe has made several times higher.

/// One sample.
const WINDOW_US: i64 = 150_000;
/// Samples in the mean: 0.45 s.
const SAMPLES: usize = 3;
/// Arrivals with a longer gap are no one stretch.
const GAP_US: i64 = 600_000;

#[derive(Debug, Default)]
pub(crate) struct AckedRate {
    /// Where the window began, and its bytes.
    window: Option<(i64, f64)>,
    /// bit/s, newest first.
    samples: [f64; SAMPLES],
    filled: usize,
}

impl AckedRate {
    /// bit/s over some half a second.
    pub(crate) fn bps(&self) -> Option<f64> {
        self.mean(SAMPLES)
    }

    /// bit/s over the last 0.3 s: what the path delivers at a moment when its queue is full.
    pub(crate) fn recent_bps(&self) -> Option<f64> {
        self.mean(2)
    }

    fn mean(&self, most: usize) -> Option<f64> {
        let n = self.filled.min(most);
        (n > 0).then(|| self.samples.iter().take(n).sum::<f64>() / n as f64)
    }

    /// Packets in the order of arrival.
    pub(crate) fn on_packet(&mut self, arrival_us: i64, bytes: u16) {
        let Some((begin, sum)) = &mut self.window else {
            self.window = Some((arrival_us, f64::from(bytes)));
            return;
        };
        let passed = arrival_us.saturating_sub(*begin);
        if !(-GAP_US..=GAP_US).contains(&passed) {
            // A pause, or another clock.
            self.window = Some((arrival_us, f64::from(bytes)));
            return;
        }
        if passed < WINDOW_US {
            // An earlier arrival, told late, counts here too.
            *sum += f64::from(bytes);
            return;
        }
        let sample = *sum * 8e6 / passed.max(WINDOW_US) as f64;
        self.window = Some((arrival_us, f64::from(bytes)));
        self.samples.rotate_right(1);
        if let Some(newest) = self.samples.first_mut() {
            *newest = sample;
        }
        self.filled = self.filled.saturating_add(1).min(SAMPLES);
    }
}
