//! Who belongs to which meeting.

use super::Executor;
use crate::Timestamp;
use crate::domain::types::{MeetingId, Presence, Role, UserId, UserKind};

/// A row of `participants` with the names of its user.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct Participant {
    pub participant_id: i64,
    pub meeting_id: MeetingId,
    pub user_id: UserId,
    pub username: String,
    pub nickname: String,
    pub kind: UserKind,
    pub role: Role,
    pub status: Presence,
    pub invited: bool,
    pub admitted: bool,
    pub has_joined: bool,
    pub hidden: bool,
    pub token_id: Option<String>,
    pub joined_at: Timestamp,
}

/// A participant to be made.
#[derive(Debug)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct NewParticipant<'a> {
    pub meeting_id: MeetingId,
    pub user_id: UserId,
    pub role: Role,
    pub status: Presence,
    pub invited: bool,
    pub admitted: bool,
    pub has_joined: bool,
    pub hidden: bool,
    pub token_id: Option<&'a str>,
    pub now: Timestamp,
}

/// Adds a participant; returns its id.
pub async fn insert<'e>(db: impl Executor<'e>, new: &NewParticipant<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO participants (meeting_id, user_id, role, status, invited, admitted, \
         has_joined, hidden, token_id, joined_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING participant_id",
    )
    .bind(new.meeting_id)
    .bind(new.user_id)
    .bind(new.role)
    .bind(new.status)
    .bind(new.invited)
    .bind(new.admitted)
    .bind(new.has_joined)
    .bind(new.hidden)
    .bind(new.token_id)
    .bind(new.now)
    .fetch_one(db)
    .await
}

/// Stores role, presence and admission of a participant.
pub async fn update<'e>(db: impl Executor<'e>, p: &Participant) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE participants SET role = $2, status = $3, invited = $4, admitted = $5, \
         has_joined = $6, joined_at = $7 WHERE participant_id = $1",
    )
    .bind(p.participant_id)
    .bind(p.role)
    .bind(p.status)
    .bind(p.invited)
    .bind(p.admitted)
    .bind(p.has_joined)
    .bind(p.joined_at)
    .execute(db)
    .await
    .map(drop)
}

/// One user's row in one meeting.
pub async fn find<'e>(
    db: impl Executor<'e>,
    meeting_id: MeetingId,
    user_id: UserId,
) -> sqlx::Result<Option<Participant>> {
    sqlx::query_as(
        "SELECT p.*, u.username, u.nickname, u.kind FROM participants p \
         JOIN users u ON u.user_id = p.user_id WHERE p.meeting_id = $1 AND p.user_id = $2",
    )
    .bind(meeting_id)
    .bind(user_id)
    .fetch_optional(db)
    .await
}

/// Removes a participant.
pub async fn delete<'e>(db: impl Executor<'e>, participant_id: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM participants WHERE participant_id = $1")
        .bind(participant_id)
        .execute(db)
        .await
        .map(drop)
}

/// People in a meeting in order of joining, hidden ones left out, and how many there are.
pub async fn list(
    db: &super::Db,
    meeting_id: MeetingId,
    limit: i64,
    offset: i64,
) -> sqlx::Result<(Vec<Participant>, i64)> {
    let total = count(db, meeting_id).await?;
    let rows = sqlx::query_as(
        "SELECT p.*, u.username, u.nickname, u.kind FROM participants p \
         JOIN users u ON u.user_id = p.user_id WHERE p.meeting_id = $1 AND NOT p.hidden \
         ORDER BY p.joined_at, p.participant_id LIMIT $2 OFFSET $3",
    )
    .bind(meeting_id)
    .bind(limit)
    .bind(offset)
    .fetch_all(db)
    .await?;
    Ok((rows, total))
}

