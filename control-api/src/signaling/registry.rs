//! All connections, by meeting, and what is told to many of them.

use super::allowance::Allowance;
use super::message::{Close, Outgoing};
use super::session::{LeaveReason, Phase, Session};
use crate::Clock;
use crate::domain::types::{MeetingId, UserId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a batch of `participants-changed` goes out at most (contract 8.3: two a second).
const BATCH_EVERY: Duration = Duration::from_millis(500);

/// Reactions and raised hands a second that a meeting passes on: each goes to everybody in it.
const MEETING_GESTURES: u32 = 30;
/// The most people at the door that hosts are told of at once.
const WAITING_SHOWN: usize = 50;

/// All connections of this process.
#[derive(Debug)]
pub(crate) struct Registry {
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: BTreeMap<String, Arc<Session>>,
    meetings: HashMap<MeetingId, Meeting>,
}

#[derive(Debug)]
struct Meeting {
    /// In order of connecting.
    sessions: Vec<Arc<Session>>,
    /// Joined connections of each user.
    joined: BTreeMap<UserId, usize>,
    /// Those of them who are not shown.
    hidden: BTreeSet<UserId>,
    /// What happened to whom since the last batch: the last word on each.
    changed: BTreeMap<UserId, (Change, Value)>,
    flush_planned: bool,
    gestures: Allowance,
}

impl Default for Meeting {
    fn default() -> Self {
        Self {
            sessions: Vec::new(),
            joined: BTreeMap::new(),
            hidden: BTreeSet::new(),
            changed: BTreeMap::new(),
            flush_planned: false,
            gestures: Allowance::new(MEETING_GESTURES, Duration::from_secs(1)),
        }
    }
}

impl Meeting {
    /// How many people are in it, hidden ones left out.
    fn total(&self) -> usize {
        self.joined.len().saturating_sub(self.hidden.len())
    }
}

impl Registry {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, inner: Mutex::default() }
    }

    pub(crate) fn add(&self, session: &Arc<Session>) {
        let mut inner = self.inner();
        inner.by_id.insert(session.id.clone(), Arc::clone(session));
        let meeting = inner.meetings.entry(session.meeting_id).or_default();
        meeting.sessions.push(Arc::clone(session));
    }

    /// Marks a connection as joined and tells the others about a new user.
    pub(crate) fn joined(self: &Arc<Self>, session: &Arc<Session>) {
        let mut inner = self.inner();
        let Some(meeting) = inner.meetings.get_mut(&session.meeting_id) else { return };
        let before = std::mem::replace(&mut session.changing().phase, Phase::Joined);
        if before == Phase::Joined {
            return;
        }
        let count = meeting.joined.entry(session.user_id()).or_insert(0);
        *count += 1;
        let (first, hidden) = (*count == 1, session.changing().hidden);
        if hidden {
            meeting.hidden.insert(session.user_id());
        } else if first {
            self.announce(meeting, session, Change::Joined);
        }
    }

    /// Forgets a connection; true when it was its user's last joined one.
    pub(crate) fn remove(self: &Arc<Self>, session: &Arc<Session>) -> bool {
        let mut inner = self.inner();
        inner.by_id.remove(&session.id);
        let Some(meeting) = inner.meetings.get_mut(&session.meeting_id) else { return false };
        meeting.sessions.retain(|other| other.id != session.id);
        let (phase, reason, hidden) = {
            let changing = session.changing();
            (changing.phase, changing.leave_reason, changing.hidden)
        };
        let user_id = session.user_id();
        let mut last = !meeting.sessions.iter().any(|other| other.user_id() == user_id);
        if phase == Phase::Joined
            && let Some(count) = meeting.joined.get_mut(&user_id)
        {
            *count = count.saturating_sub(1);
            last = *count == 0;
            if last {
                meeting.joined.remove(&user_id);
                meeting.hidden.remove(&user_id);
                if !hidden {
                    self.announce(meeting, session, Change::Left(reason));
                }
            }
        }
        if meeting.sessions.is_empty() {
            inner.meetings.remove(&session.meeting_id);
        }
        last
    }

    /// `user-joined` or `user-left` at once, or later as part of a batch.
    fn announce(self: &Arc<Self>, meeting: &mut Meeting, about: &Arc<Session>, change: Change) {
        let (kind, data) = match change {
            Change::Joined => ("user-joined", about.introduction()),
            Change::Left(reason) => (
                "user-left",
                json!({
                    "user_id": about.user_id(),
                    "username": about.identity.username,
                    "reason": reason.as_str(),
                }),
            ),
        };
        let mut batched = false;
        let mut text = None;
        for session in &meeting.sessions {
            if session.user_id() == about.user_id() || !session.is_joined() {
                continue;
            }
            if session.changing().batch {
                batched = true;
                continue;
            }
            let text = text.get_or_insert_with(|| {
                Outgoing::server(kind, about.meeting_id, data.clone()).text(self.clock.now())
            });
            session.send_text(Arc::clone(text));
        }
        if !batched {
            return;
        }
        meeting.changed.insert(about.user_id(), (change, data));
        if !std::mem::replace(&mut meeting.flush_planned, true) {
            let registry = Arc::clone(self);
            let meeting_id = about.meeting_id;
            tokio::spawn(async move {
                tokio::time::sleep(BATCH_EVERY).await;
                registry.flush(meeting_id);
            });
        }
    }

    fn flush(&self, meeting_id: MeetingId) {
        let mut inner = self.inner();
        let Some(meeting) = inner.meetings.get_mut(&meeting_id) else { return };
        meeting.flush_planned = false;
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for (change, data) in std::mem::take(&mut meeting.changed).into_values() {
            match change {
                Change::Joined => joined.push(data),
                Change::Left(_) => left.push(data),
            }
        }
        let data = json!({"joined": joined, "left": left, "total": meeting.total()});
        let text =
            Outgoing::server("participants-changed", meeting_id, data).text(self.clock.now());
        for session in meeting.sessions.iter().filter(|session| session.is_joined()) {
            if session.changing().batch {
                session.send_text(Arc::clone(&text));
            }
        }
    }

    /// How many people are in a meeting, hidden ones left out.
    pub(crate) fn total(&self, meeting_id: MeetingId) -> usize {
        self.inner().meetings.get(&meeting_id).map_or(0, Meeting::total)
    }

    /// Uses one of a meeting's reactions; false when there were too many.
    pub(crate) fn take_gesture(&self, meeting_id: MeetingId) -> bool {
        self.inner().meetings.get_mut(&meeting_id).is_some_and(|meeting| meeting.gestures.take())
    }

    /// Who is at the door, as hosts and moderators see it.
    pub(crate) fn waiting(&self, meeting_id: MeetingId) -> Value {
        self.inner().meetings.get(&meeting_id).map_or_else(|| json!({}), Meeting::waiting)
    }

    /// Tells hosts and moderators who is at the door.
    pub(crate) fn tell_waiting(&self, meeting_id: MeetingId) {
        let inner = self.inner();
        let Some(meeting) = inner.meetings.get(&meeting_id) else { return };
        let message = Outgoing::server("waiting", meeting_id, meeting.waiting());
        let text = message.text(self.clock.now());
        for session in meeting.sessions.iter().filter(|session| session.is_joined()) {
            if session.changing().role.leads() {
                session.send_text(Arc::clone(&text));
            }
        }
    }

    /// To every joined connection of a meeting, except one.
    pub(crate) fn broadcast(&self, message: &Outgoing, except: Option<&str>) {
        let text = message.text(self.clock.now());
        let inner = self.inner();
        let Some(meeting) = inner.meetings.get(&message.meeting_id) else { return };
        for session in &meeting.sessions {
            if except != Some(session.id.as_str()) && session.is_joined() {
                session.send_text(Arc::clone(&text));
            }
        }
    }

    /// The joined connections of one user in a meeting.
    pub(crate) fn of_user(&self, meeting_id: MeetingId, user_id: UserId) -> Vec<Arc<Session>> {
        self.select(meeting_id, |session| session.user_id() == user_id && session.is_joined())
    }

    /// Meetings and users with any connection, joined or not. One look for all of them.
    pub(crate) fn everybody(&self) -> HashSet<(MeetingId, UserId)> {
        self.inner().by_id.values().map(|s| (s.meeting_id, s.user_id())).collect()
    }

    /// Connections of a meeting that satisfy `wanted`, in order of connecting.
    pub(crate) fn select(
        &self,
        meeting_id: MeetingId,
        wanted: impl Fn(&Session) -> bool,
    ) -> Vec<Arc<Session>> {
        let inner = self.inner();
        let sessions = inner.meetings.get(&meeting_id).map(|meeting| meeting.sessions.as_slice());
        sessions.unwrap_or_default().iter().filter(|session| wanted(session)).cloned().collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.inner().by_id.values().cloned().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner().by_id.is_empty()
    }

    /// The session a resume token brings back, of this user if one is known already. The token is
    /// used up.
    pub(crate) fn take_resumable(
        &self,
        meeting_id: MeetingId,
        user_id: Option<UserId>,
        digest: &str,
    ) -> Option<Arc<Session>> {
        let inner = self.inner();
        let sessions = &inner.meetings.get(&meeting_id)?.sessions;
        sessions
            .iter()
            .filter(|session| user_id.is_none_or(|user_id| session.user_id() == user_id))
            .find(|session| session.take_resume_token(digest))
            .cloned()
    }

    /// Ends all connections that satisfy `wanted`.
    pub(crate) fn close_where(
        &self,
        wanted: impl Fn(&Session) -> bool,
        close: Close,
        reason: LeaveReason,
    ) {
        for session in self.all() {
            if wanted(&session) {
                session.close(close, reason);
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meeting {
    fn waiting(&self) -> Value {
        let mut people = BTreeMap::new();
        for session in &self.sessions {
            if session.changing().phase == Phase::Waiting {
                people.entry(session.user_id()).or_insert(session);
            }
        }
        let shown = people.values().take(WAITING_SHOWN).map(|session| {
            json!({
                "user_id": session.user_id(),
                "username": session.identity.username,
                "nickname": session.identity.nickname,
            })
        });
        json!({"waiting": shown.collect::<Vec<_>>(), "total": people.len()})
    }
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Joined,
    Left(LeaveReason),
}
