use super::*;
use std::time::Duration;

/// A room of microphones that talk as told.
struct Talk {
    speakers: Speakers,
    voices: Vec<u32>,
    start: Instant,
    ms: u64,
    /// Changes of the floor, of the dominant speaker and of the list.
    changes: [u32; 3],
}

/// How somebody sounds.
#[derive(Clone, Copy)]
enum Sound {
    /// Words at this level, with short pauses.
    Speech(u8),
    /// The same level for ever.
    Even(u8),
    /// Sends nothing.
    Nothing,
    /// Loudest and silent by turns, of so many milliseconds.
    Alternating(u64),
    /// Comfort noise of a sender with a voice detector.
    Comfort(u8),
}

impl Talk {
    fn new(people: u32) -> Self {
        let mut speakers = Speakers::default();
        // Tracks are numbered from 100.
        let voices = (0..people).map(|n| speakers.add(100 + n, n, true, true).0).collect();
        Self { speakers, voices, start: Instant::now(), ms: 0, changes: [0; 3] }
    }

    fn run(&mut self, sounds: &[(u32, Sound)], ms: u64) {
        let end = self.ms + ms;
        while self.ms < end {
            let now = self.start + Duration::from_millis(self.ms);
            for (who, sound) in sounds {
                // People do not pause together.
                let phase = self.ms + u64::from(*who) * 370;
                let level = match *sound {
                    Sound::Speech(level) if phase % 1_600 < 1_300 => {
                        AudioLevel { voice: true, level: level + (phase / 20 % 5) as u8 }
                    }
                    Sound::Speech(_) => AudioLevel { voice: false, level: 80 },
                    Sound::Even(level) => AudioLevel { voice: false, level },
                    Sound::Alternating(turn) => AudioLevel {
                        voice: true,
                        level: if (self.ms / turn).is_multiple_of(2) { 0 } else { 127 },
                    },
                    Sound::Comfort(level) => AudioLevel { voice: false, level },
                    Sound::Nothing => continue,
                };
                let voice = self.voices[*who as usize];
                let heard = self.speakers.hear(voice, Some(level), now);
                self.changes[0] += u32::from(heard.floor);
                if heard.due {
                    let ranked = self.speakers.rank(now);
                    self.changes[0] += u32::from(ranked.floor);
                    self.changes[1] += u32::from(ranked.dominant);
                    self.changes[2] += u32::from(ranked.list);
                }
            }
            self.ms += 20;
        }
    }

    fn seated(&self, who: u32) -> bool {
        self.speakers.floor().contains(&Some(100 + who))
    }

    /// Heard by those who do not sit themselves.
    fn heard(&self, who: u32) -> bool {
        self.speakers.floor()[..limits::LOUDEST].contains(&Some(100 + who))
    }
}

#[test]
fn a_cough_does_not_take_the_floor_but_speech_does() {
    let mut talk = Talk::new(3);
    talk.run(&[(1, Sound::Speech(30)), (2, Sound::Even(127))], 1_500);
    assert_eq!(talk.speakers.dominant(), Some(1));
    talk.run(&[(1, Sound::Speech(30)), (2, Sound::Even(10))], 200);
    assert_eq!(talk.speakers.dominant(), Some(1));
    talk.run(&[(1, Sound::Even(127)), (2, Sound::Speech(20))], 2_500);
    assert_eq!(talk.speakers.dominant(), Some(2));
    talk.run(&[(1, Sound::Even(127)), (2, Sound::Even(127))], 5_000);
    assert_eq!(talk.speakers.dominant(), Some(2), "silence keeps the last speaker");
    assert_eq!(talk.speakers.speaking().count(), 0);
    let now = talk.start + Duration::from_millis(talk.ms);
    assert_eq!(talk.speakers.remove(talk.voices[2], now), (true, true));
    assert_eq!(talk.speakers.dominant(), None);
}

#[test]
fn two_equal_talkers_do_not_take_turns() {
    let mut talk = Talk::new(6);
    let both = [(4, Sound::Speech(30)), (5, Sound::Speech(30))];
    talk.run(&both, 2_000);
    talk.changes = [0; 3];
    talk.run(&both, 60_000);
    // Each may have waited long enough once in 30 s.
    assert_eq!(talk.changes[0], 0, "floor");
    assert!(talk.changes[1] <= 2, "dominant speaker: {:?}", talk.changes);
    assert_eq!(talk.changes[2], 0, "list");
}