/// As [`list`], of those with one presence only. The count looks at all of these.
pub async fn list_status(
    db: &super::Db,
    meeting_id: MeetingId,
    status: Presence,
    limit: i64,
    offset: i64,
) -> sqlx::Result<(Vec<Participant>, i64)> {
    let total = sqlx::query_scalar(
        "SELECT COUNT(*) FROM participants WHERE meeting_id = $1 AND status = $2 AND NOT hidden",
    )
    .bind(meeting_id)
    .bind(status)
    .fetch_one(db)
    .await?;
    Ok((page_of_status(db, meeting_id, status, limit, offset).await?, total))
}

/// A page of [`list_status`] without the count.
pub async fn page_of_status<'e>(
    db: impl Executor<'e>,
    meeting_id: MeetingId,
    status: Presence,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<Participant>> {
    sqlx::query_as(
        "SELECT p.*, u.username, u.nickname, u.kind FROM participants p \
         JOIN users u ON u.user_id = p.user_id \
         WHERE p.meeting_id = $1 AND p.status = $2 AND NOT p.hidden \
         ORDER BY p.joined_at, p.participant_id LIMIT $3 OFFSET $4",
    )
    .bind(meeting_id)
    .bind(status)
    .bind(limit)
    .bind(offset)
    .fetch_all(db)
    .await
}

/// Meeting and user of everybody who is online or waiting.
pub async fn all_present<'e>(db: impl Executor<'e>) -> sqlx::Result<Vec<(MeetingId, UserId)>> {
    sqlx::query_as("SELECT meeting_id, user_id FROM participants WHERE status <> 'offline'")
        .fetch_all(db)
        .await
}

/// How many are online or waiting; kept by triggers, so that nobody is counted.
pub async fn count_present<'e>(db: impl Executor<'e>, meeting_id: MeetingId) -> sqlx::Result<i64> {
    let present: Option<i64> =
        sqlx::query_scalar("SELECT present FROM meetings WHERE meeting_id = $1")
            .bind(meeting_id)
            .fetch_optional(db)
            .await?;
    Ok(present.unwrap_or(0))
}

/// How many people belong to a meeting, hidden ones left out; kept by triggers.
pub async fn count<'e>(db: impl Executor<'e>, meeting_id: MeetingId) -> sqlx::Result<i64> {
    let people: Option<i64> =
        sqlx::query_scalar("SELECT people FROM meetings WHERE meeting_id = $1")
            .bind(meeting_id)
            .fetch_optional(db)
            .await?;
    Ok(people.unwrap_or(0))
}

/// Everybody of a meeting goes offline.
pub async fn all_offline<'e>(db: impl Executor<'e>, meeting_id: MeetingId) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE participants SET status = 'offline' WHERE meeting_id = $1 \
         AND status <> 'offline'",
    )
    .bind(meeting_id)
    .execute(db)
    .await
    .map(drop)
}

/// Everybody goes offline: after a restart nobody is connected.
pub async fn everyone_offline<'e>(db: impl Executor<'e>) -> sqlx::Result<()> {
    sqlx::query("UPDATE participants SET status = 'offline' WHERE status <> 'offline'")
        .execute(db)
        .await
        .map(drop)
}

/// Who passed the old password must know the new one when coming back.
pub async fn forget_admissions<'e>(
    db: impl Executor<'e>,
    meeting_id: MeetingId,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE participants SET admitted = FALSE WHERE meeting_id = $1 \
         AND role = 'participant' AND status = 'offline' AND token_id IS NULL",
    )
    .bind(meeting_id)
    .execute(db)
    .await
    .map(drop)
}

/// Guests of an access token go offline; returns their user ids.
pub async fn token_offline<'e>(db: impl Executor<'e>, token_id: &str) -> sqlx::Result<Vec<UserId>> {
    sqlx::query_scalar(
        "UPDATE participants SET status = 'offline', admitted = FALSE \
         WHERE token_id = $1 RETURNING user_id",
    )
    .bind(token_id)
    .fetch_all(db)
    .await
}
