//! Who belongs to a meeting, and in which role.

use super::bus::DomainEvent;
use super::identity::Identity;
use super::meetings::{self, Standing};
use super::types::{AccountStatus, MeetingId, Presence, Role, UserId, UserKind};
use crate::store::meetings::Meeting;
use crate::store::participants::{self, NewParticipant, Participant};
use crate::store::{self, users};
use crate::{App, Error, Result};

/// People of a meeting in order of joining and how many there are; for members only.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn list_for(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Participant>, i64)> {
    meetings::find_as_member(app, who, meeting_id).await?;
    list(app, meeting_id, limit, offset).await
}

/// As [`list_for`], of those with one presence only.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn list_status_for(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    status: Presence,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Participant>, i64)> {
    meetings::find_as_member(app, who, meeting_id).await?;
    Ok(participants::list_status(&app.db, meeting_id, status, limit, offset).await?)
}

/// As [`list_for`], without asking who asks.
///
/// # Errors
/// [`Error::Internal`].
pub async fn list(
    app: &App,
    meeting_id: MeetingId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Participant>, i64)> {
    Ok(participants::list(&app.db, meeting_id, limit, offset).await?)
}

/// One person's row in a meeting.
///
/// # Errors
/// [`Error::Internal`].
pub async fn find(
    app: &App,
    meeting_id: MeetingId,
    user_id: UserId,
) -> Result<Option<Participant>> {
    Ok(participants::find(&app.db, meeting_id, user_id).await?)
}

/// A host makes anyone anything; a moderator neither makes nor changes hosts.
fn may_set(standing: &Standing, from: Option<Role>, to: Role) -> Result<()> {
    if !standing.leads() {
        return Err(Error::Forbidden("only hosts and moderators may do this"));
    }
    if !standing.is_host() && (to == Role::Host || from == Some(Role::Host)) {
        return Err(Error::Forbidden("only a host may do this"));
    }
    Ok(())
}

fn keep_creator(meeting: &Meeting, user_id: UserId, role: Role) -> Result<()> {
    if meeting.creator_id == user_id && role != Role::Host {
        Err(Error::Forbidden("the creator stays host"))
    } else {
        Ok(())
    }
}

/// Adds an account to a meeting; one already there gets the role (if given), and is let in when
/// waiting.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::NoSuchUser`],
/// [`Error::MeetingEnded`], [`Error::MeetingFull`].
pub async fn add(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    user_id: UserId,
    role: Option<Role>,
) -> Result<()> {
    let meeting = meetings::find(app, meeting_id).await?;
    let standing = meetings::standing(app, who, &meeting).await?;
    may_set(&standing, None, role.unwrap_or(Role::Participant))?;
    let user = users::find(&app.db, user_id).await?.ok_or(Error::NoSuchUser)?;
    let row = participants::find(&app.db, meeting_id, user_id).await?;
    let deleted = user.status == AccountStatus::Deleted;
    if row.is_none() && (user.kind == UserKind::Guest || deleted) {
        return Err(Error::NoSuchUser);
    }
    if meeting.status.is_over() {
        return Err(Error::MeetingEnded);
    }
    if let Some(row) = row {
        let role = role.unwrap_or(row.role);
        keep_creator(&meeting, user_id, role)?;
        may_set(&standing, Some(row.role), role)?;
        return change(app, meeting_id, user_id, role, true).await;
    }
    let now = app.clock.now();
    let mut tx = store::begin(&app.db).await?;
    let present = participants::count_present(&mut *tx, meeting_id).await?;
    if present >= meeting.max_participants {
        return Err(Error::MeetingFull);
    }
    let new = NewParticipant {
        meeting_id,
        user_id,
        role: role.unwrap_or(Role::Participant),
        status: Presence::Offline,
        invited: true,
        admitted: true,
        has_joined: false,
        hidden: false,
        token_id: None,
        now,
    };
    match participants::insert(&mut *tx, &new).await {
        // Joined in this very moment: being there is what was asked for.
        Err(error) if store::is_unique_violation(&error) => return Ok(()),
        other => other?,
    };
    tx.commit().await?;
    Ok(())
}

/// Removes someone, or oneself, from a meeting.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::NoSuchUser`].
pub async fn remove(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    user_id: UserId,
) -> Result<()> {
    let meeting = meetings::find(app, meeting_id).await?;
    let standing = meetings::standing(app, who, &meeting).await?;
    if !standing.leads() && who.user_id != user_id {
        return Err(Error::Forbidden("only hosts and moderators may do this"));
    }
    if meeting.creator_id == user_id {
        return Err(Error::Forbidden("the creator cannot be removed"));
    }
    let mut tx = store::begin(&app.db).await?;
    let row = participants::find(&mut *tx, meeting_id, user_id).await?;
    let row = row.ok_or(Error::NoSuchUser)?;
    if row.role == Role::Host && !standing.is_host() {
        return Err(Error::Forbidden("only a host may do this"));
    }
    participants::delete(&mut *tx, row.participant_id).await?;
    tx.commit().await?;
    app.admissions.forget(meeting_id, user_id);
    app.announce(DomainEvent::ParticipantRemoved { meeting_id, user_id });
    Ok(())
}

/// Changes a role, and lets in who waits.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::NoSuchUser`].
pub async fn set_role(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    user_id: UserId,
    role: Role,
) -> Result<()> {
    let meeting = meetings::find(app, meeting_id).await?;
    let standing = meetings::standing(app, who, &meeting).await?;
    may_set(&standing, None, role)?;
    let row = participants::find(&app.db, meeting_id, user_id).await?.ok_or(Error::NoSuchUser)?;
    keep_creator(&meeting, user_id, role)?;
    may_set(&standing, Some(row.role), role)?;
    change(app, meeting_id, user_id, role, false).await
}

/// Lets in who waits, keeping the role (the WebSocket message `admit`).
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::NoSuchUser`].
pub async fn admit(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    user_id: UserId,
) -> Result<()> {
    let meeting = meetings::find(app, meeting_id).await?;
    let standing = meetings::standing(app, who, &meeting).await?;
    if !standing.leads() {
        return Err(Error::Forbidden("only hosts and moderators may do this"));
    }
    let row = participants::find(&app.db, meeting_id, user_id).await?.ok_or(Error::NoSuchUser)?;
    change(app, meeting_id, user_id, row.role, false).await
}

async fn change(
    app: &App,
    meeting_id: MeetingId,
    user_id: UserId,
    role: Role,
    invite: bool,
) -> Result<()> {
    let mut tx = store::begin(&app.db).await?;
    let row = participants::find(&mut *tx, meeting_id, user_id).await?;
    let mut row = row.ok_or(Error::NoSuchUser)?;
    let (waited, old_role) = (row.status == Presence::Waiting, row.role);
    row.role = role;
    row.invited |= invite;
    row.admitted |= invite;
    if waited {
        row.status = Presence::Online;
        row.admitted = true;
    }
    participants::update(&mut *tx, &row).await?;
    tx.commit().await?;
    if old_role != role {
        app.announce(DomainEvent::RoleChanged { meeting_id, user_id, role });
    }
    if waited {
        app.announce(DomainEvent::Admitted { participant: Box::new(row) });
    }
    Ok(())
}
