//! The floor: the few audio tracks of a room that are forwarded.
//!
//! It has [`limits::LOUDEST`] seats and one in reserve. Everybody hears the seats; who sits in one
//! hears the reserve in place of itself. So each receiver has the same few sources, and a packet of
//! anybody else costs the room nothing but a look at its level.
//!
//! Forward first, rank later: who begins to speak takes a free seat, or that of whom nobody heard
//! for the longest time, with its first packet. Who sits silent keeps its seat until somebody needs
//! it. Only when all speak does loudness decide, with a margin, and never in the first second. Who
//! has held a seat for long gives it to who has spoken unheard for some seconds, be it less loud: no
//! false level keeps anybody out for ever.

use super::voice::Voice;
use crate::limits;
use crate::slab::Slab;
use std::time::{Duration, Instant};

/// Seats with the reserve.
pub(crate) const SEATS: usize = limits::LOUDEST + 1;
const RESERVE: usize = limits::LOUDEST;

/// How much louder than the softest a newcomer must be, in 1/256 dB: 6 dB.
const MARGIN: u32 = 6 << 8;

/// Who sits where: indices of voices.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    seats: [Option<u32>; SEATS],
}

impl Floor {
    /// The voice in each seat; the last is the reserve.
    pub(crate) fn seats(&self) -> &[Option<u32>; SEATS] {
        &self.seats
    }

    /// A new track takes a free seat; true when there was one.
    pub(crate) fn add(&mut self, voices: &mut Slab<Voice>, voice: u32) -> bool {
        let free = self.seats.iter().position(Option::is_none);
        free.is_some_and(|seat| self.sit(voices, seat, voice, None))
    }

    /// A track is gone; true when it sat. Who speaks, or has been here longest, moves up.
    pub(crate) fn remove(&mut self, voices: &mut Slab<Voice>, voice: u32, now: Instant) -> bool {
        let Some(seat) = self.seats.iter().position(|seated| *seated == Some(voice)) else {
            return false;
        };
        self.set(seat, None);
        if seat != RESERVE
            && let Some(reserve) = self.seats.get(RESERVE).copied().flatten()
        {
            self.set(RESERVE, None);
            self.sit(voices, seat, reserve, None);
        }
        let next = voices
            .iter()
            .filter(|(index, other)| *index != voice && other.seat.is_none())
            .max_by_key(|(index, other)| {
                (other.score(now), other.last(), std::cmp::Reverse(*index))
            })
            .map(|(index, _)| index);
        if let Some(next) = next {
            self.add(voices, next);
        }
        true
    }

    /// Somebody sounds like speaking: it gets a seat at once if one is to be had without taking it
    /// from a speaker. True when somebody moved.
    pub(crate) fn request(&mut self, voices: &mut Slab<Voice>, voice: u32, now: Instant) -> bool {
        let own = voices.get(voice).and_then(|voice| voice.seat).map(usize::from);
        if own.is_some_and(|seat| seat != RESERVE) {
            return false;
        }
        // Longest silent first; the reserve only when no other is.
        let silent = self
            .seats
            .iter()
            .enumerate()
            .filter(|(seat, _)| own.is_none() || *seat != RESERVE)
            .filter_map(|(seat, holder)| {
                let Some(holder) = holder.and_then(|holder| voices.get(holder)) else {
                    return Some((seat == RESERVE, None, seat));
                };
                let settled = holder.since.is_none_or(|since| long_ago(since, now));
                (settled && !holder.speaks(now)).then_some((
                    seat == RESERVE,
                    Some(holder.last()),
                    seat,
                ))
            })
            .min();
        let Some((_, _, seat)) = silent else { return false };
        self.take(voices, seat, voice, now, limits::SPEECH_HOLD)
    }

    /// Looks at everybody who speaks; true when somebody moved.
    pub(crate) fn rank(&mut self, voices: &mut Slab<Voice>, now: Instant) -> bool {
        self.louder(voices, now) || self.reserve_rises(voices, now) || self.waited(voices, now)
    }

    /// The loudest who has no seat takes that of the softest, whichever that is.
    fn louder(&mut self, voices: &mut Slab<Voice>, now: Instant) -> bool {
        let challenger = voices
            .iter()
            .filter(|(_, voice)| voice.seat.is_none() && voice.speaks_for(now, limits::CONFIRMED))
            .max_by_key(|(index, voice)| (voice.score(now), std::cmp::Reverse(*index)))
            .map(|(index, voice)| (index, voice.score(now)));
        let Some((challenger, score)) = challenger else { return false };
        let Some((seat, least)) = self.softest(voices, now, SEATS) else { return false };
        score >= least.saturating_add(MARGIN)
            && self.take(voices, seat, challenger, now, limits::SPEECH_HOLD)
    }

