//! Whole frames of a video stream, key frames, and freezes.

use super::sequence::{CAME, KEY, MARKER, PADDING, Sequence};
use std::time::{Duration, Instant};

/// Gaps that the average is taken over (W3C webrtc-stats, `freezeCount`).
const GAPS: usize = 30;
/// A frame longer than this late is a freeze, whatever the average.
const SLACK: Duration = Duration::from_millis(150);

/// A frame that a decoder could have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) key: bool,
    /// The picture had stood still for this long.
    pub(super) freeze: Option<Duration>,
}

/// Puts frames together from numbers in a row, marker to marker.
#[derive(Debug)]
pub(super) struct Picture {
    /// The next number to be used.
    next: Option<u64>,
    /// All packets of the frame so far came.
    intact: bool,
    key: bool,
    /// What comes can be decoded.
    decodable: bool,
    /// Every frame can, as far as we are able to tell.
    blind: bool,
    /// Something was given up since [`Self::take_broken`].
    broken: bool,
    last: Option<Instant>,
    gaps: [u32; GAPS],
    count: usize,
}

impl Picture {
    /// `blind`: key frames cannot be recognised.
    pub(super) fn new(blind: bool) -> Self {
        Self {
            next: None,
            intact: false,
            key: false,
            decodable: blind,
            blind,
            broken: false,
            last: None,
            gaps: [0; GAPS],
            count: 0,
        }
    }

    /// Waits for a key frame.
    pub(super) fn wants_key(&self) -> bool {
        !self.decodable
    }

    /// What could be decoded before cannot any more, since the last call.
    pub(super) fn take_broken(&mut self) -> bool {
        std::mem::take(&mut self.broken)
    }

    /// A key frame is under way.
    pub(super) fn has_key(&self) -> bool {
        self.key && self.intact
    }

    /// Uses what is in a row now; `show` is called for each frame.
    pub(super) fn advance(&mut self, now: Instant, seq: &Sequence, mut show: impl FnMut(Shown)) {
        let Some(highest) = seq.highest() else { return };
        let mut next = match self.next {
            // Far behind, or it began anew.
            Some(next) if next <= highest + 1 && highest - next.min(highest) < 1_000 => next,
            _ => {
                self.intact = self.blind;
                self.key = false;
                highest
            }
        };
        while next <= highest {
            let flags = seq.flags(next);
            if flags & CAME == 0 {
                if seq.may_come(next) {
                    break;
                }
                self.intact = false;
                self.key = false;
                self.broken |= self.decodable;
                self.decodable = self.blind;
            }
            next += 1;
            if flags & PADDING != 0 {
                continue;
            }
            if flags & KEY != 0 {
                self.key = true;
                self.intact = true;
            }
            if flags & MARKER != 0 {
                if self.intact && (self.key || self.decodable) {
                    self.decodable = true;
                    show(Shown { key: self.key, freeze: self.gap(now) });
                }
                self.intact = true;
                self.key = false;
            }
        }
        self.next = Some(next);
    }

    /// The stream shows something else from now on: the time since the last frame is no freeze.
    pub(super) fn changed(&mut self) {
        self.last = None;
        self.count = 0;
    }

    fn gap(&mut self, now: Instant) -> Option<Duration> {
        let last = self.last.replace(now)?;
        let gap = now.saturating_duration_since(last);
        let known = self.count.min(GAPS);
        let mut freeze = None;
        if known == GAPS {
            let average = self.gaps.iter().map(|us| u64::from(*us)).sum::<u64>() / GAPS as u64;
            let average = Duration::from_micros(average);
            freeze = (gap >= (average * 3).max(average + SLACK)).then_some(gap);
        }
        let us = gap.as_micros().min(u128::from(u32::MAX)) as u32;
        self.gaps[self.count % GAPS] = us;
        self.count += 1;
        if self.count >= 2 * GAPS {
            self.count -= GAPS;
        }
        freeze
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    struct Stream {
        seq: Sequence,
        picture: Picture,
        shown: Vec<Shown>,
    }

    impl Stream {
        fn new(blind: bool) -> Self {
            let picture = Picture::new(blind);
            Self { seq: Sequence::new(256), picture, shown: Vec::new() }
        }

        fn take(&mut self, now: Instant, number: u16, flags: u8) {
            self.seq.take(now, number, flags, Duration::ZERO);
            self.picture.advance(now, &self.seq, |shown| self.shown.push(shown));
        }
    }

    #[test]
    fn frames_count_from_the_first_key_frame_on() {
        let now = Instant::now();
        let mut s = Stream::new(false);
        s.take(now, 1, 0);
        s.take(now, 2, MARKER);
        assert!(s.shown.is_empty() && s.picture.wants_key());
        s.take(now, 3, KEY);
        assert!(s.picture.has_key());
        s.take(now, 5, MARKER);
        assert!(s.shown.is_empty(), "4 is missing");
        s.take(now, 4, 0);
        assert_eq!(s.shown, [Shown { key: true, freeze: None }]);
        s.take(now, 6, MARKER);
        assert_eq!(s.shown.len(), 2);
    }

    #[test]
    fn after_a_loss_only_a_key_frame_helps() {
        let now = Instant::now();
        let mut s = Stream::new(false);
        s.take(now, 1, KEY | MARKER);
        s.take(now, 3, MARKER);
        s.take(now, 4, MARKER);
        assert_eq!(s.shown.len(), 1);
        let late = now + Duration::from_secs(1);
        s.seq.give_up(late, Duration::from_secs(1));
        s.take(late, 5, MARKER);
        assert!(s.picture.wants_key());
        assert_eq!(s.shown.len(), 1);
        s.take(late, 6, KEY | MARKER);
        assert_eq!(s.shown.len(), 2);
    }

    #[test]
    fn padding_belongs_to_no_frame() {
        let now = Instant::now();
        let mut s = Stream::new(false);
        s.take(now, 1, KEY | MARKER);
        s.take(now, 2, PADDING);
        s.take(now, 3, MARKER);
        assert_eq!(s.shown.len(), 2);
    }

    #[test]
    fn a_gap_far_beyond_the_average_is_a_freeze() {
        let mut now = Instant::now();
        let mut s = Stream::new(true);
        for number in 0..40 {
            now += FRAME;
            s.take(now, number, MARKER);
        }
        assert!(s.shown.iter().all(|shown| shown.freeze.is_none()));
        now += FRAME + Duration::from_millis(100);
        s.take(now, 40, MARKER);
        assert_eq!(s.shown.last().unwrap().freeze, None);
        now += Duration::from_millis(300);
        s.take(now, 41, MARKER);
        assert_eq!(s.shown.last().unwrap().freeze, Some(Duration::from_millis(300)));
        s.picture.changed();
        now += Duration::from_secs(5);
        s.take(now, 42, MARKER);
        assert_eq!(s.shown.last().unwrap().freeze, None, "another picture");
    }
}
