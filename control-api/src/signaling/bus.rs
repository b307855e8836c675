//! What the domain announces, applied to connections.

use super::Signaling;
use super::message::{Close, Outgoing};
use super::session::{LeaveReason, Nudge, Session};
use crate::domain::bus::DomainEvent;
use crate::domain::identity::Origin;
use crate::domain::types::MeetingId;
use crate::pulse::Beats;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use weir_sfu_api::RoomId;

impl Signaling {
    /// Follows the domain's events until their channel closes.
    pub async fn follow(self: Arc<Self>, mut events: Receiver<DomainEvent>) {
        let mut beats = self.pulse.take();
        loop {
            let event = tokio::select! {
                () = Beats::answer(&mut beats) => continue,
                event = events.recv() => event,
            };
            match event {
                Ok(event) => self.apply(event),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "signalling lags behind; looking everything up again");
                    self.registry.all().iter().for_each(|session| session.nudge(Nudge::Refresh));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn apply(&self, event: DomainEvent) {
        match event {
            DomainEvent::MeetingEnded { meeting_id } => self.end_meeting(meeting_id, Close::ENDED),
            DomainEvent::MeetingDeleted { meeting_id } => {
                self.end_meeting(meeting_id, Close::NO_MEETING);
            }
            DomainEvent::MeetingUpdated { meeting_id } => {
                for session in self.registry.select(meeting_id, |_| true) {
                    session.nudge(Nudge::Refresh);
                }
            }
            DomainEvent::ParticipantLeft { meeting_id, user_id } => {
                self.close_in(meeting_id, Close::NORMAL, LeaveReason::Left, |session| {
                    session.user_id() == user_id
                });
            }
            DomainEvent::ParticipantRemoved { meeting_id, user_id } => {
                self.close_in(meeting_id, Close::REMOVED, LeaveReason::Removed, |session| {
                    session.user_id() == user_id
                });
            }
            DomainEvent::Admitted { participant } => {
                let (meeting_id, user_id) = (participant.meeting_id, participant.user_id);
                for session in self.registry.select(meeting_id, |s| s.user_id() == user_id) {
                    session.nudge(Nudge::Admitted);
                }
            }
            DomainEvent::RoleChanged { meeting_id, user_id, role } => {
                for session in self.registry.select(meeting_id, |s| s.user_id() == user_id) {
                    session.changing().role = role;
                    session.nudge(Nudge::Refresh);
                }
                let data = json!({"user_id": user_id, "role": role.as_str()});
                let change = Outgoing::server("role-changed", meeting_id, data);
                self.registry.broadcast(&change, None);
                if role.leads() {
                    self.registry.tell_waiting(meeting_id);
                }
            }
            DomainEvent::ChatPosted { message } => {
                let data = json!({
                    "message_id": message.message_id,
                    "user_id": message.user_id,
                    "username": message.username,
                    "nickname": message.nickname,
                    "content": message.content,
                    "timestamp": message.created_at.iso(),
                });
                let chat = Outgoing {
                    from: message.user_id,
                    ..Outgoing::server("chat", message.meeting_id, data)
                };
                self.registry.broadcast(&chat, None);
            }
            DomainEvent::SessionRevoked { user_id, sid } => {
                self.registry.close_where(
                    |session| session.user_id() == user_id && session.identity.sid() == Some(&sid),
                    Close::UNAUTHORIZED,
                    LeaveReason::Disconnected,
                );
            }
            DomainEvent::UserBanned { user_id } => {
                self.registry.close_where(
                    |session| session.user_id() == user_id,
                    Close::FORBIDDEN,
                    LeaveReason::Removed,
                );
            }
            DomainEvent::AccessTokenRevoked { meeting_id, token_id, .. } => {
                self.close_in(meeting_id, Close::UNAUTHORIZED, LeaveReason::Removed, |session| {
                    matches!(&session.identity.origin,
                        Origin::Guest { token_id: own, .. } if *own == token_id)
                });
            }
            _ => {}
        }
    }

    fn end_meeting(&self, meeting_id: MeetingId, close: Close) {
        self.close_in(meeting_id, close, LeaveReason::Ended, |_| true);
        if let Ok(room) = u64::try_from(meeting_id) {
            self.hub.close_room(RoomId(room));
        }
    }

    fn close_in(
        &self,
        meeting_id: MeetingId,
        close: Close,
        reason: LeaveReason,
        wanted: impl Fn(&Session) -> bool,
    ) {
        for session in self.registry.select(meeting_id, wanted) {
            session.close(close, reason);
        }
    }
}
