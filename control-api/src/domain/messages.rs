//! Chat of a meeting.

use super::bus::DomainEvent;
use super::identity::Identity;
use super::meetings;
use super::types::{MeetingId, Role};
use crate::store::messages::{self, Message};
use crate::{App, Error, Result};

/// The longest message in characters.
pub const LONGEST: usize = 1000;

/// Stores a message and announces it as [`DomainEvent::ChatPosted`]. `content` has 1 to
/// [`LONGEST`] characters.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`] for outsiders and where chat is switched off,
/// [`Error::MeetingEnded`].
pub async fn post(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    content: &str,
) -> Result<Message> {
    let (meeting, standing) = meetings::find_as_member(app, who, meeting_id).await?;
    if standing.role.is_none() {
        return Err(Error::Forbidden("not a participant of this meeting"));
    }
    if !who.grants().publish_data {
        return Err(Error::Forbidden("this access token does not allow chat"));
    }
    if !meeting.settings.enable_chat && !standing.role.is_some_and(Role::leads) {
        return Err(Error::Forbidden("chat is switched off"));
    }
    if meeting.status.is_over() {
        return Err(Error::MeetingEnded);
    }
    let now = app.clock.now();
    let message_id = messages::insert(&app.db, meeting_id, who.user_id, content, now).await?;
    let message = Message {
        message_id,
        meeting_id,
        user_id: who.user_id,
        username: who.username.clone(),
        nickname: who.nickname.clone(),
        content: content.to_owned(),
        created_at: now,
    };
    app.announce(DomainEvent::ChatPosted { message: Box::new(message.clone()) });
    Ok(message)
}

/// One page of messages and how many there are; for members only.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn list(
    app: &App,
    who: &Identity,
    meeting_id: MeetingId,
    newest_first: bool,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Message>, i64)> {
    meetings::find_as_member(app, who, meeting_id).await?;
    Ok(messages::list(&app.db, meeting_id, newest_first, limit, offset).await?)
}
