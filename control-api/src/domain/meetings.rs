//! Meetings: making, changing, starting, ending, and who may do what.

use super::bus::DomainEvent;
use super::identity::Identity;
use super::types::{
    MeetingId, MeetingStatus, MeetingType, Presence, Role, Settings, UserId, WhoMayPublish,
};
use crate::auth::secret;
use crate::store::meetings::Meeting;
use crate::store::participants::{self, NewParticipant, Participant};
use crate::store::{self};
use crate::{App, Error, Result, Timestamp};

/// A meeting to be made. Fields have passed their own rules.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are those of the contract")]
pub struct NewMeeting {
    pub title: String,
    pub description: String,
    pub start_time: Timestamp,
    pub end_time: Timestamp,
    pub max_participants: i64,
    pub meeting_type: MeetingType,
    pub password: Option<String>,
    pub settings: Settings,
}

/// Changes to a meeting; `None` leaves a field as it is.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of the contract")]
pub struct MeetingChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub start_time: Option<Timestamp>,
    pub end_time: Option<Timestamp>,
    pub max_participants: Option<i64>,
    pub meeting_type: Option<MeetingType>,
    /// Empty takes the password away.
    pub password: Option<String>,
    pub enable_recording: Option<bool>,
    pub enable_chat: Option<bool>,
    pub enable_screen_share: Option<bool>,
    pub enable_waiting_room: Option<bool>,
    pub mute_on_join: Option<bool>,
    pub who_may_publish: Option<WhoMayPublish>,
    /// Cancels a scheduled meeting.
    pub cancel: bool,
}

/// What someone is in a meeting.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Role in the meeting; the creator is host whatever the row says. `None` for outsiders and
    /// for who waits at the door.
    pub role: Option<Role>,
    /// An administrator of the server.
    pub admin: bool,
}

impl Standing {
    /// May update, delete, start and end.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.admin || self.role == Some(Role::Host)
    }

    /// May add and remove people.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.admin || self.role.is_some_and(Role::leads)
    }

    /// May see people and messages.
    #[must_use]
    pub fn belongs(&self) -> bool {
        self.admin || self.role.is_some()
    }
}

/// A meeting by id.
///
/// # Errors
/// [`Error::NoSuchMeeting`].
pub async fn find(app: &App, meeting_id: MeetingId) -> Result<Meeting> {
    store::meetings::find(&app.db, meeting_id).await?.ok_or(Error::NoSuchMeeting)
}

/// What someone is in a meeting.
///
/// # Errors
/// [`Error::Internal`].
pub async fn standing(app: &App, who: &Identity, meeting: &Meeting) -> Result<Standing> {
    let row = participants::find(&app.db, meeting.meeting_id, who.user_id).await?;
    Ok(standing_of(who, meeting, row.as_ref()))
}

/// As [`standing`], from a row already read.
#[must_use]
pub fn standing_of(who: &Identity, meeting: &Meeting, row: Option<&Participant>) -> Standing {
    let role = if meeting.creator_id == who.user_id {
        Some(Role::Host)
    } else {
        row.filter(|p| p.status != Presence::Waiting).map(|p| p.role)
    };
    Standing { role, admin: who.is_admin() }
}

/// A meeting the caller belongs to.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn find_as_member(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
) -> Result<(Meeting, Standing)> {
    let meeting = find(app, meeting_id).await?;
    let standing = standing(app, who, &meeting).await?;
    if standing.belongs() {
        Ok((meeting, standing))
    } else {
        Err(Error::Forbidden("not a participant of this meeting"))
    }
}

/// A meeting the caller may command.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn find_as_host(app: &App, who: &Identity, meeting_id: MeetingId) -> Result<Meeting> {
    let meeting = find(app, meeting_id).await?;
    if standing(app, who, &meeting).await?.is_host() {
        Ok(meeting)
    } else {
        Err(Error::Forbidden("only the host may do this"))
    }
}

/// Makes a meeting; its creator becomes host.
///
/// # Errors
/// [`Error::Invalid`] when it ends before it starts.
pub async fn create(app: &App, creator: UserId, new: NewMeeting) -> Result<Meeting> {
    check_times(new.start_time, new.end_time)?;
    let password_hash = match new.password.as_deref() {
        None | Some("") => None,
        Some(password) => Some(app.passwords.hash(password).await?),
    };
    let now = app.clock.now();
    let mut meeting = Meeting {
        meeting_id: 0,
        title: new.title,
        description: new.description,
        start_time: new.start_time,
        end_time: new.end_time,
        max_participants: new.max_participants,
        meeting_type: new.meeting_type,
        status: MeetingStatus::Scheduled,
        creator_id: creator,
        password_hash,
        settings: new.settings,
        created_at: now,
        updated_at: now,
        started_at: None,
        ended_at: None,
    };
    let mut tx = store::begin(&app.db).await?;
    let mut tries = 0;
    loop {
        meeting.meeting_id = secret::meeting_id();
        match store::meetings::insert(&mut *tx, &meeting).await {
            Err(error) if store::is_unique_violation(&error) && tries < 8 => tries += 1,
            other => break other?,
        }
    }
    let host = NewParticipant {
        meeting_id: meeting.meeting_id,
        user_id: creator,
        role: Role::Host,
        status: Presence::Offline,
        invited: true,
        admitted: true,
        has_joined: false,
        hidden: false,
        token_id: None,
        now,
    };
    participants::insert(&mut *tx, &host).await?;
    tx.commit().await?;
    Ok(meeting)
}

