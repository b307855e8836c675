//! `/api/v1/meetings/{id}/participants...` (contract 14.4).

use super::Group;
use super::meetings::guarded;
use crate::auth::caller::Caller;
use crate::domain::live::{MediaState, SessionView};
use crate::domain::participants;
use crate::domain::types::{MeetingId, Presence, Role, UserId, UserKind};
use crate::http::body::JsonBody;
use crate::http::params::{Id, Page, PageSize, Paging};
use crate::http::rules::{user_id, word};
use crate::store::participants::Participant;
use crate::{App, Empty, Reply, Result, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use std::collections::{HashMap, HashSet};

pub(super) struct ParticipantsApi {
    pub(super) app: App,
}

crate::input! {
    /// A participant to be added.
    pub(super) struct ParticipantAdd {
        /// Who.
        required user_id: i64 = user_id();
        /// In which role; participant when absent.
        optional role: Option<Role> = word(Role::WORDS, Role::from_word);
    }
}

crate::input! {
    /// A new role.
    pub(super) struct RoleChange {
        /// The role.
        required role: Role = word(Role::WORDS, Role::from_word);
    }
}

/// A participant, as REST and signalling show it.
#[derive(Debug, Clone, Object)]
pub struct ParticipantView {
    /// Id of the participation.
    pub participant_id: i64,
    /// Of which meeting.
    pub meeting_id: MeetingId,
    /// Who.
    pub user_id: UserId,
    /// User name.
    pub username: String,
    /// Shown name.
    pub nickname: String,
    /// Role in the meeting.
    pub role: Role,
    /// Where they are.
    pub status: Presence,
    /// First joined, or added while they have not.
    pub joined_at: Timestamp,
    /// Came in by an access token.
    pub guest: bool,
    /// Has the hand up.
    pub hand_raised: bool,
    /// What they say of their sources; null for who is not connected.
    pub media_state: Option<MediaState>,
    /// `peer_...` of the newest connection with media; null without one.
    pub peer_id: Option<String>,
}

impl From<Participant> for ParticipantView {
    fn from(row: Participant) -> Self {
        Self {
            participant_id: row.participant_id,
            meeting_id: row.meeting_id,
            user_id: row.user_id,
            username: row.username,
            nickname: row.nickname,
            role: row.role,
            status: row.status,
            joined_at: row.joined_at,
            guest: row.kind == UserKind::Guest,
            hand_raised: false,
            media_state: None,
            peer_id: None,
        }
    }
}

/// Rows with what only the connections know.
fn with_live(app: &App, meeting_id: MeetingId, rows: Vec<Participant>) -> Vec<ParticipantView> {
    let sessions: HashMap<UserId, SessionView> =
        app.live.of_meeting(meeting_id).into_iter().map(|s| (s.user_id, s)).collect();
    let hands: HashSet<UserId> =
        app.live.hands(meeting_id).into_iter().map(|hand| hand.user_id).collect();
    let view = |row: Participant| {
        let session = sessions.get(&row.user_id);
        ParticipantView {
            hand_raised: hands.contains(&row.user_id),
            media_state: session.map(|session| session.media_state),
            peer_id: session.and_then(|session| session.peer_id.clone()),
            ..ParticipantView::from(row)
        }
    };
    rows.into_iter().map(view).collect()
}

/// People of a meeting.
#[derive(Debug, Object)]
pub(super) struct ParticipantList {
    participants: Vec<ParticipantView>,
    total: i64,
    #[oai(skip_serializing_if_is_none)]
    page: Option<i64>,
    #[oai(skip_serializing_if_is_none)]
    page_size: Option<i64>,
}

#[OpenApi(prefix_path = "/api/v1/meetings", tag = "Group::Meetings")]
impl ParticipantsApi {
    /// List participants
    #[oai(path = "/:id/participants", method = "get", operation_id = "meetings.participants_list")]
    async fn list(
        &self,
        caller: Caller,
        id: Path<Id>,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
        /// Only who is online, offline or waiting.
        status: Query<Option<Presence>>,
    ) -> Result<Reply<ParticipantList>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        // Pages only for who asks for them: the documented answer holds everybody.
        let paging = (page.0.is_some() || page_size.0.is_some())
            .then(|| Paging::new(page.0, page_size.0, 50));
        let (limit, offset) = paging.map_or((i64::MAX, 0), |p| (p.page_size, p.offset()));
        let (app, who) = (&self.app, &caller.0);
        let (rows, total) = match status.0 {
            Some(status) => {
                participants::list_status_for(app, who, id.0.0, status, limit, offset).await?
            }
            None => participants::list_for(app, who, id.0.0, limit, offset).await?,
        };
        Ok(Reply::new(ParticipantList {
            participants: with_live(app, id.0.0, rows),
            total,
            page: paging.map(|p| p.page),
            page_size: paging.map(|p| p.page_size),
        }))
    }

    /// Add a participant
    #[oai(path = "/:id/participants", method = "post", operation_id = "meetings.participants_add")]
    async fn add(
        &self,
        caller: Caller,
        id: Path<Id>,
        body: JsonBody<ParticipantAdd>,
    ) -> Result<Reply<Empty>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        let ParticipantAdd { user_id, role } = body.0;
        participants::add(&self.app, &caller.0, id.0.0, user_id, role).await?;
        Ok(Reply::message("Participant added successfully"))
    }

    /// Remove a participant
    #[oai(
        path = "/:id/participants/:user_id",
        method = "delete",
        operation_id = "meetings.participants_remove"
    )]
    async fn remove(
        &self,
        caller: Caller,
        id: Path<Id>,
        user_id: Path<Id>,
    ) -> Result<Reply<Empty>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        participants::remove(&self.app, &caller.0, id.0.0, user_id.0.0).await?;
        Ok(Reply::message("Participant removed successfully"))
    }

    /// Change a participant's role
    #[oai(
        path = "/:id/participants/:user_id/role",
        method = "put",
        operation_id = "meetings.participants_role"
    )]
    async fn set_role(
        &self,
        caller: Caller,
        id: Path<Id>,
        user_id: Path<Id>,
        body: JsonBody<RoleChange>,
    ) -> Result<Reply<Empty>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        participants::set_role(&self.app, &caller.0, id.0.0, user_id.0.0, body.0.role).await?;
        Ok(Reply::message("Participant role updated successfully"))
    }
}
