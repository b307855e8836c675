//! `/api/v1/meetings...` (contract 14.4), but for people, chat and tokens.

use super::Group;
use crate::auth::caller::Caller;
use crate::config::IceServer;
use crate::domain::identity::Identity;
use crate::domain::joining;
use crate::domain::meetings::{self, MeetingChange, NewMeeting};
use crate::domain::types::{
    MeetingId, MeetingStatus, MeetingType, Presence, Role, Settings, UserId, WhoMayPublish,
};
use crate::http::body::JsonBody;
use crate::http::context::Context;
use crate::http::limits;
use crate::http::params::{Id, Page, PageSize, Paging};
use crate::http::rules::{Flag, Time, integer, nested, text, word};
use crate::store::meetings::{Filter, Listed, Meeting, Span};
use crate::store::participants;
use crate::{App, Created, Empty, Error, Reply, Result, Timestamp, store};
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};

pub(super) struct MeetingsApi {
    pub(super) app: App,
}

crate::input! {
    /// Switches of a meeting; absent ones keep their value.
    pub(super) struct SettingsChange {
        /// Record by itself from the start.
        optional enable_recording: Option<bool> = Flag;
        /// Everybody may chat.
        optional enable_chat: Option<bool> = Flag;
        /// Everybody may share a screen.
        optional enable_screen_share: Option<bool> = Flag;
        /// Who joins waits until admitted.
        optional enable_waiting_room: Option<bool> = Flag;
        /// Microphones start switched off.
        optional mute_on_join: Option<bool> = Flag;
        /// Who may be seen and heard: all, or hosts and moderators only (a webinar).
        optional who_may_publish: Option<WhoMayPublish> =
            word(WhoMayPublish::WORDS, WhoMayPublish::from_word);
    }
}

crate::input! {
    /// A meeting to be made.
    pub(super) struct MeetingCreate {
        /// Title.
        required title: String = text(1, 100).trimmed();
        /// Description.
        optional description: Option<String> = text(0, 500);
        /// Planned start; may lie in the past.
        required start_time: Timestamp = Time;
        /// Planned end, after the start.
        required end_time: Timestamp = Time;
        /// How many may be in it at once.
        required max_participants: i64 = integer(1, 1000);
        /// Video or audio.
        required meeting_type: MeetingType = word(MeetingType::WORDS, MeetingType::from_word);
        /// Password; absent or empty for none.
        optional password: Option<String> = text(0, 50);
        /// Switches.
        optional settings: Option<SettingsChange> = nested::<SettingsChange>();
    }
}

crate::input! {
    /// Changes to a meeting; absent fields keep their value.
    pub(super) struct MeetingUpdate {
        /// Title.
        optional title: Option<String> = text(1, 100).trimmed();
        /// Description.
        optional description: Option<String> = text(0, 500);
        /// Planned start.
        optional start_time: Option<Timestamp> = Time;
        /// Planned end.
        optional end_time: Option<Timestamp> = Time;
        /// How many may be in it at once.
        optional max_participants: Option<i64> = integer(1, 1000);
        /// Video or audio.
        optional meeting_type: Option<MeetingType> =
            word(MeetingType::WORDS, MeetingType::from_word);
        /// New password; empty takes it away.
        optional password: Option<String> = text(0, 50);
        /// Only `cancelled`, and only while scheduled.
        optional status: Option<()> =
            word(&["cancelled"], |word| (word == "cancelled").then_some(()));
        /// Switches.
        optional settings: Option<SettingsChange> = nested::<SettingsChange>();
    }
}

crate::input! {
    /// Body of join.
    pub(super) struct JoinRequest {
        /// The meeting's password.
        optional password: Option<String> = text(0, 1024);
    }
}

