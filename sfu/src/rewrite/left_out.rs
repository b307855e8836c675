//! Which numbers of a source were left out on purpose, so that the others close up.

/// A window of `WORDS` x 64 numbers behind the newest, with the count of those left out before each
/// word: any number in it is placed with one lookup and one count of bits.
#[derive(Debug)]
pub(super) struct LeftOut<const WORDS: usize> {
    /// A bit for each number left out.
    words: [u64; WORDS],
    /// Left out before the word.
    before: [u64; WORDS],
    /// The newest number known.
    head: u64,
    /// The first number left out; nothing was before it.
    first: Option<u64>,
}

impl<const WORDS: usize> Default for LeftOut<WORDS> {
    fn default() -> Self {
        Self { words: [0; WORDS], before: [0; WORDS], head: 0, first: None }
    }
}

impl<const WORDS: usize> LeftOut<WORDS> {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.first = None;
    }

    /// The newest number, once anything was left out.
    pub(super) fn head(&self) -> Option<u64> {
        self.first.map(|_| self.head)
    }

    fn word(number: u64) -> u64 {
        number / 64
    }

    fn place(word: u64) -> usize {
        word.checked_rem(WORDS as u64).unwrap_or(0) as usize
    }

    fn total(&self) -> u64 {
        let place = Self::place(Self::word(self.head));
        let bits = self.words.get(place).map_or(0, |word| u64::from(word.count_ones()));
        self.before.get(place).map_or(0, |before| before.saturating_add(bits))
    }

    fn advance(&mut self, number: u64) {
        let (old, new) = (Self::word(self.head), Self::word(number));
        let total = self.total();
        let from = old.saturating_add(1).max(new.saturating_add(1).saturating_sub(WORDS as u64));
        for word in from..=new {
            let place = Self::place(word);
            if let (Some(bits), Some(before)) =
                (self.words.get_mut(place), self.before.get_mut(place))
            {
                *bits = 0;
                *before = total;
            }
        }
        self.head = number;
    }

    /// `number`, newer than all, is left out.
    pub(super) fn leave_out(&mut self, number: u64) {
        if self.first.is_none() {
            self.words.fill(0);
            self.before.fill(0);
            self.head = number;
            self.first = Some(number);
        } else if number > self.head {
            self.advance(number);
        }
        if let Some(word) = self.words.get_mut(Self::place(Self::word(number))) {
            *word |= 1 << (number % 64);
        }
    }

    /// `number` is passed on.
    pub(super) fn pass(&mut self, number: u64) {
        if self.first.is_some() && number > self.head {
            self.advance(number);
        }
    }

    /// How many were left out before `number`; `None` when it is too old to know.
    pub(super) fn before(&self, number: u64) -> Option<u64> {
        let Some(first) = self.first else { return Some(0) };
        if number <= first {
            return Some(0);
        }
        if number > self.head {
            return Some(self.total());
        }
        let word = Self::word(number);
        if word.saturating_add(WORDS as u64) <= Self::word(self.head) {
            return None;
        }
        let place = Self::place(word);
        let lower = (1u64 << (number % 64)).wrapping_sub(1);
        let bits = self.words.get(place)? & lower;
        Some(self.before.get(place)?.saturating_add(u64::from(bits.count_ones())))
    }

    /// The number that stands at `position` among those passed on, counted from `start` (which is
    /// not newer than anything here). `None` when that is too old to know, or not known yet.
    pub(super) fn at(&self, start: u64, position: u64) -> Option<u64> {
        let plain = start.checked_add(position)?;
        let Some(first) = self.first else { return Some(plain) };
        if plain < first {
            return Some(plain);
        }
        let (newest, first_word) = (Self::word(self.head), Self::word(first));
        let oldest =
            first_word.max(newest.saturating_add(1).saturating_sub(WORDS as u64)).min(newest);
        for word in (oldest..=newest).rev() {
            let begin = word.saturating_mul(64).max(first).max(start);
            let here = begin.checked_sub(start)?.checked_sub(self.before(begin)?)?;
            if here > position {
                continue;
            }
            let bits = self.words.get(Self::place(word))?;
            let mut kept = here;
            for number in begin..=word.saturating_mul(64).saturating_add(63) {
                if bits >> (number % 64) & 1 == 1 {
                    continue;
                }
                if kept == position {
                    return Some(number);
                }
                kept = kept.saturating_add(1);
            }
            return None;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// Against a plain list of everything, for random runs, holes and jumps.
    #[test]
    fn places_agree_with_a_plain_list() {
        for seed in 0..50 {
            let mut rng = StdRng::seed_from_u64(seed);
            let start = rng.random_range(0..1_000u64);
            let mut map = LeftOut::<8>::default();
            let mut left = Vec::new();
            let mut number = start;
            for _ in 0..rng.random_range(1..3_000) {
                if rng.random_bool(0.4) {
                    map.leave_out(number);
                    left.push(number);
                } else {
                    map.pass(number);
                }
                let oldest = number.saturating_sub(440).max(start);
                let asked = rng.random_range(oldest..=number);
                let before = left.iter().filter(|other| **other < asked).count() as u64;
                assert_eq!(map.before(asked), Some(before), "{seed}");
                let position = asked - start - before;
                if !left.contains(&asked) {
                    assert_eq!(map.at(start, position), Some(asked), "{seed}: {asked}");
                }
                number += if rng.random_bool(0.01) { rng.random_range(1..400) } else { 1 };
            }
        }
    }

    #[test]
    fn what_is_too_old_is_not_known() {
        let mut map = LeftOut::<2>::default();
        map.leave_out(10);
        map.pass(1_000);
        assert_eq!(map.before(9), Some(0));
        assert_eq!(map.before(200), None);
        assert_eq!((map.before(1_000), map.before(5_000)), (Some(1), Some(1)));
        assert_eq!((map.at(0, 9), map.at(0, 200), map.at(0, 999)), (Some(9), None, Some(1_000)));
    }
}
