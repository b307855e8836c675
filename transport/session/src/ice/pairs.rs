//! Paths with an authenticated check, and which of them carries media.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Path, StunOutcome};
use crate::limits::{MAX_ADDRESSES_PER_PEER, PAIR_ABANDONED_AFTER, RENOMINATION_AFTER};

/// Pairs per peer: each address may reach us on a few addresses of ours.
const MAX_PAIRS: usize = MAX_ADDRESSES_PER_PEER.saturating_mul(2);

/// A check with USE-CANDIDATE.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nomination {
    pub(super) at: Instant,
    /// libwebrtc's NOMINATION attribute, where it was sent: a higher value wins.
    pub(super) value: Option<u32>,
}

#[derive(Debug)]
struct Pair {
    path: Path,
    priority: u32,
    nomination: Option<Nomination>,
    last_check: Instant,
}

/// The valid list of a lite agent.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    list: Vec<Pair>,
    selected: Option<Path>,
}

impl Pairs {
    pub(super) fn selected(&self) -> Option<Path> {
        self.selected
    }

    pub(super) fn contains(&self, remote: &SocketAddr) -> bool {
        self.list.iter().any(|pair| pair.path.remote == *remote)
    }

    /// After a restart: only the address that proved the new credentials counts.
    pub(super) fn clear_but(&mut self, remote: &SocketAddr) {
        self.list.retain(|pair| pair.path.remote == *remote);
        for pair in &mut self.list {
            pair.nomination = None;
        }
        self.selected = None;
    }

    /// Takes note of an authenticated check.
    pub(super) fn check(
        &mut self,
        now: Instant,
        path: Path,
        priority: u32,
        nomination: Option<Nomination>,
    ) -> StunOutcome {
        let address_validated = !self.contains(&path.remote);
        let evicted = if address_validated { self.make_room_for_address() } else { None };
        let nomination_before = self.nomination_of_selected();
        if let Some(pair) = self.list.iter_mut().find(|pair| pair.path == path) {
            pair.priority = priority;
            pair.last_check = now;
            pair.nomination = nomination.or(pair.nomination);
        } else {
            self.make_room_for_pair();
            self.list.push(Pair { path, priority, nomination, last_check: now });
        }
        let select = match (self.selected, nomination) {
            (None, _) => true,
            (Some(selected), _) if selected == path => false,
            (Some(selected), None) => self.is_abandoned(selected, path, now),
            (Some(_), Some(new)) => match nomination_before {
                None => true,
                Some((old, old_priority)) => replaces(new, priority, old, old_priority),
            },
        };
        if select {
            self.selected = Some(path);
        }
        StunOutcome {
            address_validated,
            evicted,
            nominated: select.then_some(path),
            restarted: false,
        }
    }

    /// Has the peer gone back from the selected pair to this one, which it nominated earlier?
    fn is_abandoned(&self, selected: Path, path: Path, now: Instant) -> bool {
        let find = |wanted: Path| self.list.iter().find(|pair| pair.path == wanted);
        find(path).is_some_and(|pair| pair.nomination.is_some())
            && find(selected).is_none_or(|pair| {
                now.saturating_duration_since(pair.last_check) >= PAIR_ABANDONED_AFTER
            })
    }

    fn nomination_of_selected(&self) -> Option<(Nomination, u32)> {
        let selected = self.selected?;
        let pair = self.list.iter().find(|pair| pair.path == selected)?;
        Some((pair.nomination?, pair.priority))
    }

    fn oldest(&self, eligible: impl Fn(&Pair) -> bool) -> Option<Path> {
        self.list
            .iter()
            .filter(|pair| eligible(pair))
            .min_by_key(|pair| pair.last_check)
            .map(|pair| pair.path)
    }

    fn make_room_for_address(&mut self) -> Option<SocketAddr> {
        let mut remotes: Vec<SocketAddr> = self.list.iter().map(|pair| pair.path.remote).collect();
        remotes.sort_unstable();
        remotes.dedup();
        if remotes.len() < MAX_ADDRESSES_PER_PEER {
            return None;
        }
        let selected = self.selected.map(|path| path.remote);
        let remote = self.oldest(|pair| Some(pair.path.remote) != selected)?.remote;
        self.list.retain(|pair| pair.path.remote != remote);
        Some(remote)
    }

