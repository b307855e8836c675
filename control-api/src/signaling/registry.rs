//! All connections, by meeting, and what is told to many of them.

use super::message::{Close, Outgoing};
use super::session::{LeaveReason, Phase, Session};
use crate::Clock;
use crate::domain::types::{MeetingId, UserId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a batch of `participants-changed` goes out at most (contract 8.3: two a second).
const BATCH_EVERY: Duration = Duration::from_millis(500);

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

#[derive(Debug, Default)]
struct Meeting {
    /// In order of connecting.
    sessions: Vec<Arc<Session>>,
    /// Joined connections of each user.
    joined: BTreeMap<UserId, usize>,
    joined_since: Vec<Value>,
    left_since: Vec<Value>,
    flush_planned: bool,
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
        let hidden = session.changing().hidden;
        if *count == 1 && !hidden {
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
        match change {
            Change::Joined => meeting.joined_since.push(data),
            Change::Left(_) => meeting.left_since.push(data),
        }
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
        let data = json!({
            "joined": std::mem::take(&mut meeting.joined_since),
            "left": std::mem::take(&mut meeting.left_since),
            "total": meeting.joined.len(),
        });
        let text =
            Outgoing::server("participants-changed", meeting_id, data).text(self.clock.now());
        for session in meeting.sessions.iter().filter(|session| session.is_joined()) {
            if session.changing().batch {
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

#[derive(Clone, Copy)]
enum Change {
    Joined,
    Left(LeaveReason),
}
