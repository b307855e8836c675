//! Accounts and guests.

use super::Executor;
use crate::Timestamp;
use crate::domain::types::{AccountRole, AccountStatus, UserId, UserKind};

/// A row of `users`.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct User {
    pub user_id: UserId,
    pub kind: UserKind,
    pub username: String,
    pub email: String,
    pub nickname: String,
    pub avatar_url: String,
    pub password_hash: Option<String>,
    pub role: AccountRole,
    pub status: AccountStatus,
    pub banned_until: Option<Timestamp>,
    pub token_generation: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login: Option<Timestamp>,
}

impl User {
    /// The status now: a ban with an end stops by itself.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> AccountStatus {
        match (self.status, self.banned_until) {
            (AccountStatus::Banned, Some(until)) if until <= now => AccountStatus::Active,
            (status, _) => status,
        }
    }
}

/// A user to be made.
#[derive(Debug)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct NewUser<'a> {
    pub kind: UserKind,
    pub username: &'a str,
    pub email: &'a str,
    pub nickname: &'a str,
    pub password_hash: Option<&'a str>,
    pub role: AccountRole,
    pub now: Timestamp,
}

/// Makes a user. Guests have no keys, so that names of accounts stay theirs.
pub async fn insert<'e>(db: impl Executor<'e>, new: &NewUser<'_>) -> sqlx::Result<User> {
    let account = new.kind == UserKind::Account;
    sqlx::query_as(
        "INSERT INTO users (kind, username, username_key, email, email_key, nickname, \
         password_hash, role, status, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $9) RETURNING *",
    )
    .bind(new.kind)
    .bind(new.username)
    .bind(account.then(|| new.username.to_lowercase()))
    .bind(new.email)
    .bind(account.then(|| new.email.to_lowercase()))
    .bind(new.nickname)
    .bind(new.password_hash)
    .bind(new.role)
    .bind(new.now)
    .fetch_one(db)
    .await
}

/// By id; guests and deleted accounts too.
pub async fn find<'e>(db: impl Executor<'e>, user_id: UserId) -> sqlx::Result<Option<User>> {
    sqlx::query_as("SELECT * FROM users WHERE user_id = $1").bind(user_id).fetch_optional(db).await
}

/// Who has this user name, without regard to case.
pub async fn by_username<'e>(db: impl Executor<'e>, name: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as("SELECT * FROM users WHERE username_key = $1")
        .bind(name.to_lowercase())
        .fetch_optional(db)
        .await
}

/// Who has this e-mail address, without regard to case.
pub async fn by_email<'e>(db: impl Executor<'e>, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as("SELECT * FROM users WHERE email_key = $1")
        .bind(email.to_lowercase())
        .fetch_optional(db)
        .await
}

/// Changes what the owner may change; `None` leaves a column as it is.
pub async fn update_profile<'e>(
    db: impl Executor<'e>,
    user_id: UserId,
    nickname: Option<&str>,
    email: Option<&str>,
    avatar_url: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<User> {
    sqlx::query_as(
        "UPDATE users SET nickname = COALESCE($2, nickname), email = COALESCE($3, email), \
         email_key = COALESCE($4, email_key), avatar_url = COALESCE($5, avatar_url), \
         updated_at = $6 WHERE user_id = $1 RETURNING *",
    )
    .bind(user_id)
    .bind(nickname)
    .bind(email)
    .bind(email.map(str::to_lowercase))
    .bind(avatar_url)
    .bind(now)
    .fetch_one(db)
    .await
}

/// Sets a new password hash.
pub async fn set_password<'e>(
    db: impl Executor<'e>,
    user_id: UserId,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET password_hash = $2, updated_at = $3 WHERE user_id = $1")
        .bind(user_id)
        .bind(hash)
        .bind(now)
        .execute(db)
        .await
        .map(drop)
}

/// Notes a login.
pub async fn set_last_login<'e>(
    db: impl Executor<'e>,
    user_id: UserId,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE users SET last_login = $2 WHERE user_id = $1")
        .bind(user_id)
        .bind(now)
        .execute(db)
        .await
        .map(drop)
}

/// Looks into the tables and at nothing in them, for `/health`.
pub async fn probe<'e>(db: impl Executor<'e>) -> sqlx::Result<()> {
    sqlx::query(
        "SELECT u.user_id, s.sid FROM users u LEFT JOIN sessions s ON s.user_id = u.user_id LIMIT 1",
    )
    .fetch_optional(db)
    .await
    .map(drop)
}
