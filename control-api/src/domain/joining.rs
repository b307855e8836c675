//! Coming into a meeting and going out (contract section 10, join and leave).

use super::bus::DomainEvent;
use super::identity::{Identity, Origin};
use super::meetings;
use super::types::{MeetingId, Presence, Role, UserId};
use crate::auth::secret;
use crate::store::meetings::Meeting;
use crate::store::participants::{self, NewParticipant, Participant};
use crate::store::tokens::{self, Ticket};
use crate::store::{self, Tx};
use crate::{App, Error, Result};

/// Life of a ticket in `room_url`, in seconds.
pub const TICKET_LIFE_S: i64 = 60;

/// Who came in, and where.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The meeting.
    pub meeting: Meeting,
    /// The participant, online or waiting.
    pub participant: Participant,
}

/// Joins a meeting: checks its life, its password, its waiting room and its size. Joining again
/// changes nothing. Signalling calls this too, without a password: who passed once need not again.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::MeetingEnded`], [`Error::WrongMeetingPassword`],
/// [`Error::MeetingFull`], [`Error::Forbidden`] when it is locked, [`Error::Unauthorized`] for a
/// guest of another meeting.
pub async fn join(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    password: Option<&str>,
) -> Result<Joined> {
    if let Origin::Guest { meeting_id: only, .. } = who.origin
        && only != meeting_id
    {
        return Err(Error::Unauthorized);
    }
    // Hashing takes long: the password is checked before the write lock is taken.
    let meeting = meetings::find(app, meeting_id).await?;
    open(&meeting)?;
    let known = participants::find(&app.db, meeting_id, who.user_id).await?;
    let knows_password = match (&meeting.password_hash, password) {
        _ if is_trusted(who, &meeting, known.as_ref()) || has_passed(known.as_ref()) => true,
        (None, _) => true,
        (Some(_), None) => false,
        (Some(hash), Some(password)) => app.passwords.verify(password, Some(hash)).await?,
    };

    let mut tx = store::begin(&app.db).await?;
    let now_meeting = store::meetings::find(&mut *tx, meeting_id).await?;
    let now_meeting = now_meeting.ok_or(Error::NoSuchMeeting)?;
    open(&now_meeting)?;
    let known = participants::find(&mut *tx, meeting_id, who.user_id).await?;
    let trusted = is_trusted(who, &now_meeting, known.as_ref());
    let changed = now_meeting.password_hash != meeting.password_hash;
    if !trusted && !has_passed(known.as_ref()) && (!knows_password || changed) {
        return Err(Error::WrongMeetingPassword);
    }
    if app.live.is_locked(meeting_id) && !passes_lock(who, &now_meeting, known.as_ref()) {
        return Err(Error::Forbidden("the meeting is locked"));
    }
    let admitted = trusted || known.as_ref().is_some_and(|p| p.admitted);
    let status = if admitted || !now_meeting.settings.enable_waiting_room {
        Presence::Online
    } else {
        Presence::Waiting
    };
    let participant = enter(app, &mut tx, who, &now_meeting, known, status).await?;
    tx.commit().await?;
    app.absences.joined(meeting_id, who.user_id);
    Ok(Joined { meeting: now_meeting, participant })
}

fn open(meeting: &Meeting) -> Result<()> {
    if meeting.status.is_over() { Err(Error::MeetingEnded) } else { Ok(()) }
}

/// Needs neither password nor waiting.
fn is_trusted(who: &Identity, meeting: &Meeting, known: Option<&Participant>) -> bool {
    meeting.creator_id == who.user_id
        || who.is_admin()
        || matches!(who.origin, Origin::Guest { .. })
        || known.is_some_and(|p| p.role.leads() || p.invited)
}

/// A lock keeps out who is not there yet, but for those who could open it.
fn passes_lock(who: &Identity, meeting: &Meeting, known: Option<&Participant>) -> bool {
    meeting.creator_id == who.user_id
        || who.is_admin()
        || known.is_some_and(|p| p.role.leads() || p.status != Presence::Offline)
}

/// Has shown the password before.
fn has_passed(known: Option<&Participant>) -> bool {
    known.is_some_and(|p| p.admitted || p.status != Presence::Offline)
}

async fn enter(
    app: &App,
    tx: &mut Tx,
    who: &Identity,
    meeting: &Meeting,
    known: Option<Participant>,
    status: Presence,
) -> Result<Participant> {
    let now = app.clock.now();
    let here = known.as_ref().is_some_and(|p| p.status != Presence::Offline);
    if !here {
        // Who is not here is not among them.
        let present = participants::count_present(&mut **tx, meeting.meeting_id).await?;
        if present >= meeting.max_participants {
            return Err(Error::MeetingFull);
        }
    }
    let admitted = status == Presence::Online;
    if let Some(mut participant) = known {
        if !here && !participant.has_joined {
            participant.joined_at = now;
        }
        participant.has_joined |= !here;
        participant.status = status;
        participant.admitted = admitted;
        participants::update(&mut **tx, &participant).await?;
        return Ok(participant);
    }
    let (hidden, token_id) = match &who.origin {
        Origin::Guest { hidden, token_id, .. } => (*hidden, Some(token_id.as_str())),
        Origin::Session { .. } => (false, None),
    };
    let new = NewParticipant {
        meeting_id: meeting.meeting_id,
        user_id: who.user_id,
        role: Role::Participant,
        status,
        invited: false,
        admitted,
        has_joined: true,
        hidden,
        token_id,
        now,
    };
    participants::insert(&mut **tx, &new).await?;
    let made = participants::find(&mut **tx, meeting.meeting_id, who.user_id).await?;
    made.ok_or_else(|| Error::internal("a participant vanished while joining"))
}

/// Leaves a meeting. Leaving twice, or a meeting one is not in, changes nothing.
///
/// # Errors
/// [`Error::NoSuchMeeting`].
pub async fn leave(app: &App, user_id: UserId, meeting_id: MeetingId) -> Result<()> {
    meetings::find(app, meeting_id).await?;
    app.admissions.forget(meeting_id, user_id);
    if go_offline(app, user_id, meeting_id).await? {
        app.announce(DomainEvent::ParticipantLeft { meeting_id, user_id });
    }
    Ok(())
}

/// Notes that someone's last connection is gone. Nothing is announced: who calls this knows.
///
/// # Errors
/// [`Error::Internal`].
pub async fn go_offline(app: &App, user_id: UserId, meeting_id: MeetingId) -> Result<bool> {
    let mut tx = store::begin(&app.db).await?;
    let Some(mut participant) = participants::find(&mut *tx, meeting_id, user_id).await? else {
        return Ok(false);
    };
    if participant.status == Presence::Offline {
        return Ok(false);
    }
    participant.status = Presence::Offline;
    participants::update(&mut *tx, &participant).await?;
    tx.commit().await?;
    Ok(true)
}

/// A new ticket for `room_url`.
///
/// # Errors
/// [`Error::Internal`].
pub async fn ticket(app: &App, who: &Identity, meeting_id: MeetingId) -> Result<Option<String>> {
    let Origin::Session { sid, generation } = &who.origin else { return Ok(None) };
    let now = app.clock.now();
    let secret = secret::token("");
    let ticket = Ticket {
        user_id: who.user_id,
        meeting_id,
        sid: sid.clone(),
        token_generation: *generation,
        expires_at: now.plus_seconds(TICKET_LIFE_S),
    };
    let mut tx = store::begin(&app.db).await?;
    tokens::insert_ticket(&mut tx, &secret::digest(&secret), &ticket, now).await?;
    tx.commit().await?;
    Ok(Some(secret))
}
