//! Counts over everything.

use super::Db;
use crate::domain::types::MeetingId;

/// How much there is of what.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Totals {
    /// Meetings that run.
    pub ongoing_meetings: i64,
    /// Meetings that are not deleted.
    pub total_meetings: i64,
    /// Accounts that are not deleted; no guests.
    pub total_users: i64,
    /// Stored chat messages.
    pub total_messages: i64,
}

/// Counts all of it.
pub async fn totals(db: &Db) -> sqlx::Result<Totals> {
    sqlx::query_as(
        "SELECT \
         (SELECT COUNT(*) FROM meetings WHERE status = 'ongoing' AND deleted_at IS NULL) \
            AS ongoing_meetings, \
         (SELECT COUNT(*) FROM meetings WHERE deleted_at IS NULL) AS total_meetings, \
         (SELECT COUNT(*) FROM users WHERE kind = 'account' AND status <> 'deleted') \
            AS total_users, \
         (SELECT COUNT(*) FROM messages) AS total_messages",
    )
    .fetch_one(db)
    .await
}

/// Messages of a meeting.
pub async fn messages_of(db: &Db, meeting_id: MeetingId) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM messages WHERE meeting_id = $1")
        .bind(meeting_id)
        .fetch_one(db)
        .await
}
