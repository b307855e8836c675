//! One audio track as its publisher's levels describe it (RFC 6464): does it speak, and how loud?
//!
//! Loudness is 127 less -dBov: 0 is silence, 127 the loudest.

use crate::limits;
use std::time::{Duration, Instant};
use weir_wire::ext::AudioLevel;

/// Loudness below which nothing counts as speech: -55 dBov.
const SPEECH: u8 = 72;
/// How far speech stands above the background, in dB. A level that never moves is a fan, comfort
/// noise or a lie.
const RISE: u8 = 10;
/// Nobody counts as louder than this, -30 dBov, so that shouting or a false level wins a tie at most
/// against a voice that is levelled as browsers do it.
const LOUDEST: u8 = 97;
/// Packets of the median filter: 100 ms at 20 ms. A click of two packets does not pass.
const MEDIAN: usize = 5;
/// The background is the least of the last one to two of these.
const BACKGROUND: Duration = Duration::from_secs(3);
/// What a track without levels counts as while it sends: -50 dBov, softer than most speech.
const UNMEASURED: u8 = 77;

/// A stretch of speech: pauses of up to [`limits::SPEECH_HOLD`] belong to it, sent or not (DTX).
#[derive(Debug, Clone, Copy)]
struct Run {
    start: Instant,
    last: Instant,
}

/// One audio track.
#[derive(Debug)]
pub(crate) struct Voice {
    /// Index in the shard's tracks.
    pub(crate) track: u32,
    /// The publisher's index in the shard's peers.
    pub(crate) peer: u32,
    /// A microphone, not the sound of a screen.
    pub(crate) microphone: bool,
    /// Its seat on the floor.
    pub(crate) seat: Option<u8>,
    /// Since when it sits there; `None` when it took a seat that was free.
    pub(crate) since: Option<Instant>,
    /// Until when louder voices do not take its seat.
    pub(crate) safe_until: Option<Instant>,
    /// When it last lost a seat that all hear.
    pub(crate) heard_until: Option<Instant>,
    /// When it was last the dominant speaker.
    pub(crate) dominant_until: Option<Instant>,
    /// The publisher negotiated the audio level extension.
    measured: bool,
    recent: [u8; MEDIAN],
    heard: usize,
    /// The least loudness in this stretch of background and in the one before.
    least: [Option<u8>; 2],
    least_since: Option<Instant>,
    /// The publisher has a voice detector: it once said "voice".
    detects: bool,
    /// Loudness of its speech alone, smoothed, times 256.
    score: u32,
    run: Option<Run>,
}

impl Voice {
    pub(crate) fn new(track: u32, peer: u32, microphone: bool, measured: bool) -> Self {
        Self {
            track,
            peer,
            microphone,
            seat: None,
            since: None,
            safe_until: None,
            heard_until: None,
            dominant_until: None,
            measured,
            recent: [0; MEDIAN],
            heard: 0,
            least: [None; 2],
            least_since: None,
            detects: false,
            score: 0,
            run: None,
        }
    }

    /// Takes one packet's level. True when it sounds like speech, be it only the first packet.
    pub(crate) fn hear(&mut self, level: Option<AudioLevel>, now: Instant) -> bool {
        let (loudness, said_voice) = match level {
            Some(level) => (127u8.saturating_sub(level.level), level.voice),
            None if self.measured => return false,
            None => (UNMEASURED, false),
        };
        self.detects |= said_voice;
        if let Some(place) = self.recent.get_mut(self.heard % MEDIAN) {
            *place = loudness;
        }
        self.heard = self.heard.wrapping_add(1);
        let median = self.median();
        // The sound of a screen may be even, and what is not measured says nothing.
        let background = if self.measured && self.microphone { self.background() } else { 0 };
        self.note_background(median, now);
        let least = SPEECH.max(background.saturating_add(RISE));
        // A detector that works tells comfort noise from speech better than a level does.
        let possible = said_voice || !self.detects;
        if possible && median >= least {
            self.run = match self.run.filter(|run| fresh(run.last, now)) {
                Some(run) => Some(Run { last: now, ..run }),
                None => Some(Run { start: now, last: now }),
            };
            let loudness = u32::from(median.min(LOUDEST)) << 8;
            // A quick rise, a slow fall.
            let shift = if loudness > self.score { 2 } else { 5 };
            self.score =
                self.score.saturating_add(loudness >> shift).saturating_sub(self.score >> shift);
        }
        possible && loudness >= least
    }

    fn median(&self) -> u8 {
        let mut sorted = self.recent;
        let heard = self.heard.min(MEDIAN);
        let Some(filled) = sorted.get_mut(..heard) else { return 0 };
        filled.sort_unstable();
        filled.get(heard / 2).copied().unwrap_or(0)
    }

    fn note_background(&mut self, median: u8, now: Instant) {
        let [current, before] = &mut self.least;
        let begun = *self.least_since.get_or_insert(now);
        if now.saturating_duration_since(begun) >= BACKGROUND {
            *before = current.take();
            self.least_since = Some(now);
        }
        *current = Some(current.map_or(median, |least| least.min(median)));
    }

    /// 0 until a whole stretch was heard: who begins to speak is not taken for a fan.
    fn background(&self) -> u8 {
        match self.least {
            [Some(current), Some(before)] => current.min(before),
            [None, Some(before)] => before,
            _ => 0,
        }
    }

    /// It said itself that it is off.
    pub(crate) fn hush(&mut self) {
        self.run = None;
    }

    /// It speaks, or did a moment ago.
    pub(crate) fn speaks(&self, now: Instant) -> bool {
        self.run.is_some_and(|run| fresh(run.last, now))
    }

    /// It speaks, and for so long already.
    pub(crate) fn speaks_for(&self, now: Instant, time: Duration) -> bool {
        let long = |run: Run| run.last.saturating_duration_since(run.start) >= time;
        self.speaks(now) && self.run.is_some_and(long)
    }

    /// When it last spoke.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.run.map(|run| run.last)
    }

    /// How loud it speaks, in 1/256 dB; 0 while it does not.
    pub(crate) fn score(&self, now: Instant) -> u32 {
        if self.speaks(now) { self.score } else { 0 }
    }

    /// -dBov of its speech.
    pub(crate) fn level(&self) -> u8 {
        127u8.saturating_sub(u8::try_from(self.score >> 8).unwrap_or(127))
    }
}

fn fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < limits::SPEECH_HOLD
}