/// Changes a meeting.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::MeetingEnded`], [`Error::Invalid`],
/// [`Error::BadRequest`] when a running meeting is to be cancelled.
pub async fn update(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    change: MeetingChange,
) -> Result<()> {
    let seen = find_as_host(app, who, meeting_id).await?;
    if seen.status.is_over() {
        return Err(Error::MeetingEnded);
    }
    let new_hash = match change.password.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(password) => Some(Some(app.passwords.hash(password).await?)),
    };
    let mut tx = store::begin(&app.db).await?;
    let found = store::meetings::find(&mut *tx, meeting_id).await?;
    let mut meeting = found.ok_or(Error::NoSuchMeeting)?;
    if meeting.status.is_over() {
        return Err(Error::MeetingEnded);
    }
    let now = app.clock.now();
    if change.cancel {
        if meeting.status != MeetingStatus::Scheduled {
            return Err(Error::BadRequest("only a scheduled meeting can be cancelled".to_owned()));
        }
        meeting.status = MeetingStatus::Cancelled;
        meeting.ended_at = Some(now);
        participants::all_offline(&mut *tx, meeting_id).await?;
    }
    apply(&mut meeting, change);
    check_times(meeting.start_time, meeting.end_time)?;
    if let Some(hash) = new_hash {
        meeting.password_hash = hash;
        participants::forget_admissions(&mut *tx, meeting_id).await?;
    }
    meeting.updated_at = now;
    store::meetings::update(&mut *tx, &meeting).await?;
    tx.commit().await?;
    app.announce(if meeting.status == MeetingStatus::Cancelled {
        DomainEvent::MeetingEnded { meeting_id }
    } else {
        DomainEvent::MeetingUpdated { meeting_id }
    });
    Ok(())
}

fn apply(meeting: &mut Meeting, change: MeetingChange) {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut meeting.title, change.title);
    set(&mut meeting.description, change.description);
    set(&mut meeting.start_time, change.start_time);
    set(&mut meeting.end_time, change.end_time);
    set(&mut meeting.max_participants, change.max_participants);
    set(&mut meeting.meeting_type, change.meeting_type);
    set(&mut meeting.settings.enable_recording, change.enable_recording);
    set(&mut meeting.settings.enable_chat, change.enable_chat);
    set(&mut meeting.settings.enable_screen_share, change.enable_screen_share);
    set(&mut meeting.settings.enable_waiting_room, change.enable_waiting_room);
    set(&mut meeting.settings.mute_on_join, change.mute_on_join);
    set(&mut meeting.settings.who_may_publish, change.who_may_publish);
}

fn check_times(start: Timestamp, end: Timestamp) -> Result<()> {
    if end > start { Ok(()) } else { Err(Error::field("end_time", "must be after start_time")) }
}

/// Starts a meeting; starting a running one changes nothing.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::MeetingEnded`].
pub async fn start(app: &App, who: &Identity, meeting_id: MeetingId) -> Result<Meeting> {
    find_as_host(app, who, meeting_id).await?;
    let mut tx = store::begin(&app.db).await?;
    let found = store::meetings::find(&mut *tx, meeting_id).await?;
    let mut meeting = found.ok_or(Error::NoSuchMeeting)?;
    match meeting.status {
        MeetingStatus::Ended | MeetingStatus::Cancelled => return Err(Error::MeetingEnded),
        MeetingStatus::Ongoing => return Ok(meeting),
        MeetingStatus::Scheduled => {}
    }
    let now = app.clock.now();
    meeting.status = MeetingStatus::Ongoing;
    meeting.started_at = Some(now);
    meeting.updated_at = now;
    store::meetings::update(&mut *tx, &meeting).await?;
    tx.commit().await?;
    app.announce(DomainEvent::MeetingStarted { meeting_id });
    Ok(meeting)
}

/// Ends a meeting for everyone.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::MeetingEnded`].
pub async fn end(app: &App, who: &Identity, meeting_id: MeetingId) -> Result<()> {
    find_as_host(app, who, meeting_id).await?;
    let mut tx = store::begin(&app.db).await?;
    let found = store::meetings::find(&mut *tx, meeting_id).await?;
    let mut meeting = found.ok_or(Error::NoSuchMeeting)?;
    if meeting.status.is_over() {
        return Err(Error::MeetingEnded);
    }
    let now = app.clock.now();
    meeting.status = MeetingStatus::Ended;
    meeting.ended_at = Some(now);
    meeting.updated_at = now;
    store::meetings::update(&mut *tx, &meeting).await?;
    participants::all_offline(&mut *tx, meeting_id).await?;
    tx.commit().await?;
    app.announce(DomainEvent::MeetingEnded { meeting_id });
    Ok(())
}

/// Deletes a meeting; a running one is ended first.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn delete(app: &App, who: &Identity, meeting_id: MeetingId) -> Result<()> {
    let meeting = find_as_host(app, who, meeting_id).await?;
    if meeting.status == MeetingStatus::Ongoing {
        match end(app, who, meeting_id).await {
            Ok(()) | Err(Error::MeetingEnded) => {}
            Err(error) => return Err(error),
        }
    }
    let mut tx = store::begin(&app.db).await?;
    participants::all_offline(&mut *tx, meeting_id).await?;
    store::meetings::delete(&mut *tx, meeting_id, app.clock.now()).await?;
    tx.commit().await?;
    app.announce(DomainEvent::MeetingDeleted { meeting_id });
    Ok(())
}
