//! Small seeded randomness: what is drawn by lot, thousands of times over, in eight bytes.

use std::time::Duration;

/// SplitMix64. Not for keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lots(u64);

impl Lots {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Up to, and without, `limit`.
    pub(crate) fn below(&mut self, limit: Duration) -> Duration {
        limit.mul_f64(self.share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_even_and_repeat() {
        let draw = || {
            let mut lots = Lots::new(7);
            (0..10_000).map(|_| lots.share()).collect::<Vec<_>>()
        };
        let all = draw();
        assert_eq!(all, draw());
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((0.49..0.51).contains(&mean), "{mean}");
        assert!(all.iter().all(|share| (0.0..1.0).contains(share)));
    }
}
