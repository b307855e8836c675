//! What each layer of one stream costs, measured over the last second, or as many of them as slow
//! pictures take. Key frames count as any other frame: they come when asked for, and one of a screen is
//! as large as a second of it.

use crate::limits;
use crate::select::{LAYERS_EACH, Level};
use std::time::Instant;

/// Buckets of [`limits::LADDER_INTERVAL`] that are kept: four seconds.
const BUCKETS: usize = 16;
/// Buckets that make up the measure at least: one second.
const LEAST: usize = 4;
/// Frames likewise: with three temporal layers five of the lowest.
const FRAMES: u32 = 20;
/// A key frame is taken to be so many times as large as others while none of these were seen.
const KEY_FACTOR: u64 = 4;

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Without those of key frames.
    bytes: [u32; 16],
    /// With key frames.
    frames: [u16; 16],
    keys: [u16; 16],
}

/// Bytes and frames by spatial and temporal layer.
#[derive(Debug)]
pub(crate) struct Rates {
    open: Bucket,
    full: [Bucket; BUCKETS],
    next: usize,
    /// Full buckets so far, up to [`BUCKETS`].
    filled: u8,
    opened: Option<Instant>,
    /// Buckets in a row in which the layer was present within the last second.
    present: [u8; 16],
    last_frame: (u32, u8),
    /// Timestamp of the last key picture, and its bytes by layer.
    key: Option<u32>,
    key_bytes: [u32; 16],
}

/// One layer's own part, without those below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) bps: u64,
    pub(crate) fps: u32,
    /// Long enough there to be relied on.
    pub(crate) steady: bool,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            open: Bucket::default(),
            full: [Bucket::default(); BUCKETS],
            next: 0,
            filled: 0,
            opened: None,
            present: [0; 16],
            last_frame: (0, u8::MAX),
            key: None,
            key_bytes: [0; 16],
        }
    }
}

impl Rates {
    /// A packet of `bytes` (header and payload) came; `key` where it is seen to be of a key frame.
    pub(crate) fn note(
        &mut self,
        level: Level,
        timestamp: u32,
        bytes: usize,
        key: bool,
        now: Instant,
    ) {
        self.roll(now);
        if key && self.key != Some(timestamp) {
            self.key = Some(timestamp);
            self.key_bytes = [0; 16];
        }
        let key = self.key == Some(timestamp);
        let index = level.index();
        let sums = if key { &mut self.key_bytes } else { &mut self.open.bytes };
        if let Some(sum) = sums.get_mut(index) {
            *sum = sum.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        }
        if self.last_frame != (timestamp, level.spatial()) {
            self.last_frame = (timestamp, level.spatial());
            let more = |count: Option<&mut u16>| {
                if let Some(count) = count {
                    *count = count.saturating_add(1);
                }
            };
            more(self.open.frames.get_mut(index));
            more(self.open.keys.get_mut(index).filter(|_| key));
        }
    }

    /// Closes buckets whose time is over.
    // Kept apart: inlined into one another these loops take LLVM ten minutes to unswitch.
    #[inline(never)]
    fn roll(&mut self, now: Instant) {
        let mut opened = *self.opened.get_or_insert(now);
        for _ in 0..=BUCKETS {
            let Some(end) = opened.checked_add(limits::LADDER_INTERVAL).filter(|end| *end <= now)
            else {
                self.opened = Some(opened);
                return;
            };
            opened = end;
            if let Some(place) = self.full.get_mut(self.next) {
                *place = std::mem::take(&mut self.open);
            }
            self.next = self.next.wrapping_add(1) % BUCKETS;
            self.filled = self.filled.saturating_add(1).min(BUCKETS as u8);
            for (index, present) in self.present.iter_mut().enumerate() {
                let sum = newest(&self.full, self.next)
                    .take(LEAST)
                    .filter_map(|bucket| bucket.frames.get(index))
                    .any(|frames| *frames > 0);
                *present = if sum { present.saturating_add(1) } else { 0 };
            }
        }
        // Nothing for longer than the measure.
        self.opened = Some(now);
    }

    /// Looks at the last second or more, or at what there was of it.
    #[inline(never)]
    pub(crate) fn measure(&mut self, now: Instant) -> [Rate; 16] {
        self.roll(now);
        let mut rates = [Rate::default(); 16];
        let filled = usize::from(self.filled);
        let (mut count, mut seen) = (0usize, 0u32);
        for bucket in newest(&self.full, self.next).take(filled) {
            if count >= LEAST && seen >= FRAMES {
                break;
            }
            count = count.saturating_add(1);
            seen = seen.saturating_add(bucket.frames.iter().copied().map(u32::from).sum());
        }
        let interval = limits::LADDER_INTERVAL.as_millis() as u64;
        let ms = u64::try_from(count).unwrap_or(0).saturating_mul(interval);
        for (index, rate) in rates.iter_mut().enumerate() {
            let sums = |get: &dyn Fn(&Bucket) -> u64| {
                newest(&self.full, self.next).take(count).map(get).sum::<u64>()
            };
            let bytes = sums(&|b| b.bytes.get(index).copied().unwrap_or(0).into());
            let frames = sums(&|b| b.frames.get(index).copied().unwrap_or(0).into());
            let keys = sums(&|b| b.keys.get(index).copied().unwrap_or(0).into());
            let plain = frames.saturating_sub(keys);
            let bytes = match bytes.saturating_mul(frames).checked_div(plain) {
                Some(bytes) => bytes,
                None => {
                    let of_key = self.key_bytes.get(index).copied().unwrap_or(0);
                    u64::from(of_key).saturating_mul(keys) / KEY_FACTOR
                }
            };
            let present = self.present.get(index).copied().unwrap_or(0);
            *rate = Rate {
                bps: bytes.saturating_mul(8_000).checked_div(ms).unwrap_or(0),
                fps: u32::try_from(
                    frames
                        .saturating_mul(1_000)
                        .saturating_add(ms >> 1)
                        .checked_div(ms)
                        .unwrap_or(0),
                )
                .unwrap_or(0),
                steady: present >= 2,
            };
        }
        rates
    }

