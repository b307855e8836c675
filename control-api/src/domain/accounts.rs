//! Accounts: registering, logging in and out, the own profile, the first administrator.

use super::bus::DomainEvent;
use super::identity::{self, Identity};
use super::types::{AccountRole, AccountStatus, UserKind};
use crate::auth::keys::{REFRESH_LIFE_S, Subject, TokenKind};
use crate::auth::secret;
use crate::config::Registration;
use crate::store::users::{self, NewUser, User};
use crate::store::{self, Tx, sessions, tokens};
use crate::{App, Error, Result};

/// A person who wants an account. Fields have passed their own rules.
#[derive(Debug)]
pub struct Registrant {
    /// User name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// Shown name; the user name when absent.
    pub nickname: Option<String>,
    /// Invitation code, where registration needs one.
    pub invite: Option<String>,
}

/// Tokens of a login.
#[derive(Debug)]
pub struct Login {
    /// Access JWT.
    pub token: String,
    /// Refresh JWT.
    pub refresh_token: String,
    /// Who logged in.
    pub user: User,
}

/// Makes an account.
///
/// # Errors
/// [`Error::UsernameTaken`], [`Error::EmailTaken`], [`Error::Forbidden`] when registration is
/// closed or the invitation is not good.
pub async fn register(app: &App, new: Registrant) -> Result<User> {
    if app.config.registration == Registration::Off {
        return Err(Error::Forbidden("registration is closed"));
    }
    check_free(app, &new.username, &new.email).await?;
    let hash = app.passwords.hash(&new.password).await?;
    let mut tx = store::begin(&app.db).await?;
    if app.config.registration == Registration::Invite {
        let code = secret::digest(new.invite.as_deref().unwrap_or_default());
        if !tokens::take_invitation(&mut *tx, &code, app.clock.now()).await? {
            return Err(Error::Forbidden("registration needs an invitation"));
        }
    }
    let user = insert(app, &mut tx, &new, &hash, AccountRole::User).await?;
    tx.commit().await?;
    Ok(user)
}

async fn check_free(app: &App, username: &str, email: &str) -> Result<()> {
    if users::by_username(&app.db, username).await?.is_some() {
        return Err(Error::UsernameTaken);
    }
    if users::by_email(&app.db, email).await?.is_some() {
        return Err(Error::EmailTaken);
    }
    Ok(())
}

/// Stores an account inside a write transaction, where the names cannot be taken meanwhile.
async fn insert(
    app: &App,
    tx: &mut Tx,
    new: &Registrant,
    hash: &str,
    role: AccountRole,
) -> Result<User> {
    if users::by_username(&mut **tx, &new.username).await?.is_some() {
        return Err(Error::UsernameTaken);
    }
    if users::by_email(&mut **tx, &new.email).await?.is_some() {
        return Err(Error::EmailTaken);
    }
    let nickname = new.nickname.as_deref().filter(|name| !name.is_empty());
    let row = NewUser {
        kind: UserKind::Account,
        username: &new.username,
        email: &new.email,
        nickname: nickname.unwrap_or(&new.username),
        password_hash: Some(hash),
        role,
        now: app.clock.now(),
    };
    Ok(users::insert(&mut **tx, &row).await?)
}

/// Logs in by user name or e-mail address.
///
/// # Errors
/// [`Error::BadLogin`], [`Error::Banned`].
pub async fn login(app: &App, name: &str, password: &str) -> Result<Login> {
    // One person's user name may be another's address: the password decides.
    let by_name = users::by_username(&app.db, name).await?;
    let by_email = users::by_email(&app.db, name).await?;
    let same = by_name.as_ref().map(|u| u.user_id) == by_email.as_ref().map(|u| u.user_id);
    let candidates = [by_name, by_email.filter(|_| !same)];
    let mut found = None;
    if candidates.iter().all(Option::is_none) {
        app.passwords.verify(password, None).await?;
    }
    for user in candidates.into_iter().flatten() {
        if app.passwords.verify(password, user.password_hash.as_deref()).await? {
            found = Some(user);
            break;
        }
    }
    let mut user = found.ok_or(Error::BadLogin)?;
    let now = app.clock.now();
    match user.status_at(now) {
        AccountStatus::Active => {}
        AccountStatus::Banned => return Err(Error::Banned),
        AccountStatus::Deleted => return Err(Error::BadLogin),
    }
    let sid = secret::id("");
    let mut tx = store::begin(&app.db).await?;
    sessions::insert(&mut *tx, &sid, user.user_id, now, now.plus_seconds(REFRESH_LIFE_S)).await?;
    users::set_last_login(&mut *tx, user.user_id, now).await?;
    sessions::delete_expired(&mut *tx, now).await?;
    tokens::delete_expired_tickets(&mut *tx, now).await?;
    tx.commit().await?;
    user.last_login = Some(now);
    let token = app.keys.sign(TokenKind::Access, subject(&user, &sid), now)?;
    let refresh_token = app.keys.sign(TokenKind::Refresh, subject(&user, &sid), now)?;
    Ok(Login { token, refresh_token, user })
}

fn subject<'a>(user: &'a User, sid: &'a str) -> Subject<'a> {
    Subject {
        user_id: user.user_id,
        username: &user.username,
        role: user.role,
        sid,
        generation: user.token_generation,
    }
}