/// A meeting.
#[derive(Debug, Object)]
pub(super) struct MeetingView {
    meeting_id: MeetingId,
    title: String,
    description: String,
    start_time: Timestamp,
    end_time: Timestamp,
    max_participants: i64,
    meeting_type: MeetingType,
    status: MeetingStatus,
    creator_id: UserId,
    settings: Settings,
    has_password: bool,
    participant_count: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl MeetingView {
    fn of(meeting: Meeting, participant_count: i64) -> Self {
        Self {
            meeting_id: meeting.meeting_id,
            title: meeting.title,
            description: meeting.description,
            start_time: meeting.start_time,
            end_time: meeting.end_time,
            max_participants: meeting.max_participants,
            meeting_type: meeting.meeting_type,
            status: meeting.status,
            creator_id: meeting.creator_id,
            settings: meeting.settings,
            has_password: meeting.password_hash.is_some(),
            participant_count,
            created_at: meeting.created_at,
            updated_at: meeting.updated_at,
            started_at: meeting.started_at,
            ended_at: meeting.ended_at,
        }
    }
}

/// A meeting in a list.
#[derive(Debug, Object)]
pub(super) struct MeetingItem {
    meeting_id: MeetingId,
    title: String,
    start_time: Timestamp,
    end_time: Timestamp,
    status: MeetingStatus,
    participant_count: i64,
    meeting_type: MeetingType,
    creator_id: UserId,
    /// The caller's role; null where the caller is not in it.
    role: Option<Role>,
    created_at: Timestamp,
}

impl From<Listed> for MeetingItem {
    fn from(listed: Listed) -> Self {
        let meeting = listed.meeting;
        Self {
            meeting_id: meeting.meeting_id,
            title: meeting.title,
            start_time: meeting.start_time,
            end_time: meeting.end_time,
            status: meeting.status,
            participant_count: listed.participant_count,
            meeting_type: meeting.meeting_type,
            creator_id: meeting.creator_id,
            role: listed.my_role,
            created_at: meeting.created_at,
        }
    }
}

/// One page of meetings.
#[derive(Debug, Object)]
pub(super) struct MeetingPage {
    meetings: Vec<MeetingItem>,
    total: i64,
    page: i64,
    page_size: i64,
}

impl MeetingPage {
    pub(super) async fn read(app: &App, filter: &Filter<'_>, paging: Paging) -> Result<Self> {
        let (rows, total) = store::meetings::list(&app.db, filter).await?;
        Ok(Self {
            meetings: rows.into_iter().map(MeetingItem::from).collect(),
            total,
            page: paging.page,
            page_size: paging.page_size,
        })
    }
}

/// A started meeting.
#[derive(Debug, Object)]
pub(super) struct Started {
    meeting_id: MeetingId,
    status: MeetingStatus,
    room_url: String,
}

/// The way into the room.
#[derive(Debug, Object)]
pub(super) struct JoinedView {
    meeting_id: MeetingId,
    participant_id: i64,
    room_url: String,
    ice_servers: Vec<IceServer>,
    /// `online`, or `waiting` until a host or moderator admits.
    status: Presence,
    role: Role,
    mute_on_join: bool,
}

#[OpenApi(prefix_path = "/api/v1/meetings", tag = "Group::Meetings")]
impl MeetingsApi {
    /// Create a meeting
    #[oai(path = "/", method = "post", operation_id = "meetings.create")]
    async fn create(
        &self,
        caller: Caller,
        body: JsonBody<MeetingCreate>,
    ) -> Result<Created<MeetingView>> {
        let body = body.0;
        let mut settings = Settings::default();
        if let Some(change) = body.settings {
            let set = |flag: &mut bool, value: Option<bool>| *flag = value.unwrap_or(*flag);
            set(&mut settings.enable_recording, change.enable_recording);
            set(&mut settings.enable_chat, change.enable_chat);
            set(&mut settings.enable_screen_share, change.enable_screen_share);
            set(&mut settings.enable_waiting_room, change.enable_waiting_room);
            set(&mut settings.mute_on_join, change.mute_on_join);
            if let Some(who) = change.who_may_publish {
                settings.who_may_publish = who;
            }
        }
        let new = NewMeeting {
            title: body.title,
            description: body.description.unwrap_or_default(),
            start_time: body.start_time,
            end_time: body.end_time,
            max_participants: body.max_participants,
            meeting_type: body.meeting_type,
            password: body.password,
            settings,
        };
        let meeting = meetings::create(&self.app, caller.0.user_id, new).await?;
        Ok(Created::with("Meeting created successfully", MeetingView::of(meeting, 1)))
    }

    /// List meetings
    #[oai(path = "/", method = "get", operation_id = "meetings.list")]
    async fn list(
        &self,
        caller: Caller,
        page: Query<Option<Page>>,
        page_size: Query<Option<PageSize>>,
        status: Query<Option<MeetingStatus>>,
        keyword: Query<Option<String>>,
    ) -> Result<Reply<MeetingPage>> {
        let paging = Paging::new(page.0, page_size.0, 20);
        let filter = Filter {
            user_id: caller.0.user_id,
            all: caller.0.is_admin(),
            span: Span::Created,
            status: status.0,
            keyword: keyword.0.as_deref().filter(|word| !word.is_empty()),
            limit: paging.page_size,
            offset: paging.offset(),
        };
        MeetingPage::read(&self.app, &filter, paging).await.map(Reply::new)
    }

    /// Get a meeting
    #[oai(path = "/:id", method = "get", operation_id = "meetings.get")]
    async fn get(&self, caller: Caller, id: Path<Id>) -> Result<Reply<MeetingView>> {
        let meeting = guarded(&self.app, &caller.0, id.0.0).await?;
        let count = participants::count(&self.app.db, meeting.meeting_id).await?;
        Ok(Reply::new(MeetingView::of(meeting, count)))
    }

