//! What happened in the control plane, for everyone who holds connections of people.

use super::types::{MeetingId, Role, UserId};
use crate::Timestamp;
use crate::store::messages::Message;
use crate::store::participants::Participant;

/// Events kept for a slow subscriber before it is told that it lagged.
pub(crate) const CAPACITY: usize = 4096;

/// A change that connections must follow. Sent after it is stored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DomainEvent {
    /// The meeting runs.
    MeetingStarted {
        /// Which.
        meeting_id: MeetingId,
    },
    /// Title, settings, type or size changed.
    MeetingUpdated {
        /// Which.
        meeting_id: MeetingId,
    },
    /// The meeting is over (ended or cancelled): close 4410.
    MeetingEnded {
        /// Which.
        meeting_id: MeetingId,
    },
    /// The meeting is gone: close 4404.
    MeetingDeleted {
        /// Which.
        meeting_id: MeetingId,
    },
    /// Someone left by REST.
    ParticipantLeft {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Who.
        user_id: UserId,
    },
    /// Someone was removed: close 4409.
    ParticipantRemoved {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Who.
        user_id: UserId,
    },
    /// Someone who waited may come in.
    Admitted {
        /// The participant, now online.
        participant: Box<Participant>,
    },
    /// A role changed.
    RoleChanged {
        /// Which meeting.
        meeting_id: MeetingId,
        /// Who.
        user_id: UserId,
        /// The new role.
        role: Role,
    },
    /// A chat message was stored.
    ChatPosted {
        /// The message.
        message: Box<Message>,
    },
    /// A login session ended: its connections end with it.
    SessionRevoked {
        /// Whose.
        user_id: UserId,
        /// Which session.
        sid: String,
    },
    /// All of a user's connections end at once (ban, deletion).
    UserBanned {
        /// Who.
        user_id: UserId,
    },
    /// An access token was revoked: its guests' connections end.
    AccessTokenRevoked {
        /// Of which meeting.
        meeting_id: MeetingId,
        /// Which token.
        token_id: String,
        /// The guests it let in.
        user_ids: Vec<UserId>,
        /// When.
        at: Timestamp,
    },
}
