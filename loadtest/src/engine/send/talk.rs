//! When a microphone hears speech, and how loud.

use crate::plan::TalkPlan;
use std::time::Duration;

/// At one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Speech {
    pub(super) voice: bool,
    /// -dBov, 127 is silence (RFC 6464).
    pub(super) level: u8,
    /// Silence is not sent.
    pub(super) dtx: bool,
}

/// Turns.
#[derive(Debug)]
pub(super) struct Talk {
    plan: TalkPlan,
    packets: u8,
}

impl Talk {
    pub(super) fn new(plan: TalkPlan) -> Self {
        Self { plan, packets: 0 }
    }

    /// So long after the start of the run.
    pub(super) fn at(&mut self, elapsed: Duration) -> Speech {
        let since = elapsed.checked_sub(self.plan.offset);
        let voice = since.is_some_and(|since| {
            let cycle = self.plan.cycle.as_micros();
            cycle == 0 || since.as_micros() % cycle < self.plan.spurt.as_micros()
        });
        // Syllables: 22 to 37 dB below the loudest.
        self.packets = self.packets.wrapping_add(1);
        let level = if voice { 22 + self.packets % 16 } else { 127 };
        Speech { voice, level, dtx: self.plan.dtx }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_again_each_cycle() {
        let second = Duration::from_secs(1);
        let plan = TalkPlan { offset: second, spurt: 2 * second, cycle: 5 * second, dtx: false };
        let mut talk = Talk::new(plan);
        let voices: Vec<bool> = (0..9).map(|n| talk.at(n * second).voice).collect();
        assert_eq!(voices, [false, true, true, false, false, false, true, true, false]);
        assert_eq!(talk.at(Duration::ZERO).level, 127);
        assert!(talk.at(second).level < 40);
    }
}
