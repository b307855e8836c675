//! Who speaks, from the audio levels that publishers send (RFC 6464): who is heard (the floor), who
//! is the dominant speaker, and the list for people to see.

mod floor;
mod voice;

pub(crate) use floor::SEATS;

use crate::limits;
use crate::slab::Slab;
use floor::Floor;
use std::time::Instant;
use voice::Voice;
use weir_wire::ext::AudioLevel;

/// How much louder than the dominant speaker another must be to take over, in 1/256 dB: 6 dB.
const MARGIN: u32 = 6 << 8;
/// Looks in a row for which it must be: 600 ms.
const TURNS: u8 = 3;
/// How much louder somebody must be to stand before another in the list, in 1/256 dB: 3 dB.
const ORDER: u32 = 3 << 8;

/// What one level led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Somebody sits elsewhere on the floor.
    pub(crate) floor: bool,
    /// It is time for [`Speakers::rank`].
    pub(crate) due: bool,
}

/// What a look at everybody led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ranked {
    /// Somebody sits elsewhere on the floor.
    pub(crate) floor: bool,
    /// Another dominant speaker.
    pub(crate) dominant: bool,
    /// The list changed.
    pub(crate) list: bool,
}

/// The voices of one room.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    voices: Slab<Voice>,
    floor: Floor,
    checked: Option<Instant>,
    /// The dominant speaker's voice, and since when it is.
    dominant: Option<(u32, Instant)>,
    challenger: Option<(u32, u8)>,
    /// Voices of those who speak, loudest first.
    list: Vec<u32>,
}

impl Speakers {
    /// An audio track came up. Gives the index of its voice and whether it sits on the floor.
    pub(crate) fn add(
        &mut self,
        track: u32,
        peer: u32,
        microphone: bool,
        measured: bool,
    ) -> (u32, bool) {
        let voice = self.voices.insert(Voice::new(track, peer, microphone, measured));
        (voice, self.floor.add(&mut self.voices, voice))
    }

    /// An audio track is gone. Gives whether the floor changed, and whether the dominant speaker.
    pub(crate) fn remove(&mut self, voice: u32, now: Instant) -> (bool, bool) {
        let floor = self.floor.remove(&mut self.voices, voice, now);
        self.voices.remove(voice);
        self.list.retain(|listed| *listed != voice);
        self.challenger = self.challenger.filter(|(challenger, _)| *challenger != voice);
        let dominant = self.dominant.is_some_and(|(dominant, _)| dominant == voice);
        if dominant {
            self.dominant = None;
        }
        (floor, dominant)
    }

    /// Takes one packet's level: the same work however many people there are.
    pub(crate) fn hear(&mut self, voice: u32, level: Option<AudioLevel>, now: Instant) -> Heard {
        let sounds = self.voices.get_mut(voice).is_some_and(|voice| voice.hear(level, now));
        let floor = sounds && self.floor.request(&mut self.voices, voice, now);
        let due = self
            .checked
            .is_none_or(|at| now.saturating_duration_since(at) >= limits::SPEAKER_INTERVAL);
        Heard { floor, due }
    }

    /// The publisher says that it is off.
    pub(crate) fn hush(&mut self, voice: u32) {
        if let Some(voice) = self.voices.get_mut(voice) {
            voice.hush();
        }
    }

    /// Somebody speaks, so that a look makes sense although nobody sends.
    pub(crate) fn is_lively(&self) -> bool {
        !self.list.is_empty()
    }

    /// Tracks on the floor by seat; the last seat is the reserve.
    pub(crate) fn floor(&self) -> [Option<u32>; SEATS] {
        let track = |voice: Option<u32>| Some(self.voices.get(voice?)?.track);
        self.floor.seats().map(track)
    }

    /// How loud a track on the floor is, for those who have fewer slots than it has seats.
    pub(crate) fn score(&self, track: u32, now: Instant) -> u32 {
        let seated = self.floor.seats().iter().flatten();
        let mut voices = seated.filter_map(|voice| self.voices.get(*voice));
        voices.find(|voice| voice.track == track).map_or(0, |voice| voice.score(now))
    }

