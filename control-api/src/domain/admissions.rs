//! Way 7 into the WebSocket (contract 8.1): who joined by REST a moment ago may connect once from
//! the same address without a token. Kept only where `ws.admission_by_join` is on.

use super::identity::{Identity, Origin};
use super::types::{MeetingId, UserId};
use crate::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long an admission holds, in seconds.
const ADMISSION_LIFE_S: i64 = 120;
/// Admissions kept at a time, about 10 MB; above it, the expired ones having been dropped, no more
/// are noted and clients have to show their token.
const MOST: usize = 65_536;

/// Who may come where, and from which address.
type Key = (MeetingId, UserId, IpAddr);

/// What a connection without a token is admitted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admission {
    /// The login session that joined; it must still hold.
    pub(crate) sid: String,
    /// The user's token generation then.
    pub(crate) generation: i64,
    until: Timestamp,
}

/// All admissions of this process.
#[derive(Debug, Default)]
pub(crate) struct Admissions {
    by_key: Mutex<HashMap<Key, Admission>>,
}

impl Admissions {
    /// After a successful REST join or start; guests always have a token to show.
    pub(crate) fn note(&self, now: Timestamp, who: &Identity, meeting: MeetingId, addr: IpAddr) {
        let Origin::Session { sid, generation } = &who.origin else { return };
        let admission = Admission {
            sid: sid.clone(),
            generation: *generation,
            until: now.plus_seconds(ADMISSION_LIFE_S),
        };
        let mut by_key = self.by_key();
        if by_key.len() >= MOST {
            by_key.retain(|_, known| known.until > now);
        }
        if by_key.len() < MOST {
            by_key.insert((meeting, who.user_id, addr), admission);
        }
    }

    /// Uses an admission up.
    pub(crate) fn take(
        &self,
        now: Timestamp,
        meeting: MeetingId,
        user: UserId,
        addr: IpAddr,
    ) -> Option<Admission> {
        let taken = self.by_key().remove(&(meeting, user, addr))?;
        (taken.until > now).then_some(taken)
    }

    /// Someone left or was removed: what they joined is over.
    pub(crate) fn forget(&self, meeting: MeetingId, user: UserId) {
        self.by_key().retain(|(in_meeting, who, _), _| (*in_meeting, *who) != (meeting, user));
    }

    fn by_key(&self) -> MutexGuard<'_, HashMap<Key, Admission>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
