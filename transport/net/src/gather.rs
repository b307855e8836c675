//! Waiting a little for more: what comes shortly after a wake-up is taken together at the next.

use std::time::{Duration, Instant};

/// How long after a wake-up the next one is put off.
///
/// Being woken costs more than a packet: with many senders, each of a few packets, most of the time goes
/// into going to sleep and waking up with cold caches. Nothing waits longer than the time given, and nothing
/// at all where a batch took longer than that to work off: then more has come anyway.
pub(crate) struct Gather {
    time: Duration,
    woke: Instant,
    /// Sleeping first found something, or something came at once: it pays to sleep first.
    busy: bool,
}

impl Gather {
    /// Does nothing until it is given a time.
    pub(crate) fn new() -> Self {
        Self { time: Duration::ZERO, woke: Instant::now(), busy: false }
    }

    /// Puts off wake-ups by `time`; zero: not at all.
    pub(crate) fn set(&mut self, time: Duration) {
        self.time = time;
    }

    /// What is left of the time since the last wake-up, at most `timeout`; `None` where there is nothing to
    /// wait for.
    pub(crate) fn rest(&self, timeout: Option<Duration>) -> Option<Duration> {
        if self.time.is_zero() {
            return None;
        }
        let rest = self.time.saturating_sub(self.woke.elapsed());
        let rest = timeout.map_or(rest, |timeout| rest.min(timeout));
        (!rest.is_zero()).then_some(rest)
    }

    /// Notes that a wait has ended.
    pub(crate) fn woken(&mut self) {
        if !self.time.is_zero() {
            let now = Instant::now();
            self.busy = now.saturating_duration_since(self.woke) < self.time;
            self.woke = now;
        }
    }

    /// For a kernel that cannot do it: sleeps for the rest, where something came soon the last time.
    /// Whether it has slept; then the caller looks, and says in [`Self::found`] what that brought. Returns
    /// what is left of the timeout.
    pub(crate) fn sleep(&mut self, timeout: Option<Duration>) -> (bool, Option<Duration>) {
        let Some(rest) = self.rest(timeout).filter(|_| self.busy) else { return (false, timeout) };
        let before = Instant::now();
        #[expect(
            clippy::disallowed_methods,
            reason = "less than a millisecond, instead of wake-ups"
        )]
        std::thread::sleep(rest);
        (true, timeout.map(|timeout| timeout.saturating_sub(before.elapsed())))
    }

    /// What a look after [`Self::sleep`] brought; nothing: the next wait begins without sleeping.
    pub(crate) fn found(&mut self, something: bool) {
        self.busy = something;
        if something {
            self.woke = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_put_off_without_a_time_or_after_it() {
        let mut gather = Gather::new();
        assert_eq!(gather.rest(None), None);
        gather.set(Duration::from_secs(3_600));
        gather.woken();
        assert!(gather.rest(None).is_some_and(|rest| rest > Duration::from_secs(1)));
        assert_eq!(gather.rest(Some(Duration::from_secs(1))), Some(Duration::from_secs(1)));
        assert_eq!(gather.rest(Some(Duration::ZERO)), None);
        gather.set(Duration::from_nanos(1));
        while gather.woke.elapsed().is_zero() {}
        assert_eq!(gather.rest(None), None);
    }

    #[test]
    fn only_one_who_found_something_soon_sleeps_first() {
        let mut gather = Gather::new();
        gather.set(Duration::from_secs(3_600));
        let timeout = Some(Duration::from_micros(1));
        assert!(!gather.sleep(timeout).0);
        gather.woken();
        assert!(gather.sleep(timeout).0);
        gather.found(false);
        assert!(!gather.sleep(timeout).0);
        gather.found(true);
        assert!(gather.sleep(timeout).0);
    }
}
