//! The rate at which packets arrive at the receiver (libwebrtc `BitrateEstimator`).

/// Window of the first sample.
const FIRST_WINDOW_US: f64 = 500_000.0;
const WINDOW_US: f64 = 150_000.0;

/// A Bayesian mean of windowed rates, in kbit/s as the published constants are.
#[derive(Debug, Default)]
pub(crate) struct AckedRate {
    last_us: Option<i64>,
    bytes: f64,
    window_us: f64,
    estimate: Option<(f64, f64)>,
}

impl AckedRate {
    /// bit/s.
    pub(crate) fn bps(&self) -> Option<f64> {
        self.estimate.map(|(mean, _)| mean * 1_000.0)
    }

    /// The leg begins to send much more: believe new samples sooner.
    pub(crate) fn expect_change(&mut self) {
        if let Some((_, variance)) = &mut self.estimate {
            *variance += 200.0;
        }
    }

    /// Packets in the order of arrival.
    pub(crate) fn on_packet(&mut self, arrival_us: i64, bytes: u16, app_limited: bool) {
        let Some(sample) = self.sample(arrival_us, bytes) else { return };
        let Some((mean, variance)) = self.estimate else {
            self.estimate = Some((sample, 50.0));
            return;
        };
        // A low sample says little while little is sent.
        let scale = if app_limited && sample < mean { 20.0 } else { 10.0 };
        let uncertainty = scale * (mean - sample).abs() / mean.max(1.0);
        let sample_variance = uncertainty * uncertainty;
        let predicted = variance + 5.0;
        let sum = sample_variance + predicted;
        let mean = (sample_variance * mean + predicted * sample) / sum;
        self.estimate = Some((mean.max(0.0), sample_variance * predicted / sum));
    }

    fn sample(&mut self, arrival_us: i64, bytes: u16) -> Option<f64> {
        let window = if self.estimate.is_some() { WINDOW_US } else { FIRST_WINDOW_US };
        if let Some(last) = self.last_us {
            let passed = arrival_us.saturating_sub(last).max(0) as f64;
            self.window_us += passed;
            if passed > window {
                self.bytes = 0.0;
                self.window_us %= window;
            }
        }
        self.last_us = Some(self.last_us.map_or(arrival_us, |last| last.max(arrival_us)));
        let mut sample = None;
        if self.window_us >= window {
            sample = Some(8_000.0 * self.bytes / window);
            self.window_us -= window;
            self.bytes = 0.0;
        }
        self.bytes += f64::from(bytes);
        sample
    }
}
