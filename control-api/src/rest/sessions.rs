//! `/api/v1/sessions/...` (contract 14.7): what signalling keeps in [`crate::domain::live`].

use super::Group;
use super::meetings::guarded;
use crate::auth::caller::Caller;
use crate::domain::live::SessionView;
use crate::domain::meetings;
use crate::domain::types::MeetingId;
use crate::http::params::Id;
use crate::{App, Error, Reply, Result};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};

pub(super) struct SessionsApi {
    pub(super) app: App,
}

/// The sessions of a meeting.
#[derive(Debug, Object)]
pub(super) struct RoomSessions {
    meeting_id: MeetingId,
    sessions: Vec<SessionView>,
    total: i64,
}

#[OpenApi(prefix_path = "/api/v1/sessions", tag = "Group::Signaling")]
impl SessionsApi {
    /// Get a signaling session
    #[oai(path = "/:session_id", method = "get", operation_id = "sessions.get")]
    async fn get(&self, caller: Caller, session_id: Path<String>) -> Result<Reply<SessionView>> {
        let session = self.app.live.get(&session_id.0);
        let session = session.ok_or(Error::NotFound("no such session"))?;
        if session.user_id != caller.0.user_id {
            let meeting = meetings::find(&self.app, session.meeting_id).await;
            let leads = match &meeting {
                Ok(meeting) => meetings::standing(&self.app, &caller.0, meeting).await?.leads(),
                Err(_) => caller.0.is_admin(),
            };
            if !leads {
                return Err(Error::Forbidden("not your session"));
            }
        }
        Ok(Reply::new(session))
    }

    /// Sessions of a meeting's room
    #[oai(path = "/room/:meeting_id", method = "get", operation_id = "sessions.room")]
    async fn room(&self, caller: Caller, meeting_id: Path<Id>) -> Result<Reply<RoomSessions>> {
        let meeting_id = meeting_id.0.0;
        guarded(&self.app, &caller.0, meeting_id).await?;
        meetings::find_as_member(&self.app, &caller.0, meeting_id).await?;
        let sessions = self.app.live.of_meeting(meeting_id);
        let total = i64::try_from(sessions.len()).unwrap_or(i64::MAX);
        Ok(Reply::new(RoomSessions { meeting_id, sessions, total }))
    }
}