    /// The dominant speaker's index in the shard's peers.
    pub(crate) fn dominant(&self) -> Option<u32> {
        Some(self.voices.get(self.dominant?.0)?.peer)
    }

    /// Ranks again.
    pub(crate) fn rank(&mut self, now: Instant) -> Ranked {
        self.checked = Some(now);
        let floor = self.floor.rank(&mut self.voices, now);
        let list = self.list_speakers(now);
        Ranked { floor, list, dominant: self.choose_dominant(now) }
    }

    /// Those who speak keep their order unless one is clearly louder. True when the list changed.
    fn list_speakers(&mut self, now: Instant) -> bool {
        let voices = &self.voices;
        let speaks = |voice: &Voice| voice.microphone && voice.speaks_for(now, limits::CONFIRMED);
        let score = |voice: u32| voices.get(voice).map_or(0, |voice| voice.score(now));
        let mut list: Vec<u32> = self
            .list
            .iter()
            .copied()
            .filter(|voice| voices.get(*voice).is_some_and(speaks))
            .collect();
        let mut new: Vec<u32> = voices
            .iter()
            .filter(|(index, voice)| speaks(voice) && !list.contains(index))
            .map(|(index, _)| index)
            .collect();
        new.sort_by_key(|voice| std::cmp::Reverse(score(*voice)));
        // More than are told are not sorted in; those who were told before go first.
        list.extend(new.into_iter().take(limits::SPEAKERS_TOLD));
        let mut sorted: Vec<u32> = Vec::with_capacity(list.len());
        for voice in list {
            let louder = |other: &u32| score(voice) >= score(*other).saturating_add(ORDER);
            let place = sorted.iter().position(louder).unwrap_or(sorted.len());
            sorted.insert(place, voice);
        }
        sorted.truncate(limits::SPEAKERS_TOLD);
        let changed = sorted != self.list;
        self.list = sorted;
        changed
    }

    /// True when another one is dominant.
    fn choose_dominant(&mut self, now: Instant) -> bool {
        let score = |voice: u32| self.voices.get(voice).map_or(0, |voice| voice.score(now));
        let current = self.dominant;
        let others = self.list.iter().copied().filter(|v| current.is_none_or(|c| c.0 != *v));
        let Some(best) = others.max_by_key(|voice| (score(*voice), std::cmp::Reverse(*voice)))
        else {
            self.challenger = None;
            return false;
        };
        let Some((dominant, since)) = current else {
            self.dominant = Some((best, now));
            return true;
        };
        let held = now.saturating_duration_since(since);
        let speaks_for = |voice: u32, time| {
            self.voices.get(voice).is_some_and(|voice| voice.speaks_for(now, time))
        };
        let silent = !self.voices.get(dominant).is_some_and(|voice| voice.speaks(now));
        let mut turns = 0;
        if held >= limits::DOMINANT_HOLD && score(best) >= score(dominant).saturating_add(MARGIN) {
            let before = self.challenger.filter(|(voice, _)| *voice == best);
            turns = before.map_or(0, |(_, turns)| turns).saturating_add(1);
        }
        let last = |voice: &u32| self.voices.get(*voice).map(|v| (v.dominant_until, *voice));
        let waiting = self
            .list
            .iter()
            .copied()
            .filter(|voice| *voice != dominant && speaks_for(*voice, limits::UNHEARD))
            .filter(|_| held >= limits::LONG_HELD)
            .min_by_key(last);
        let next = if silent || turns >= TURNS { Some(best) } else { waiting };
        self.challenger = (turns > 0 && next.is_none()).then_some((best, turns));
        let Some(next) = next else { return false };
        if let Some(voice) = self.voices.get_mut(dominant) {
            voice.dominant_until = Some(now);
        }
        self.dominant = Some((next, now));
        true
    }

    /// Those who speak, with their level as -dBov, loudest first: index in the shard's peers.
    pub(crate) fn speaking(&self) -> impl Iterator<Item = (u32, u8)> + '_ {
        let voices = self.list.iter().filter_map(|voice| self.voices.get(*voice));
        voices.map(|voice| (voice.peer, voice.level()))
    }
}

#[cfg(test)]
mod tests;
