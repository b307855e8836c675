//! Numbers about signalling, and its administration (contract 14.7).

use super::Group;
use crate::auth::caller::Caller;
use crate::domain::live::SessionView;
use crate::domain::meetings;
use crate::domain::types::{MeetingId, UserId};
use crate::http::body::JsonBody;
use crate::http::params::{Id, Page, PageSize, Paging};
use crate::http::rules::{LARGEST_ID, integer};
use crate::store::stats;
use crate::{App, Error, Reply, Result, Timestamp};
use poem_openapi::param::Query;
use poem_openapi::{Object, OpenApi};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct StatsApi {
    pub(super) app: App,
}

/// The whole server.
#[derive(Debug, Object)]
pub(super) struct Overview {
    active_rooms: i64,
    active_sessions: i64,
    online_users: i64,
    ongoing_meetings: i64,
    total_meetings: i64,
    total_users: i64,
    total_messages: i64,
    uptime_seconds: u64,
}

/// One open room.
#[derive(Debug, Object)]
pub(super) struct RoomView {
    room_id: String,
    meeting_id: MeetingId,
    participant_count: i64,
    session_count: i64,
    message_count: i64,
    created_at: Timestamp,
    last_active_at: Timestamp,
}

/// The open rooms.
#[derive(Debug, Object)]
pub(super) struct Rooms {
    rooms: Vec<RoomView>,
    total: i64,
}

/// A page of sessions.
#[derive(Debug, Object)]
pub(super) struct SessionPage {
    sessions: Vec<SessionView>,
    total: i64,
    page: i64,
    page_size: i64,
}

crate::input! {
    /// Which sessions to remove.
    pub(super) struct CleanupRequest {
        /// Seconds without a message; 300 where absent.
        optional idle_seconds: Option<i64> = integer(0, LARGEST_ID);
    }
}

/// What a clean-up did.
#[derive(Debug, Object)]
pub(super) struct Cleaned {
    removed: i64,
    remaining: i64,
}

/// Sessions idle for longer are removed by default, in seconds.
const IDLE_S: i64 = 300;

fn count<T>(of: impl IntoIterator<Item = T>) -> i64 {
    i64::try_from(of.into_iter().count()).unwrap_or(i64::MAX)
}

fn users(sessions: &[SessionView]) -> i64 {
    count(sessions.iter().map(|session| session.user_id).collect::<BTreeSet<UserId>>())
}

fn must_be_admin(caller: &Caller) -> Result<()> {
    caller.0.is_admin().then_some(()).ok_or(Error::Forbidden("administrators only"))
}

#[OpenApi(tag = "Group::Signaling")]
impl StatsApi {
    /// Signaling overview
    #[oai(path = "/api/v1/stats/overview", method = "get", operation_id = "stats.overview")]
    async fn overview(&self, _caller: Caller) -> Result<Reply<Overview>> {
        let sessions = self.app.live.all();
        let totals = stats::totals(&self.app.db).await?;
        let rooms: BTreeSet<MeetingId> = sessions.iter().map(|s| s.meeting_id).collect();
        Ok(Reply::new(Overview {
            active_rooms: count(rooms),
            active_sessions: count(&sessions),
            online_users: users(&sessions),
            ongoing_meetings: totals.ongoing_meetings,
            total_meetings: totals.total_meetings,
            total_users: totals.total_users,
            total_messages: totals.total_messages,
            uptime_seconds: self.app.uptime_s(),
        }))
    }

    /// Statistics of the open rooms
    #[oai(path = "/api/v1/stats/rooms", method = "get", operation_id = "stats.rooms")]
    async fn rooms(&self, caller: Caller) -> Result<Reply<Rooms>> {
        let mut by_meeting: BTreeMap<MeetingId, Vec<SessionView>> = BTreeMap::new();
        for session in self.app.live.all() {
            by_meeting.entry(session.meeting_id).or_default().push(session);
        }
        let mut rooms = Vec::new();
        for (meeting_id, sessions) in by_meeting {
            // Deleted meanwhile: its sessions are about to end.
            let Ok(meeting) = meetings::find(&self.app, meeting_id).await else { continue };
            if !meetings::standing(&self.app, &caller.0, &meeting).await?.belongs() {
                continue;
            }
            let Some(created_at) = sessions.iter().map(|s| s.connected_at).min() else { continue };
            let last = sessions.iter().map(|s| s.last_active_at).max();
            rooms.push(RoomView {
                room_id: format!("room_{meeting_id}"),
                meeting_id,
                participant_count: users(&sessions),
                session_count: count(&sessions),
                message_count: stats::messages_of(&self.app.db, meeting_id).await?,
                created_at,
                last_active_at: last.unwrap_or(created_at),
            });
        }
        let total = count(&rooms);
        Ok(Reply::new(Rooms { rooms, total }))
    }

    /// List all signaling sessions
    #[oai(path = "/admin/sessions", method = "get", operation_id = "admin.sessions_list")]
    async fn sessions(
        &self,
        caller: Caller,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
        meeting_id: Query<Option<Id>>,
        user_id: Query<Option<Id>>,
    ) -> Result<Reply<SessionPage>> {
        must_be_admin(&caller)?;
        let paging = Paging::new(page.0, page_size.0, 20);
        let mut sessions = self.app.live.all();
        sessions.retain(|session| {
            meeting_id.0.is_none_or(|id| session.meeting_id == id.0)
                && user_id.0.is_none_or(|id| session.user_id == id.0)
        });
        let total = count(&sessions);
        let skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
        let take = usize::try_from(paging.page_size).unwrap_or(0);
        let sessions = sessions.into_iter().skip(skip).take(take).collect();
        let (page, page_size) = (paging.page, paging.page_size);
        Ok(Reply::new(SessionPage { sessions, total, page, page_size }))
    }

    /// Remove idle sessions
    #[oai(
        path = "/admin/cleanup/sessions",
        method = "post",
        operation_id = "admin.sessions_cleanup"
    )]
    async fn cleanup(
        &self,
        caller: Caller,
        body: JsonBody<CleanupRequest>,
    ) -> Result<Reply<Cleaned>> {
        must_be_admin(&caller)?;
        let idle_s = body.0.idle_seconds.unwrap_or(IDLE_S);
        let (removed, left) = self.app.signaling().map_or((0, 0), |all| all.cleanup(idle_s));
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let data = Cleaned { removed: number(removed), remaining: number(left) };
        Ok(Reply::with("Sessions cleaned up successfully", data))
    }
}