#[test]
fn a_gap_without_packets_is_not_the_end_of_speech() {
    let mut talk = Talk::new(8);
    talk.run(&[(7, Sound::Speech(30))], 2_000);
    talk.changes = [0; 3];
    for _ in 0..20 {
        talk.run(&[(7, Sound::Nothing), (1, Sound::Comfort(70))], 600);
        talk.run(&[(7, Sound::Speech(30)), (1, Sound::Comfort(70))], 500);
        assert!(talk.heard(7));
        assert_eq!(talk.speakers.speaking().map(|(peer, _)| peer).collect::<Vec<_>>(), [7]);
    }
    assert_eq!(talk.changes, [0; 3]);
}

#[test]
fn comfort_noise_is_not_speech() {
    let mut talk = Talk::new(8);
    // A detector that once said "voice" is believed.
    talk.run(&[(0, Sound::Speech(30)), (7, Sound::Speech(30))], 1_500);
    talk.run(&[(0, Sound::Speech(40)), (7, Sound::Comfort(35))], 6_000);
    assert_eq!(talk.speakers.dominant(), Some(0));
    assert_eq!(talk.speakers.speaking().count(), 1);
    // Without one, an even level is background after some seconds.
    talk.run(&[(0, Sound::Speech(40)), (6, Sound::Even(45))], 7_000);
    assert_eq!(talk.speakers.speaking().map(|(peer, _)| peer).collect::<Vec<_>>(), [0]);
}

#[test]
fn the_loudest_three_of_fifty_are_heard() {
    let mut talk = Talk::new(50);
    let sounds: Vec<_> = (0..50)
        .map(|n| (n, Sound::Speech(if n % 17 == 5 { 28 } else { 42 + (n % 3) as u8 })))
        .collect();
    talk.run(&sounds, 5_000);
    assert!([5, 22, 39].iter().all(|loud| talk.heard(*loud)), "{:?}", talk.speakers.floor());
    talk.changes = [0; 3];
    talk.run(&sounds, 20_000);
    assert!([5, 22, 39].iter().all(|loud| talk.heard(*loud)), "{:?}", talk.speakers.floor());
    assert_eq!(talk.changes[0], 0, "nobody moves without a reason");
}

#[test]
fn the_first_packet_of_speech_takes_a_seat_from_the_silent() {
    let mut talk = Talk::new(20);
    talk.run(&[(0, Sound::Speech(30)), (1, Sound::Even(127)), (19, Sound::Even(127))], 2_000);
    assert!(!talk.seated(19));
    talk.run(&[(19, Sound::Speech(30))], 20);
    assert!(talk.heard(19) && talk.heard(0), "{:?}", talk.speakers.floor());
}

#[test]
fn false_levels_keep_nobody_out() {
    for lie in [Sound::Even(0), Sound::Alternating(20), Sound::Alternating(2_000)] {
        let mut talk = Talk::new(6);
        let liars: Vec<_> = (0..5).map(|n| (n, lie)).collect();
        talk.run(&liars, 40_000);
        let mut sounds = liars.clone();
        sounds.push((5, Sound::Speech(32)));
        let (mut heard, mut dominant) = (0, 0);
        talk.changes = [0; 3];
        for _ in 0..600 {
            talk.run(&sounds, 200);
            heard += u32::from(talk.heard(5));
            dominant += u32::from(talk.speakers.dominant() == Some(5));
        }
        // Of 600 looks in 120 s; 5 s of each 30 s are 100.
        assert!(heard >= 100, "heard {heard}");
        assert!(dominant >= 40, "dominant {dominant}");
        assert!(talk.changes[0] <= 240, "{:?}", talk.changes);
    }
}

#[test]
fn who_sits_hears_the_reserve_and_leaving_moves_it_up() {
    let mut talk = Talk::new(4);
    talk.run(&(0..4).map(|n| (n, Sound::Speech(30))).collect::<Vec<_>>(), 3_000);
    assert!((0..4).all(|n| talk.seated(n)));
    let now = talk.start + Duration::from_millis(talk.ms);
    let reserve = talk.speakers.floor()[limits::LOUDEST].unwrap() - 100;
    let gone = (reserve + 1) % 4;
    talk.speakers.remove(talk.voices[gone as usize], now);
    assert!(talk.heard(reserve));
    assert_eq!(talk.speakers.floor()[limits::LOUDEST], None);
}

#[test]
fn tracks_without_levels_are_heard_while_there_is_room() {
    let mut speakers = Speakers::default();
    let now = Instant::now();
    let (plain, seated) = speakers.add(1, 1, true, false);
    assert!(seated);
    for n in 0..200 {
        speakers.hear(plain, None, now + Duration::from_millis(20 * n));
    }
    let now = now + Duration::from_secs(4);
    for n in 2..20 {
        let (voice, _) = speakers.add(n, n, true, true);
        speakers.hear(voice, Some(AudioLevel { voice: true, level: 30 }), now);
    }
    assert!(speakers.floor().contains(&Some(1)));
}
