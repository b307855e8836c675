//! The signalling sessions of this process: kept by signalling, shown by REST.

use super::types::{MeetingId, UserId};
use crate::Timestamp;
use poem_openapi::{Enum, Object};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What someone says of their own sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct MediaState {
    /// Microphone on?
    pub audio: bool,
    /// Camera on?
    pub video: bool,
    /// Sharing a screen?
    pub screen: bool,
}

/// Whether a session has its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum SessionStatus {
    /// In the room.
    Connected,
    /// In the waiting room.
    Waiting,
    /// The connection was lost; it may come back.
    Disconnected,
}

/// One signalling session, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct SessionView {
    /// `sess_...`.
    pub session_id: String,
    /// Whose.
    pub user_id: UserId,
    /// User name.
    pub username: String,
    /// In which meeting.
    pub meeting_id: MeetingId,
    /// `peer_...`; null while there is no media.
    pub peer_id: Option<String>,
    /// Whether it has its connection.
    pub status: SessionStatus,
    /// What the user says of their sources.
    pub media_state: MediaState,
    /// Since when.
    pub connected_at: Timestamp,
    /// Last message from the client.
    pub last_active_at: Timestamp,
}

/// All sessions of this process, and the meetings they have locked.
#[derive(Debug, Default)]
pub struct LiveSessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: BTreeMap<String, SessionView>,
    /// Meetings that let nobody else in. A lock goes with the last session.
    locked: BTreeSet<MeetingId>,
    /// Raised hands of each meeting, first raised first. A hand goes with its user's last session.
    hands: BTreeMap<MeetingId, Vec<Hand>>,
}

/// A raised hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hand {
    /// Whose.
    pub user_id: UserId,
    /// Since when.
    pub raised_at: Timestamp,
}

impl LiveSessions {
    /// Adds or replaces a session.
    pub fn put(&self, session: SessionView) {
        self.lock().by_id.insert(session.session_id.clone(), session);
    }

    /// Changes a session in place, if it is there.
    pub fn change(&self, session_id: &str, change: impl FnOnce(&mut SessionView)) {
        if let Some(session) = self.lock().by_id.get_mut(session_id) {
            change(session);
        }
    }

    /// Removes a session.
    pub fn remove(&self, session_id: &str) {
        let mut inner = self.lock();
        let Some(gone) = inner.by_id.remove(session_id) else { return };
        let (meeting_id, user_id) = (gone.meeting_id, gone.user_id);
        let mut others = inner.by_id.values().filter(|other| other.meeting_id == meeting_id);
        let (empty, still_here) = match others.next() {
            None => (true, false),
            Some(first) => {
                (false, first.user_id == user_id || others.any(|other| other.user_id == user_id))
            }
        };
        if empty {
            inner.locked.remove(&meeting_id);
        }
        if !still_here {
            inner.lower(meeting_id, user_id);
        }
    }

    /// Whether a meeting lets nobody else in.
    #[must_use]
    pub fn is_locked(&self, meeting_id: MeetingId) -> bool {
        self.lock().locked.contains(&meeting_id)
    }

    /// Locks a meeting, or opens it.
    pub fn set_locked(&self, meeting_id: MeetingId, locked: bool) {
        let mut inner = self.lock();
        if locked {
            inner.locked.insert(meeting_id);
        } else {
            inner.locked.remove(&meeting_id);
        }
    }

    /// Raises a hand; false when it was up already.
    pub fn raise_hand(&self, meeting_id: MeetingId, user_id: UserId, now: Timestamp) -> bool {
        let mut inner = self.lock();
        let hands = inner.hands.entry(meeting_id).or_default();
        let new = !hands.iter().any(|hand| hand.user_id == user_id);
        if new {
            hands.push(Hand { user_id, raised_at: now });
        }
        new
    }

    /// Lowers a hand; false when it was not up.
    pub fn lower_hand(&self, meeting_id: MeetingId, user_id: UserId) -> bool {
        self.lock().lower(meeting_id, user_id)
    }

    /// Raised hands, first raised first.
    #[must_use]
    pub fn hands(&self, meeting_id: MeetingId) -> Vec<Hand> {
        self.lock().hands.get(&meeting_id).cloned().unwrap_or_default()
    }

    /// One session.
    #[must_use]
    pub fn get(&self, session_id: &str) -> Option<SessionView> {
        self.lock().by_id.get(session_id).cloned()
    }

    /// The sessions of a meeting, in order of connecting.
    #[must_use]
    pub fn of_meeting(&self, meeting_id: MeetingId) -> Vec<SessionView> {
        let mut found: Vec<SessionView> =
            self.lock().by_id.values().filter(|s| s.meeting_id == meeting_id).cloned().collect();
        found.sort_by(|a, b| (a.connected_at, &a.session_id).cmp(&(b.connected_at, &b.session_id)));
        found
    }

    /// All sessions, in order of connecting.
    #[must_use]
    pub fn all(&self) -> Vec<SessionView> {
        let mut all: Vec<SessionView> = self.lock().by_id.values().cloned().collect();
        all.sort_by(|a, b| (a.connected_at, &a.session_id).cmp(&(b.connected_at, &b.session_id)));
        all
    }

    /// How many sessions there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn lower(&mut self, meeting_id: MeetingId, user_id: UserId) -> bool {
        let Some(hands) = self.hands.get_mut(&meeting_id) else { return false };
        let before = hands.len();
        hands.retain(|hand| hand.user_id != user_id);
        let lowered = hands.len() < before;
        if hands.is_empty() {
            self.hands.remove(&meeting_id);
        }
        lowered
    }
}