    /// Update a meeting
    #[oai(path = "/:id", method = "put", operation_id = "meetings.update")]
    async fn update(
        &self,
        caller: Caller,
        id: Path<Id>,
        body: JsonBody<MeetingUpdate>,
    ) -> Result<Reply<Empty>> {
        let body = body.0;
        guarded(&self.app, &caller.0, id.0.0).await?;
        let flag = |get: fn(&SettingsChange) -> Option<bool>| body.settings.as_ref().and_then(get);
        let change = MeetingChange {
            enable_recording: flag(|s| s.enable_recording),
            enable_chat: flag(|s| s.enable_chat),
            enable_screen_share: flag(|s| s.enable_screen_share),
            enable_waiting_room: flag(|s| s.enable_waiting_room),
            mute_on_join: flag(|s| s.mute_on_join),
            who_may_publish: body.settings.as_ref().and_then(|s| s.who_may_publish),
            title: body.title,
            description: body.description,
            start_time: body.start_time,
            end_time: body.end_time,
            max_participants: body.max_participants,
            meeting_type: body.meeting_type,
            password: body.password,
            cancel: body.status.is_some(),
        };
        meetings::update(&self.app, &caller.0, id.0.0, change).await?;
        Ok(Reply::message("Meeting updated successfully"))
    }

    /// Delete a meeting
    #[oai(path = "/:id", method = "delete", operation_id = "meetings.delete")]
    async fn delete(&self, caller: Caller, id: Path<Id>) -> Result<Reply<Empty>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        meetings::delete(&self.app, &caller.0, id.0.0).await?;
        Ok(Reply::message("Meeting deleted successfully"))
    }

    /// Start a meeting
    #[oai(path = "/:id/start", method = "post", operation_id = "meetings.start")]
    async fn start(
        &self,
        context: Context,
        caller: Caller,
        id: Path<Id>,
    ) -> Result<Reply<Started>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        let meeting = meetings::start(&self.app, &caller.0, id.0.0).await?;
        let room_url = room_url(&self.app, &context, &caller.0, id.0.0).await?;
        let data = Started { meeting_id: meeting.meeting_id, status: meeting.status, room_url };
        Ok(Reply::with("Meeting started successfully", data))
    }

    /// End a meeting
    #[oai(path = "/:id/end", method = "post", operation_id = "meetings.end")]
    async fn end(&self, caller: Caller, id: Path<Id>) -> Result<Reply<Empty>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        meetings::end(&self.app, &caller.0, id.0.0).await?;
        Ok(Reply::message("Meeting ended successfully"))
    }

    /// Join a meeting
    #[oai(path = "/:id/join", method = "post", operation_id = "meetings.join")]
    async fn join(
        &self,
        context: Context,
        caller: Caller,
        id: Path<Id>,
        body: JsonBody<JoinRequest>,
    ) -> Result<Reply<JoinedView>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        let password = body.0.password.as_deref();
        let joined = joining::join(&self.app, &caller.0, id.0.0, password).await?;
        let room_url = room_url(&self.app, &context, &caller.0, id.0.0).await?;
        let data = JoinedView {
            meeting_id: joined.meeting.meeting_id,
            participant_id: joined.participant.participant_id,
            room_url,
            ice_servers: self.app.config.ice_servers.clone(),
            status: joined.participant.status,
            role: joined.participant.role,
            mute_on_join: joined.meeting.settings.mute_on_join,
        };
        Ok(Reply::with("Joined meeting successfully", data))
    }

    /// Leave a meeting
    #[oai(path = "/:id/leave", method = "post", operation_id = "meetings.leave")]
    async fn leave(&self, caller: Caller, id: Path<Id>) -> Result<Reply<Empty>> {
        guarded(&self.app, &caller.0, id.0.0).await?;
        joining::leave(&self.app, caller.0.user_id, id.0.0).await?;
        Ok(Reply::message("Left meeting successfully"))
    }
}

/// `room_url` with a fresh ticket. Who gets one may soon come in without, where that is on.
async fn room_url(
    app: &App,
    context: &Context,
    who: &Identity,
    meeting_id: MeetingId,
) -> Result<String> {
    if app.config.ws.admission_by_join {
        app.admissions.note(app.clock.now(), who, meeting_id, context.client());
    }
    let ticket = joining::ticket(app, who, meeting_id).await?;
    Ok(context.room_url(meeting_id, who.user_id, ticket.as_deref()))
}

/// A meeting by id, with guessing slowed down: who asked for too many that do not exist gets 429
/// for everything but the own meetings, so that a hit does not show either.
pub(super) async fn guarded(app: &App, who: &Identity, id: MeetingId) -> Result<Meeting> {
    let key = format!("unknown meetings {}", who.user_id);
    let now = app.clock.now();
    let limit = limits::UNKNOWN_MEETINGS;
    let found = meetings::find(app, id).await;
    if let Some(retry_after_s) = app.limits.is_used_up(&key, limit, now) {
        let own = match &found {
            Ok(meeting) => meetings::standing(app, who, meeting).await?.belongs(),
            Err(_) => false,
        };
        if !own {
            return Err(Error::TooMany { retry_after_s });
        }
    }
    if matches!(found, Err(Error::NoSuchMeeting)) {
        app.limits.count(None, &key, limit, now)?;
    }
    found
}
