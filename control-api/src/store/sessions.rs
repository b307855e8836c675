//! Login sessions: what the `sid` of a token points to.

use super::Executor;
use super::users::User;
use crate::Timestamp;
use crate::domain::types::UserId;

/// A user together with the state of one session.
#[derive(Debug, sqlx::FromRow)]
pub struct SessionUser {
    /// The session's user.
    #[sqlx(flatten)]
    pub user: User,
    /// When the session was revoked.
    pub session_revoked_at: Option<Timestamp>,
}

/// Notes a new session.
pub async fn insert<'e>(
    db: impl Executor<'e>,
    sid: &str,
    user_id: UserId,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO sessions (sid, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(sid)
    .bind(user_id)
    .bind(now)
    .bind(expires_at)
    .execute(db)
    .await
    .map(drop)
}

/// The session's user, if both exist.
pub async fn find_user<'e>(
    db: impl Executor<'e>,
    sid: &str,
    user_id: UserId,
) -> sqlx::Result<Option<SessionUser>> {
    sqlx::query_as(
        "SELECT u.*, s.revoked_at AS session_revoked_at FROM sessions s \
         JOIN users u ON u.user_id = s.user_id WHERE s.sid = $1 AND s.user_id = $2",
    )
    .bind(sid)
    .bind(user_id)
    .fetch_optional(db)
    .await
}

/// Revokes one session.
pub async fn revoke<'e>(db: impl Executor<'e>, sid: &str, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("UPDATE sessions SET revoked_at = $2 WHERE sid = $1 AND revoked_at IS NULL")
        .bind(sid)
        .bind(now)
        .execute(db)
        .await
        .map(drop)
}

/// Revokes all sessions of a user but one; returns the revoked ones.
pub async fn revoke_others<'e>(
    db: impl Executor<'e>,
    user_id: UserId,
    kept_sid: &str,
    now: Timestamp,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "UPDATE sessions SET revoked_at = $3 \
         WHERE user_id = $1 AND sid <> $2 AND revoked_at IS NULL RETURNING sid",
    )
    .bind(user_id)
    .bind(kept_sid)
    .bind(now)
    .fetch_all(db)
    .await
}

/// Forgets sessions whose last token has expired.
pub async fn delete_expired<'e>(db: impl Executor<'e>, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM sessions WHERE expires_at < $1").bind(now).execute(db).await.map(drop)
}