    /// Drops the oldest pair whose address stays known through another one.
    fn make_room_for_pair(&mut self) {
        if self.list.len() < MAX_PAIRS {
            return;
        }
        let shared = |pair: &Pair| {
            self.list.iter().filter(|other| other.path.remote == pair.path.remote).count() > 1
        };
        let selected = self.selected;
        if let Some(path) = self.oldest(|pair| Some(pair.path) != selected && shared(pair)) {
            self.list.retain(|pair| pair.path != path);
        }
    }
}

/// Whether a nomination takes the path over from the selected, nominated one.
fn replaces(new: Nomination, priority: u32, old: Nomination, old_priority: u32) -> bool {
    if let (Some(new), Some(old)) = (new.value, old.value)
        && new != old
    {
        return new > old;
    }
    // Aggressive nomination nominates every pair and the highest priority counts (RFC 5245
    // 8.1.1.2); a client that left the old path does not nominate it any more.
    priority >= old_priority || new.at.saturating_duration_since(old.at) >= RENOMINATION_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn path(port: u16) -> Path {
        Path { remote: SocketAddr::from(([192, 0, 2, 9], port)), local: None }
    }

    fn nominate(at: Instant) -> Option<Nomination> {
        Some(Nomination { at, value: None })
    }

    #[test]
    fn the_first_address_is_used_until_one_is_nominated() {
        let now = Instant::now();
        let mut pairs = Pairs::default();
        assert_eq!(pairs.check(now, path(1), 10, None).nominated, Some(path(1)));
        let outcome = pairs.check(now, path(2), 99, None);
        assert!(outcome.address_validated);
        assert_eq!(outcome.nominated, None);
        assert_eq!(pairs.check(now, path(2), 5, nominate(now)).nominated, Some(path(2)));
        assert_eq!(pairs.check(now, path(2), 5, nominate(now)).nominated, None);
    }

    #[test]
    fn of_several_nominated_the_highest_priority_wins_until_it_is_left() {
        let now = Instant::now();
        let mut pairs = Pairs::default();
        pairs.check(now, path(1), 50, nominate(now));
        assert_eq!(pairs.check(now, path(2), 40, nominate(now)).nominated, None);
        assert_eq!(pairs.check(now, path(3), 60, nominate(now)).nominated, Some(path(3)));
        let later = now + Duration::from_secs(2);
        assert_eq!(pairs.check(later, path(2), 40, nominate(later)).nominated, Some(path(2)));
    }

    #[test]
    fn an_abandoned_pair_gives_way_to_one_that_was_nominated_before() {
        let now = Instant::now();
        let mut pairs = Pairs::default();
        pairs.check(now, path(1), 50, nominate(now));
        assert_eq!(pairs.check(now, path(2), 60, nominate(now)).nominated, Some(path(2)));
        let later = now + PAIR_ABANDONED_AFTER;
        assert_eq!(pairs.check(later, path(3), 70, None).nominated, None, "never nominated");
        let before = later - Duration::from_millis(1);
        assert_eq!(pairs.check(before, path(1), 50, None).nominated, None);
        assert_eq!(pairs.check(later, path(1), 50, None).nominated, Some(path(1)));
    }

    #[test]
    fn a_higher_nomination_value_wins_over_priority() {
        let now = Instant::now();
        let with = |value| Some(Nomination { at: now, value: Some(value) });
        let mut pairs = Pairs::default();
        pairs.check(now, path(1), 50, with(1));
        assert_eq!(pairs.check(now, path(2), 10, with(2)).nominated, Some(path(2)));
        assert_eq!(pairs.check(now, path(1), 50, with(1)).nominated, None);
    }

    #[test]
    fn addresses_are_bounded_and_the_selected_one_stays() {
        let now = Instant::now();
        let mut pairs = Pairs::default();
        for port in 1..=8 {
            let at = now + Duration::from_millis(u64::from(port));
            assert_eq!(pairs.check(at, path(port), 1, None).evicted, None);
        }
        let outcome = pairs.check(now + Duration::from_secs(1), path(9), 1, None);
        assert_eq!(outcome.evicted, Some(path(2).remote), "1 is selected, 2 the oldest");
        assert!(pairs.contains(&path(1).remote));
        for local in 1..100 {
            let local = Some([10, 0, 0, local].into());
            pairs.check(now, Path { local, ..path(1) }, 1, None);
        }
        assert_eq!(pairs.list.len(), MAX_PAIRS);
        assert_eq!(pairs.selected(), Some(path(1)));
    }
}
