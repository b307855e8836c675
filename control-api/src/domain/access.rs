//! Access tokens for guests, and server API keys (contract section 10, guests and keys).

use super::bus::DomainEvent;
use super::identity::Identity;
use super::meetings;
use super::types::MeetingId;
use crate::auth::secret;
use crate::store::participants;
use crate::store::tokens::{self, AccessToken};
use crate::{App, Error, Result};

/// Who manages access tokens.
#[derive(Debug, Clone)]
pub enum Manager {
    /// A person; must be host of the meeting.
    Person(Box<Identity>),
    /// A server API key; may manage every meeting's.
    Key,
}

/// A token to be made. Fields have passed their own rules.
#[derive(Debug)]
#[allow(missing_docs, reason = "the fields are those of the contract")]
pub struct NewAccess {
    pub name: String,
    pub can_publish: bool,
    pub can_subscribe: bool,
    pub can_publish_data: bool,
    pub hidden: bool,
    pub expires_in_s: i64,
    pub max_uses: Option<i64>,
}

async fn check(app: &App, manager: &Manager, meeting_id: MeetingId) -> Result<()> {
    match manager {
        Manager::Person(who) => meetings::find_as_host(app, who, meeting_id).await.map(drop),
        Manager::Key => meetings::find(app, meeting_id).await.map(drop),
    }
}

/// Makes an access token; the secret is shown this once.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn create(
    app: &App,
    manager: &Manager,
    meeting_id: MeetingId,
    new: NewAccess,
) -> Result<(AccessToken, String)> {
    check(app, manager, meeting_id).await?;
    let now = app.clock.now();
    let plaintext = secret::token(secret::ACCESS_TOKEN);
    let token = AccessToken {
        token_id: secret::id("at_"),
        meeting_id,
        name: new.name,
        can_publish: new.can_publish,
        can_subscribe: new.can_subscribe,
        can_publish_data: new.can_publish_data,
        hidden: new.hidden,
        created_at: now,
        expires_at: now.plus_seconds(new.expires_in_s),
        max_uses: new.max_uses,
        uses: 0,
        revoked_at: None,
    };
    tokens::insert_access(&app.db, &secret::digest(&plaintext), &token).await?;
    Ok((token, plaintext))
}

/// The tokens of a meeting that are not revoked, newest first, without their secrets.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`].
pub async fn list(app: &App, manager: &Manager, meeting_id: MeetingId) -> Result<Vec<AccessToken>> {
    check(app, manager, meeting_id).await?;
    Ok(tokens::list_access(&app.db, meeting_id).await?)
}

/// Revokes a token; its guests' connections end.
///
/// # Errors
/// [`Error::NoSuchMeeting`], [`Error::Forbidden`], [`Error::NotFound`].
pub async fn revoke(
    app: &App,
    manager: &Manager,
    meeting_id: MeetingId,
    token_id: &str,
) -> Result<()> {
    check(app, manager, meeting_id).await?;
    let now = app.clock.now();
    let mut tx = crate::store::begin(&app.db).await?;
    if !tokens::revoke_access(&mut *tx, meeting_id, token_id, now).await? {
        return Err(Error::NotFound("no such access token"));
    }
    let user_ids = participants::token_offline(&mut *tx, token_id).await?;
    tx.commit().await?;
    let token_id = token_id.to_owned();
    app.announce(DomainEvent::AccessTokenRevoked { meeting_id, token_id, user_ids, at: now });
    Ok(())
}

/// Makes a server API key; the secret is shown this once (`weir admin key`).
///
/// # Errors
/// [`Error::Invalid`] when the name is empty or longer than 50 characters.
pub async fn create_api_key(app: &App, name: &str) -> Result<String> {
    let name = name.trim();
    if !(1..=50).contains(&name.chars().count()) {
        return Err(Error::field("name", "must have 1 to 50 characters"));
    }
    let key = secret::token(secret::API_KEY);
    let id = secret::id("key_");
    tokens::insert_key(&app.db, &id, name, &secret::digest(&key), app.clock.now()).await?;
    Ok(key)
}

/// Whether a server API key is good.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn check_api_key(app: &App, key: &str) -> Result<()> {
    match tokens::key_by_hash(&app.db, &secret::digest(key)).await? {
        Some(_) => Ok(()),
        None => Err(Error::Unauthorized),
    }
}
