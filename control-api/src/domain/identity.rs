//! Who someone is, from any credential of contract section 8.1.

use super::types::{AccountRole, AccountStatus, MeetingId, UserId, UserKind};
use crate::auth::keys::TokenKind;
use crate::auth::secret;
use crate::store::tokens::AccessToken;
use crate::store::users::{self, NewUser, User};
use crate::store::{self, sessions, tokens};
use crate::{App, Error, Result};
use std::net::IpAddr;

/// What an access token lets a guest do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grants {
    /// Send media.
    pub publish: bool,
    /// Receive media.
    pub subscribe: bool,
    /// Chat and other data.
    pub publish_data: bool,
}

impl Grants {
    /// Everything.
    pub const ALL: Self = Self { publish: true, subscribe: true, publish_data: true };
}

/// How someone came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// By a login.
    Session {
        /// Its id; `SessionRevoked` names it.
        sid: String,
        /// Token generation of the user.
        generation: i64,
    },
    /// By an access token, for one meeting.
    Guest {
        /// Which token; `AccessTokenRevoked` names it.
        token_id: String,
        /// The only meeting it is good for.
        meeting_id: MeetingId,
        /// What it allows.
        grants: Grants,
        /// Not shown to others.
        hidden: bool,
    },
}

/// A known person.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who.
    pub user_id: UserId,
    /// User name.
    pub username: String,
    /// Shown name.
    pub nickname: String,
    /// Standing in the server.
    pub role: AccountRole,
    /// How they came in.
    pub origin: Origin,
}

impl Identity {
    /// An administrator?
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == AccountRole::Admin
    }

    /// What they may do in a meeting at most.
    #[must_use]
    pub fn grants(&self) -> Grants {
        match &self.origin {
            Origin::Session { .. } => Grants::ALL,
            Origin::Guest { grants, .. } => *grants,
        }
    }

    /// Someone who came in by login.
    #[must_use]
    pub fn from_session(user: User, sid: String) -> Self {
        let origin = Origin::Session { sid, generation: user.token_generation };
        Self {
            user_id: user.user_id,
            username: user.username,
            nickname: user.nickname,
            role: user.role,
            origin,
        }
    }

    /// The login session, if there is one.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        match &self.origin {
            Origin::Session { sid, .. } => Some(sid),
            Origin::Guest { .. } => None,
        }
    }
}

/// What a credential stands for.
#[derive(Debug, Clone)]
pub enum Authenticated {
    /// A person with an account.
    Person(Identity),
    /// Leave for one more guest; [`admit_guest`] makes it a person and counts one use.
    Guest(Box<AccessToken>),
}

/// Tells what a Bearer value, query or first-message `token` is worth: an access JWT or an access
/// token of this meeting. Nothing is used up.
///
/// # Errors
/// [`Error::Unauthorized`], [`Error::TokenExpired`], [`Error::Banned`].
pub async fn from_token(app: &App, token: &str, meeting_id: MeetingId) -> Result<Authenticated> {
    if token.starts_with(secret::ACCESS_TOKEN) {
        let access = tokens::access_by_hash(&app.db, &secret::digest(token)).await?;
        return match access {
            Some(access) if access.meeting_id != meeting_id => Err(Error::Unauthorized),
            Some(access) if access.is_good(app.clock.now()) => {
                Ok(Authenticated::Guest(Box::new(access)))
            }
            Some(access) if access.revoked_at.is_none() && access.expires_at <= app.clock.now() => {
                Err(Error::TokenExpired)
            }
            _ => Err(Error::Unauthorized),
        };
    }
    from_jwt(app, token).await.map(Authenticated::Person)
}

/// Who an access JWT belongs to.
///
/// # Errors
/// [`Error::Unauthorized`], [`Error::TokenExpired`], [`Error::Banned`].
pub async fn from_jwt(app: &App, token: &str) -> Result<Identity> {
    let claims = app.keys.verify(TokenKind::Access, token, app.clock.now())?;
    let user = session_user(app, &claims.sid, claims.user_id()?, claims.ver).await?;
    Ok(Identity::from_session(user, claims.sid))
}

/// Uses up a ticket of `room_url`.
///
/// # Errors
/// [`Error::Unauthorized`] when there is no such ticket, it expired, or it is for another meeting;
/// [`Error::Banned`].
pub async fn from_ticket(app: &App, ticket: &str, meeting_id: MeetingId) -> Result<Identity> {
    let ticket = tokens::take_ticket(&app.db, &secret::digest(ticket)).await?;
    let ticket = ticket.ok_or(Error::Unauthorized)?;
    if ticket.meeting_id != meeting_id || ticket.expires_at <= app.clock.now() {
        return Err(Error::Unauthorized);
    }
    let user = session_user(app, &ticket.sid, ticket.user_id, ticket.token_generation).await?;
    Ok(Identity::from_session(user, ticket.sid))
}

/// Who is admitted without a token (contract 8.1, way 7), once.
pub(crate) async fn from_admission(
    app: &App,
    meeting_id: MeetingId,
    user_id: UserId,
    client: IpAddr,
) -> Option<Identity> {
    let found = app.admissions.take(app.clock.now(), meeting_id, user_id, client)?;
    let user = session_user(app, &found.sid, user_id, found.generation).await.ok()?;
    Some(Identity::from_session(user, found.sid))
}

/// Makes the guest an access token stands for and counts one use.
///
/// # Errors
/// [`Error::Unauthorized`] when the token was revoked or used up meanwhile.
pub async fn admit_guest(app: &App, token: &AccessToken) -> Result<Identity> {
    let now = app.clock.now();
    let mut tx = store::begin(&app.db).await?;
    if !tokens::use_access(&mut *tx, &token.token_id, now).await? {
        return Err(Error::Unauthorized);
    }
    let new = NewUser {
        kind: UserKind::Guest,
        username: &token.name,
        email: "",
        nickname: &token.name,
        password_hash: None,
        role: AccountRole::User,
        now,
    };
    let user = users::insert(&mut *tx, &new).await?;
    tx.commit().await?;
    let grants = Grants {
        publish: token.can_publish,
        subscribe: token.can_subscribe,
        publish_data: token.can_publish_data,
    };
    let origin = Origin::Guest {
        token_id: token.token_id.clone(),
        meeting_id: token.meeting_id,
        grants,
        hidden: token.hidden,
    };
    Ok(Identity {
        user_id: user.user_id,
        username: user.username,
        nickname: user.nickname,
        role: user.role,
        origin,
    })
}

/// The user of a session that still holds.
pub(crate) async fn session_user(
    app: &App,
    sid: &str,
    user_id: UserId,
    generation: i64,
) -> Result<User> {
    let found = sessions::find_user(&app.db, sid, user_id).await?.ok_or(Error::Unauthorized)?;
    let user = found.user;
    match user.status_at(app.clock.now()) {
        AccountStatus::Deleted => Err(Error::Unauthorized),
        AccountStatus::Banned => Err(Error::Banned),
        AccountStatus::Active
            if found.session_revoked_at.is_some() || user.token_generation != generation =>
        {
            Err(Error::Unauthorized)
        }
        AccountStatus::Active => Ok(user),
    }
}
