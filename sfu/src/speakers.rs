//! Who speaks, from the audio levels that publishers send (RFC 6464).
//!
//! Here a smoothed level with hysteresis; ranking for large meetings builds on it.

use crate::limits;
use std::time::Instant;

/// Loudness above which somebody counts as speaking: 127 less -dBov, so -50 dBov.
const SPEAKING: u32 = 77;
/// How much louder a newcomer must be to take over, in dB.
const MARGIN: u32 = 3;
/// Looks in a row for which a newcomer must be louder.
const TURNS: u8 = 3;

#[derive(Debug, Clone, Copy)]
struct Speaker {
    peer: u32,
    /// Loudness 0..=127, times 256.
    smoothed: u32,
    last: Instant,
}

/// Levels of one room.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    speakers: Vec<Speaker>,
    checked: Option<Instant>,
    dominant: Option<u32>,
    challenger: Option<(u32, u8)>,
    announced: Vec<u32>,
}

impl Speakers {
    /// Takes one packet's level (-dBov, 0 loudest). True when it is time for [`Self::rank`].
    pub(crate) fn note(&mut self, peer: u32, level: u8, now: Instant) -> bool {
        let loudness = u32::from(127u8.saturating_sub(level)) << 8;
        match self.speakers.iter_mut().find(|speaker| speaker.peer == peer) {
            Some(speaker) => {
                // A quick rise, a slow fall: words have gaps.
                let (old, shift) =
                    (speaker.smoothed, if loudness > speaker.smoothed { 2 } else { 5 });
                speaker.smoothed =
                    old.saturating_add(loudness >> shift).saturating_sub(old >> shift);
                speaker.last = now;
            }
            None => self.speakers.push(Speaker { peer, smoothed: loudness, last: now }),
        }
        let due = self
            .checked
            .is_none_or(|at| now.saturating_duration_since(at) >= limits::SPEAKER_INTERVAL);
        if due {
            self.checked = Some(now);
        }
        due
    }

    /// The dominant speaker.
    pub(crate) fn dominant(&self) -> Option<u32> {
        self.dominant
    }

    /// Ranks again. Gives whether the dominant speaker changed and whether the list did.
    pub(crate) fn rank(&mut self, now: Instant) -> (bool, bool) {
        for speaker in &mut self.speakers {
            // Who stopped sending is silent.
            if now.saturating_duration_since(speaker.last) > limits::LAYER_IDLE {
                speaker.smoothed = 0;
            }
        }
        self.speakers.sort_by_key(|speaker| std::cmp::Reverse(speaker.smoothed));
        let list: Vec<u32> = self
            .speakers
            .iter()
            .filter(|speaker| speaker.smoothed >> 8 >= SPEAKING)
            .map(|speaker| speaker.peer)
            .collect();
        let list_changed = list != self.announced;
        self.announced = list;
        let before = self.dominant;
        let loudest = self.speakers.first().filter(|speaker| speaker.smoothed >> 8 >= SPEAKING);
        if let Some(loudest) = loudest
            && Some(loudest.peer) != self.dominant
        {
            let current = self
                .speakers
                .iter()
                .find(|speaker| Some(speaker.peer) == self.dominant)
                .map_or(0, |speaker| speaker.smoothed);
            if self.dominant.is_none() {
                self.dominant = Some(loudest.peer);
            } else if loudest.smoothed >= current.saturating_add(MARGIN << 8) {
                let turns = match self.challenger {
                    Some((peer, turns)) if peer == loudest.peer => turns.saturating_add(1),
                    _ => 1,
                };
                self.challenger = Some((loudest.peer, turns));
                if turns >= TURNS {
                    self.dominant = Some(loudest.peer);
                    self.challenger = None;
                }
            } else {
                self.challenger = None;
            }
        }
        (before != self.dominant, list_changed)
    }

    /// Speaking peers with their level as -dBov, loudest first.
    pub(crate) fn speaking(&self) -> impl Iterator<Item = (u32, u8)> + '_ {
        self.speakers
            .iter()
            .filter(|speaker| speaker.smoothed >> 8 >= SPEAKING)
            .map(|speaker| (speaker.peer, 127u8.saturating_sub((speaker.smoothed >> 8) as u8)))
    }

    /// A peer left. True when it was the dominant one.
    pub(crate) fn remove(&mut self, peer: u32) -> bool {
        self.speakers.retain(|speaker| speaker.peer != peer);
        self.announced.retain(|speaker| *speaker != peer);
        self.challenger = self.challenger.filter(|(challenger, _)| *challenger != peer);
        let was = self.dominant == Some(peer);
        if was {
            self.dominant = None;
        }
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_cough_does_not_take_the_floor_but_speech_does() {
        let start = Instant::now();
        let mut s = Speakers::default();
        let mut ms = 0;
        let mut talk = |s: &mut Speakers, levels: &[(u32, u8)], for_ms: u64| {
            let end = ms + for_ms;
            while ms < end {
                let now = start + Duration::from_millis(ms);
                for (peer, level) in levels {
                    if s.note(*peer, *level, now) {
                        s.rank(now);
                    }
                }
                ms += 20;
            }
        };
        talk(&mut s, &[(1, 30), (2, 127)], 1_000);
        assert_eq!(s.dominant(), Some(1));
        talk(&mut s, &[(1, 30), (2, 10)], 200);
        assert_eq!(s.dominant(), Some(1));
        talk(&mut s, &[(1, 127), (2, 20)], 2_000);
        assert_eq!(s.dominant(), Some(2));
        talk(&mut s, &[(1, 127), (2, 127)], 5_000);
        assert_eq!(s.dominant(), Some(2), "silence keeps the last speaker");
        assert!(s.remove(2));
        assert_eq!(s.dominant(), None);
    }
}
