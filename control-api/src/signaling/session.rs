//! One connection, as others see it.

use super::connection::Wire;
use super::message::{Close, Outgoing};
use crate::domain::identity::Identity;
use crate::domain::live::{MediaState, SessionStatus, SessionView};
use crate::domain::types::{MeetingId, Role, UserId};
use crate::{Clock, Timestamp};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// Messages a connection may leave unread before it counts as dead: several seconds of the
/// busiest meeting.
pub(crate) const OUT_QUEUE: usize = 512;

/// As in contract 8.3.
pub(crate) fn media_json(media: MediaState) -> Value {
    json!({"audio": media.audio, "video": media.video, "screen": media.screen})
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Connected, no `join` yet.
    New,
    /// At the door.
    Waiting,
    /// In the meeting.
    Joined,
}

/// Why a connection ended, as others are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaveReason {
    Left,
    Disconnected,
    Removed,
    Ended,
}

impl LeaveReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Disconnected => "disconnected",
            Self::Removed => "removed",
            Self::Ended => "ended",
        }
    }
}

/// What something outside asks of a connection's own task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nudge {
    /// The participant was let in.
    Admitted,
    /// Role, settings or presence may have changed: look them up again.
    Refresh,
}

/// The part of a connection that changes.
#[derive(Debug, Clone)]
pub(crate) struct Changing {
    pub(crate) phase: Phase,
    pub(crate) role: Role,
    pub(crate) participant_id: i64,
    pub(crate) media: MediaState,
    /// `mute_on_join` holds until the client itself switches its microphone on.
    pub(crate) silenced: bool,
    pub(crate) batch: bool,
    /// How this connection spells `ice-candidate`.
    pub(crate) candidate: Option<&'static str>,
    pub(crate) leave_reason: LeaveReason,
    pub(crate) hidden: bool,
    /// It has a peer on a shard.
    pub(crate) has_media: bool,
    /// Its socket broke; it may come back.
    pub(crate) away: bool,
    /// Hash of the token that brings it back.
    pub(crate) resume: Option<String>,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// Public id, `sess_...`.
    pub(crate) id: String,
    /// Public id of its peer, `peer_...`.
    pub(crate) peer_id: String,
    pub(crate) identity: Identity,
    pub(crate) meeting_id: MeetingId,
    pub(crate) connected_at: Timestamp,
    last_active: AtomicI64,
    changing: Mutex<Changing>,
    out: mpsc::Sender<Arc<str>>,
    nudge: mpsc::Sender<Nudge>,
    close: watch::Sender<Option<Close>>,
    pub(super) back: mpsc::Sender<Box<Wire>>,
    clock: Clock,
}

/// The connection task's ends of a session's channels.
pub(crate) struct Ends {
    pub(crate) out: mpsc::Receiver<Arc<str>>,
    pub(crate) nudge: mpsc::Receiver<Nudge>,
    pub(crate) close: watch::Receiver<Option<Close>>,
    /// The socket of a client that came back.
    pub(super) back: mpsc::Receiver<Box<Wire>>,
    /// What a client that is away has not read.
    pub(super) missed: VecDeque<Arc<str>>,
}

impl Session {
    pub(crate) fn new(
        ids: (String, String),
        identity: Identity,
        meeting_id: MeetingId,
        changing: Changing,
        clock: Clock,
    ) -> (Arc<Self>, Ends) {
        let (out, out_end) = mpsc::channel(OUT_QUEUE);
        let (nudge, nudge_end) = mpsc::channel(8);
        let (close, close_end) = watch::channel(None);
        let (back, back_end) = mpsc::channel(1);
        let now = clock.now();
        let session = Arc::new(Self {
            id: ids.0,
            peer_id: ids.1,
            identity,
            meeting_id,
            connected_at: now,
            last_active: AtomicI64::new(now.0),
            changing: Mutex::new(changing),
            out,
            nudge,
            close,
            back,
            clock,
        });
        let ends = Ends {
            out: out_end,
            nudge: nudge_end,
            close: close_end,
            back: back_end,
            missed: VecDeque::new(),
        };
        (session, ends)
    }

    /// A look at what changes. Never held across an await.
    pub(crate) fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.changing().phase == Phase::Joined
    }

    /// Queues a message. A client that does not read them is disconnected.
    pub(crate) fn send(&self, message: &Outgoing) {
        self.send_text(message.text(self.clock.now()));
    }

    pub(crate) fn send_text(&self, text: Arc<str>) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.out.try_send(text) {
            self.close(Close::TOO_SLOW, LeaveReason::Disconnected);
        }
    }

    /// Ends the connection after what is queued; the first call wins.
    pub(crate) fn close(&self, close: Close, reason: LeaveReason) {
        let first = self.close.send_if_modified(|asked| {
            let first = asked.is_none();
            asked.get_or_insert(close);
            first
        });
        if first {
            self.changing().leave_reason = reason;
        }
    }

    /// Asks the connection's task for something; a full queue holds the same request already.
    pub(crate) fn nudge(&self, nudge: Nudge) {
        let _ = self.nudge.try_send(nudge);
    }

    /// Notes traffic.
    pub(crate) fn touch(&self) {
        self.last_active.store(self.clock.now().0, Ordering::Relaxed);
    }

    pub(crate) fn last_active(&self) -> Timestamp {
        Timestamp(self.last_active.load(Ordering::Relaxed))
    }

    /// Its user as `user-joined` shows it.
    pub(crate) fn introduction(&self) -> Value {
        let changing = self.changing().clone();
        json!({
            "user_id": self.identity.user_id,
            "username": self.identity.username,
            "nickname": self.identity.nickname,
            "role": changing.role.as_str(),
            "participant_id": changing.participant_id,
            "peer_id": self.peer_id,
            "media_state": media_json(changing.media),
        })
    }

    pub(crate) fn user_id(&self) -> UserId {
        self.identity.user_id
    }

    /// As REST shows it.
    pub(crate) fn view(&self) -> SessionView {
        let changing = self.changing().clone();
        SessionView {
            session_id: self.id.clone(),
            user_id: self.user_id(),
            username: self.identity.username.clone(),
            meeting_id: self.meeting_id,
            peer_id: changing.has_media.then(|| self.peer_id.clone()),
            status: match changing.phase {
                _ if changing.away => SessionStatus::Disconnected,
                Phase::Waiting => SessionStatus::Waiting,
                Phase::New | Phase::Joined => SessionStatus::Connected,
            },
            media_state: changing.media,
            connected_at: self.connected_at,
            last_active_at: self.last_active(),
        }
    }
}