    /// Who is in reserve moves up when it is louder than somebody there.
    fn reserve_rises(&mut self, voices: &mut Slab<Voice>, now: Instant) -> bool {
        let Some(reserve) = self.seats.get(RESERVE).copied().flatten() else { return false };
        let Some(voice) = voices.get(reserve) else { return false };
        if !voice.speaks_for(now, limits::CONFIRMED) {
            return false;
        }
        let score = voice.score(now);
        let Some((seat, least)) = self.softest(voices, now, RESERVE) else { return false };
        score >= least.saturating_add(MARGIN)
            && self.take(voices, seat, reserve, now, limits::SPEECH_HOLD)
    }

    /// Who spoke for long without a seat gets that of who has had one for the longest time: first
    /// who was never heard, then who was heard longest ago, in turn.
    fn waited(&mut self, voices: &mut Slab<Voice>, now: Instant) -> bool {
        let waiting = voices
            .iter()
            .filter(|(_, voice)| voice.seat.is_none_or(|seat| usize::from(seat) == RESERVE))
            .filter(|(_, voice)| voice.speaks_for(now, limits::UNHEARD))
            .min_by_key(|(index, voice)| (voice.heard_until, *index))
            .map(|(index, _)| index);
        let Some(waiting) = waiting else { return false };
        let oldest = self
            .seats
            .iter()
            .take(RESERVE)
            .enumerate()
            .filter_map(|(seat, holder)| Some((voices.get((*holder)?)?.since, seat)))
            .filter(|(since, _)| {
                since.is_none_or(|at| now.saturating_duration_since(at) >= limits::LONG_HELD)
            })
            .min();
        let Some((_, seat)) = oldest else { return false };
        self.take(voices, seat, waiting, now, limits::UNHEARD)
    }

    /// The softest of the first seats that may be taken, with its score; a free one has none.
    fn softest(&self, voices: &Slab<Voice>, now: Instant, seats: usize) -> Option<(usize, u32)> {
        let scores = self.seats.iter().take(seats).enumerate().filter_map(|(seat, holder)| {
            let Some(holder) = holder.and_then(|holder| voices.get(holder)) else {
                return Some((0, seat));
            };
            let safe = holder.safe_until.is_some_and(|until| until > now);
            (!safe).then(|| (holder.score(now), seat))
        });
        scores.min().map(|(score, seat)| (seat, score))
    }

    /// Sits `voice` in `seat`. Who sat there takes the reserve if it is free (`voice` may have left
    /// it), or if it speaks and who is there does not.
    fn take(
        &mut self,
        voices: &mut Slab<Voice>,
        seat: usize,
        voice: u32,
        now: Instant,
        safe: Duration,
    ) -> bool {
        let before = self.seats.get(seat).copied().flatten();
        let own = voices.get(voice).and_then(|voice| voice.seat).map(usize::from);
        if let Some(own) = own {
            self.set(own, None);
        }
        if let Some(before) = before.and_then(|before| voices.get_mut(before)) {
            before.seat = None;
            if seat != RESERVE {
                before.heard_until = Some(now);
            }
        }
        self.sit(voices, seat, voice, Some((now, safe)));
        let reserve = self.seats.get(RESERVE).copied().flatten();
        let before = before.filter(|_| seat != RESERVE);
        let speaks = |voice: u32| voices.get(voice).is_some_and(|voice| voice.speaks(now));
        if let Some(before) = before
            && reserve.is_none_or(|reserve| speaks(before) && !speaks(reserve))
        {
            if let Some(reserve) = reserve.and_then(|reserve| voices.get_mut(reserve)) {
                reserve.seat = None;
            }
            self.sit(voices, RESERVE, before, Some((now, safe)));
        }
        true
    }

    fn sit(
        &mut self,
        voices: &mut Slab<Voice>,
        seat: usize,
        index: u32,
        safe: Option<(Instant, Duration)>,
    ) -> bool {
        let Some(voice) = voices.get_mut(index) else { return false };
        voice.since = safe.map(|(now, _)| now);
        voice.seat = u8::try_from(seat).ok();
        voice.safe_until = safe.and_then(|(now, safe)| now.checked_add(safe));
        self.set(seat, Some(index));
        true
    }

    fn set(&mut self, seat: usize, voice: Option<u32>) {
        if let Some(place) = self.seats.get_mut(seat) {
            *place = voice;
        }
    }
}

fn long_ago(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) >= limits::SPEECH_HOLD
}
