//! Chat.

use super::Executor;
use crate::Timestamp;
use crate::domain::types::{MeetingId, UserId};

/// A chat message with the names of its author.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct Message {
    pub message_id: i64,
    pub meeting_id: MeetingId,
    pub user_id: UserId,
    pub username: String,
    pub nickname: String,
    pub content: String,
    pub created_at: Timestamp,
}

/// Stores a message; returns its id.
pub async fn insert<'e>(
    db: impl Executor<'e>,
    meeting_id: MeetingId,
    user_id: UserId,
    content: &str,
    now: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO messages (meeting_id, user_id, content, created_at) \
         VALUES ($1, $2, $3, $4) RETURNING message_id",
    )
    .bind(meeting_id)
    .bind(user_id)
    .bind(content)
    .bind(now)
    .fetch_one(db)
    .await
}

/// One page of a meeting's messages, oldest (or newest) first, and how many there are.
pub async fn list(
    db: &super::Db,
    meeting_id: MeetingId,
    newest_first: bool,
    limit: i64,
    offset: i64,
) -> sqlx::Result<(Vec<Message>, i64)> {
    const OLDEST: &str = "SELECT c.*, u.username, u.nickname FROM messages c \
         JOIN users u ON u.user_id = c.user_id WHERE c.meeting_id = $1 \
         ORDER BY c.message_id ASC LIMIT $2 OFFSET $3";
    const NEWEST: &str = "SELECT c.*, u.username, u.nickname FROM messages c \
         JOIN users u ON u.user_id = c.user_id WHERE c.meeting_id = $1 \
         ORDER BY c.message_id DESC LIMIT $2 OFFSET $3";
    let total = sqlx::query_scalar("SELECT COUNT(*) FROM messages WHERE meeting_id = $1")
        .bind(meeting_id)
        .fetch_one(db)
        .await?;
    let rows = sqlx::query_as(if newest_first { NEWEST } else { OLDEST })
        .bind(meeting_id)
        .bind(limit)
        .bind(offset)
        .fetch_all(db)
        .await?;
    Ok((rows, total))
}