/// A new access JWT for a refresh JWT, which stays good.
///
/// # Errors
/// [`Error::Unauthorized`], [`Error::TokenExpired`], [`Error::Banned`].
pub async fn refresh(app: &App, refresh_token: &str) -> Result<String> {
    let now = app.clock.now();
    let claims = app.keys.verify(TokenKind::Refresh, refresh_token, now)?;
    let user = identity::session_user(app, &claims.sid, claims.user_id()?, claims.ver).await?;
    app.keys.sign(TokenKind::Access, subject(&user, &claims.sid), now)
}

/// Ends the caller's session, and the one of a refresh token when it is genuine.
///
/// # Errors
/// [`Error::Internal`].
pub async fn logout(app: &App, who: Option<&Identity>, refresh_token: Option<&str>) -> Result<()> {
    let now = app.clock.now();
    let mut ended = Vec::new();
    if let Some((user_id, sid)) = who.and_then(|who| Some((who.user_id, who.sid()?.to_owned()))) {
        ended.push((user_id, sid));
    }
    if let Some(token) = refresh_token
        && let Ok(claims) = app.keys.verify(TokenKind::Refresh, token, now)
        && let Ok(user_id) = claims.user_id()
    {
        ended.push((user_id, claims.sid));
    }
    ended.dedup();
    for (user_id, sid) in ended {
        sessions::revoke(&app.db, &sid, now).await?;
        app.announce(DomainEvent::SessionRevoked { user_id, sid });
    }
    Ok(())
}

/// The caller's own account.
///
/// # Errors
/// [`Error::NoSuchUser`].
pub async fn profile(app: &App, who: &Identity) -> Result<User> {
    users::find(&app.db, who.user_id).await?.ok_or(Error::NoSuchUser)
}

/// Changes the caller's own account; `None` leaves a field as it is.
///
/// # Errors
/// [`Error::EmailTaken`].
pub async fn update_profile(
    app: &App,
    who: &Identity,
    nickname: Option<&str>,
    email: Option<&str>,
    avatar_url: Option<&str>,
) -> Result<User> {
    let mut tx = store::begin(&app.db).await?;
    if let Some(email) = email
        && let Some(holder) = users::by_email(&mut *tx, email).await?
        && holder.user_id != who.user_id
    {
        return Err(Error::EmailTaken);
    }
    // An empty nickname falls back to the user name, as at registration.
    let nickname = nickname.map(|name| if name.is_empty() { &who.username } else { name });
    let now = app.clock.now();
    let user =
        users::update_profile(&mut *tx, who.user_id, nickname, email, avatar_url, now).await?;
    tx.commit().await?;
    Ok(user)
}

/// Changes the caller's password and ends all of their other sessions.
///
/// # Errors
/// [`Error::WrongPassword`].
pub async fn change_password(app: &App, who: &Identity, old: &str, new: &str) -> Result<()> {
    let user = profile(app, who).await?;
    if !app.passwords.verify(old, user.password_hash.as_deref()).await? {
        return Err(Error::WrongPassword);
    }
    let hash = app.passwords.hash(new).await?;
    let now = app.clock.now();
    let mut tx = store::begin(&app.db).await?;
    users::set_password(&mut *tx, who.user_id, &hash, now).await?;
    let kept = who.sid().unwrap_or_default();
    let ended = sessions::revoke_others(&mut *tx, who.user_id, kept, now).await?;
    tx.commit().await?;
    for sid in ended {
        app.announce(DomainEvent::SessionRevoked { user_id: who.user_id, sid });
    }
    Ok(())
}

/// Makes an administrator. An administrator of this name already: nothing changes.
///
/// # Errors
/// [`Error::Invalid`] for bad fields; [`Error::UsernameTaken`] when the name belongs to somebody
/// else, who is never promoted; [`Error::EmailTaken`].
pub async fn create_admin(app: &App, username: &str, email: &str, password: &str) -> Result<User> {
    use crate::http::rules::{self, Rule};
    let text = |field: &str, rule: rules::Text, value: &str| {
        let mut errors = Vec::new();
        rule.check(&serde_json::Value::from(value), field, &mut errors)
            .ok_or(Error::Invalid(errors))
    };
    let new = Registrant {
        username: text("username", rules::username(), username)?,
        email: text("email", rules::email(), email)?,
        password: text("password", rules::password(), password)?,
        nickname: None,
        invite: None,
    };
    if let Some(user) = users::by_username(&app.db, &new.username).await? {
        return match user.role {
            AccountRole::Admin => Ok(user),
            AccountRole::User => Err(Error::UsernameTaken),
        };
    }
    let hash = app.passwords.hash(&new.password).await?;
    let mut tx = store::begin(&app.db).await?;
    let user = insert(app, &mut tx, &new, &hash, AccountRole::Admin).await?;
    tx.commit().await?;
    Ok(user)
}

/// A code that lets one person register, where registration is by invitation.
///
/// # Errors
/// [`Error::Internal`].
pub async fn create_invitation(app: &App, life_s: i64) -> Result<String> {
    let code = secret::token("weir_inv_");
    let now = app.clock.now();
    let hash = secret::digest(&code);
    tokens::insert_invitation(&app.db, &hash, now, now.plus_seconds(life_s)).await?;
    Ok(code)
}
