//! Tickets, access tokens, API keys and invitations. All are stored as SHA-256 hashes.

use super::Executor;
use crate::Timestamp;
use crate::domain::types::{MeetingId, UserId};

/// A one-use way into a WebSocket.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Ticket {
    /// Whose.
    pub user_id: UserId,
    /// For which meeting.
    pub meeting_id: MeetingId,
    /// The login session it came from.
    pub sid: String,
    /// The user's token generation when it was made.
    pub token_generation: i64,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Stores a ticket and forgets all but the newest three of its user and meeting.
pub async fn insert_ticket(
    tx: &mut super::Tx,
    hash: &str,
    ticket: &Ticket,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO tickets (hash, user_id, meeting_id, sid, token_generation, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(hash)
    .bind(ticket.user_id)
    .bind(ticket.meeting_id)
    .bind(&ticket.sid)
    .bind(ticket.token_generation)
    .bind(now)
    .bind(ticket.expires_at)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "DELETE FROM tickets WHERE user_id = $1 AND meeting_id = $2 AND hash NOT IN \
         (SELECT hash FROM tickets WHERE user_id = $1 AND meeting_id = $2 \
          ORDER BY expires_at DESC, hash = $3 DESC LIMIT 3)",
    )
    .bind(ticket.user_id)
    .bind(ticket.meeting_id)
    .bind(hash)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Takes a ticket out of the store, so that it works once.
pub async fn take_ticket<'e>(db: impl Executor<'e>, hash: &str) -> sqlx::Result<Option<Ticket>> {
    sqlx::query_as(
        "DELETE FROM tickets WHERE hash = $1 \
         RETURNING user_id, meeting_id, sid, token_generation, expires_at",
    )
    .bind(hash)
    .fetch_optional(db)
    .await
}

/// Forgets expired tickets.
pub async fn delete_expired_tickets<'e>(db: impl Executor<'e>, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tickets WHERE expires_at < $1").bind(now).execute(db).await.map(drop)
}

/// A guest's way in.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct AccessToken {
    pub token_id: String,
    pub meeting_id: MeetingId,
    pub name: String,
    pub can_publish: bool,
    pub can_subscribe: bool,
    pub can_publish_data: bool,
    pub hidden: bool,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub max_uses: Option<i64>,
    pub uses: i64,
    pub revoked_at: Option<Timestamp>,
}

impl AccessToken {
    /// Neither revoked, expired nor used up.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && self.expires_at > now
            && self.max_uses.is_none_or(|most| self.uses < most)
    }
}

/// Stores an access token.
pub async fn insert_access<'e>(
    db: impl Executor<'e>,
    hash: &str,
    token: &AccessToken,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO access_tokens (token_id, meeting_id, hash, name, can_publish, \
         can_subscribe, can_publish_data, hidden, created_at, expires_at, max_uses, uses) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)",
    )
    .bind(&token.token_id)
    .bind(token.meeting_id)
    .bind(hash)
    .bind(&token.name)
    .bind(token.can_publish)
    .bind(token.can_subscribe)
    .bind(token.can_publish_data)
    .bind(token.hidden)
    .bind(token.created_at)
    .bind(token.expires_at)
    .bind(token.max_uses)
    .execute(db)
    .await
    .map(drop)
}

/// By the hash of its secret.
pub async fn access_by_hash<'e>(
    db: impl Executor<'e>,
    hash: &str,
) -> sqlx::Result<Option<AccessToken>> {
    sqlx::query_as("SELECT * FROM access_tokens WHERE hash = $1")
        .bind(hash)
        .fetch_optional(db)
        .await
}

/// Counts one use; false when the token is no longer good.
pub async fn use_access<'e>(
    db: impl Executor<'e>,
    token_id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query(
        "UPDATE access_tokens SET uses = uses + 1 WHERE token_id = $1 AND revoked_at IS NULL \
         AND expires_at > $2 AND (max_uses IS NULL OR uses < max_uses)",
    )
    .bind(token_id)
    .bind(now)
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// The tokens of a meeting that are not revoked, newest first.
pub async fn list_access<'e>(
    db: impl Executor<'e>,
    meeting_id: MeetingId,
) -> sqlx::Result<Vec<AccessToken>> {
    sqlx::query_as(
        "SELECT * FROM access_tokens WHERE meeting_id = $1 AND revoked_at IS NULL \
         ORDER BY created_at DESC, token_id LIMIT 1000",
    )
    .bind(meeting_id)
    .fetch_all(db)
    .await
}

/// Revokes a token of a meeting; false when there is none.
pub async fn revoke_access<'e>(
    db: impl Executor<'e>,
    meeting_id: MeetingId,
    token_id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query(
        "UPDATE access_tokens SET revoked_at = $3 \
         WHERE token_id = $2 AND meeting_id = $1 AND revoked_at IS NULL",
    )
    .bind(meeting_id)
    .bind(token_id)
    .bind(now)
    .execute(db)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Stores a server API key.
pub async fn insert_key<'e>(
    db: impl Executor<'e>,
    key_id: &str,
    name: &str,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO api_keys (key_id, name, hash, created_at) VALUES ($1, $2, $3, $4)")
        .bind(key_id)
        .bind(name)
        .bind(hash)
        .bind(now)
        .execute(db)
        .await
        .map(drop)
}

/// The id of a good key with this hash.
pub async fn key_by_hash<'e>(db: impl Executor<'e>, hash: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT key_id FROM api_keys WHERE hash = $1 AND revoked_at IS NULL")
        .bind(hash)
        .fetch_optional(db)
        .await
}

/// Stores an invitation to register.
pub async fn insert_invitation<'e>(
    db: impl Executor<'e>,
    hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO invitations (hash, created_at, expires_at) VALUES ($1, $2, $3)")
        .bind(hash)
        .bind(now)
        .bind(expires_at)
        .execute(db)
        .await
        .map(drop)
}

/// Uses up an invitation; false when there is none that still holds.
pub async fn take_invitation<'e>(
    db: impl Executor<'e>,
    hash: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query("DELETE FROM invitations WHERE hash = $1 AND expires_at > $2")
        .bind(hash)
        .bind(now)
        .execute(db)
        .await
        .map(|done| done.rows_affected() == 1)
}