    /// Bits and frames per second of all that `level` has, from what [`Self::measure`] gave.
    #[inline(never)]
    pub(crate) fn of(rates: &[Rate; 16], level: Level) -> (u64, u32) {
        let (mut bps, mut fps) = (0u64, 0u32);
        for (part, rate) in Level::all().zip(rates) {
            if level.covers(part) {
                bps = bps.saturating_add(rate.bps);
                if part.spatial() == level.spatial() {
                    fps = fps.saturating_add(rate.fps);
                }
            }
        }
        (bps, fps)
    }

    /// Whether `spatial` (in any temporal layer), or `temporal` (in any spatial one), is steady.
    #[inline(never)]
    pub(crate) fn has(rates: &[Rate; 16], spatial: Option<u8>, temporal: Option<u8>) -> bool {
        Level::all().zip(rates).any(|(part, rate)| {
            rate.steady
                && spatial.is_none_or(|spatial| part.spatial() == spatial)
                && temporal.is_none_or(|temporal| part.temporal() == temporal)
        })
    }

    /// The highest layers that are steady, those between counted as there.
    #[inline(never)]
    pub(crate) fn top(rates: &[Rate; 16]) -> Level {
        let spatial = (0..LAYERS_EACH).rev().find(|s| Self::has(rates, Some(*s), None));
        let temporal = (0..LAYERS_EACH).rev().find(|t| Self::has(rates, None, Some(*t)));
        Level::new(spatial.unwrap_or(0), temporal.unwrap_or(0))
    }
}

/// The full buckets, newest first.
fn newest(full: &[Bucket; BUCKETS], next: usize) -> impl Iterator<Item = &Bucket> {
    let (newer, older) = full.split_at(next.min(BUCKETS));
    newer.iter().rev().chain(older.iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_layer_is_measured_by_itself_over_a_second() {
        let start = Instant::now();
        let mut rates = Rates::default();
        let at = |ms: u64| start + Duration::from_millis(ms);
        for n in 0..60u64 {
            let temporal = (n % 2) as u8;
            // Two packets a frame.
            rates.note(Level::new(0, temporal), n as u32, 400, n == 0, at(n * 33));
            rates.note(Level::new(0, temporal), n as u32, 600, n == 0, at(n * 33));
        }
        let measured = rates.measure(at(60 * 33));
        let (bps, fps) = Rates::of(&measured, Level::new(0, 1));
        assert!((230_000..=250_000).contains(&bps), "{bps}");
        assert!((29..=31).contains(&fps), "{fps}");
        let (bps, fps) = Rates::of(&measured, Level::BASE);
        assert!((110_000..=130_000).contains(&bps), "{bps}");
        assert!((14..=16).contains(&fps), "{fps}");
        assert_eq!(Rates::top(&measured), Level::new(0, 1));
        // The upper layer ends.
        for n in 60..100u64 {
            rates.note(Level::BASE, n as u32, 1_000, false, at(n * 33));
        }
        assert_eq!(Rates::top(&rates.measure(at(3_400))), Level::BASE);
        // All is silent.
        let measured = rates.measure(at(10_000));
        assert_eq!(Rates::of(&measured, Level::FULL), (0, 0));
        assert!(!Rates::has(&measured, None, None));
    }

    /// A screen of 5 frames a second in three temporal layers, and a key frame ten times as large.
    #[test]
    fn key_frames_and_slow_pictures_leave_the_measure_as_it_is() {
        let start = Instant::now();
        let mut rates = Rates::default();
        let at = |ms: u64| start + Duration::from_millis(ms);
        for n in 0..60u64 {
            let temporal = [0, 2, 1, 2][n as usize % 4];
            let key = n % 28 == 0;
            let packets = if key { 100 } else { 10 };
            for packet in 0..packets {
                // Only the first packet shows it.
                let seen = key && packet == 0;
                rates.note(Level::new(0, temporal), n as u32, 1_000, seen, at(n * 200));
            }
            if n < 8 {
                continue;
            }
            let measured = rates.measure(at(n * 200));
            let (bps, _) = Rates::of(&measured, Level::FULL);
            assert!((370_000..=430_000).contains(&bps), "{n}: {bps}");
            let (bps, _) = Rates::of(&measured, Level::BASE);
            assert!((70_000..=145_000).contains(&bps), "{n}: {bps}");
        }
    }
}
