//! Meetings.

use super::{Backend, Executor};
use crate::Timestamp;
use crate::domain::types::{MeetingId, MeetingStatus, MeetingType, Role, Settings, UserId};
use sqlx::AssertSqlSafe;

/// A row of `meetings`.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are described in the migration")]
pub struct Meeting {
    pub meeting_id: MeetingId,
    pub title: String,
    pub description: String,
    pub start_time: Timestamp,
    pub end_time: Timestamp,
    pub max_participants: i64,
    pub meeting_type: MeetingType,
    pub status: MeetingStatus,
    pub creator_id: UserId,
    pub password_hash: Option<String>,
    #[sqlx(flatten)]
    pub settings: Settings,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

/// A meeting in a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Listed {
    /// The meeting.
    #[sqlx(flatten)]
    pub meeting: Meeting,
    /// How many people belong to it, hidden guests not counted.
    pub participant_count: i64,
    /// The asking user's role in it.
    pub my_role: Option<Role>,
}

fn search_key(title: &str, description: &str) -> String {
    format!("{title}\n{description}").to_lowercase()
}

type Query<'q> = sqlx::query::Query<'q, Backend, <Backend as sqlx::Database>::Arguments>;

/// `$1` to `$16`: the id and what can be changed.
fn bind<'q>(query: Query<'q>, m: &'q Meeting) -> Query<'q> {
    query
        .bind(m.meeting_id)
        .bind(&m.title)
        .bind(&m.description)
        .bind(search_key(&m.title, &m.description))
        .bind(m.start_time)
        .bind(m.end_time)
        .bind(m.max_participants)
        .bind(m.meeting_type)
        .bind(m.status)
        .bind(&m.password_hash)
        .bind(m.settings.enable_recording)
        .bind(m.settings.enable_chat)
        .bind(m.settings.enable_screen_share)
        .bind(m.settings.enable_waiting_room)
        .bind(m.settings.mute_on_join)
        .bind(m.settings.who_may_publish)
}

/// Stores a new meeting. Fails with a unique violation when the id is taken.
pub async fn insert<'e>(db: impl Executor<'e>, m: &Meeting) -> sqlx::Result<()> {
    let query = sqlx::query(
        "INSERT INTO meetings (meeting_id, title, description, search_key, start_time, end_time, \
         max_participants, meeting_type, status, password_hash, enable_recording, \
         enable_chat, enable_screen_share, enable_waiting_room, mute_on_join, \
         who_may_publish, creator_id, created_at, updated_at) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    );
    bind(query, m)
        .bind(m.creator_id)
        .bind(m.created_at)
        .bind(m.updated_at)
        .execute(db)
        .await
        .map(drop)
}

/// By id; deleted ones are not found.
pub async fn find<'e>(db: impl Executor<'e>, id: MeetingId) -> sqlx::Result<Option<Meeting>> {
    sqlx::query_as("SELECT * FROM meetings WHERE meeting_id = $1 AND deleted_at IS NULL")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// Stores every changeable column of a meeting.
pub async fn update<'e>(db: impl Executor<'e>, m: &Meeting) -> sqlx::Result<()> {
    let query = sqlx::query(
        "UPDATE meetings SET title = $2, description = $3, search_key = $4, start_time = $5, \
         end_time = $6, max_participants = $7, meeting_type = $8, status = $9, \
         password_hash = $10, enable_recording = $11, enable_chat = $12, \
         enable_screen_share = $13, enable_waiting_room = $14, mute_on_join = $15, \
         who_may_publish = $16, updated_at = $17, started_at = $18, ended_at = $19 \
         WHERE meeting_id = $1",
    );
    bind(query, m)
        .bind(m.updated_at)
        .bind(m.started_at)
        .bind(m.ended_at)
        .execute(db)
        .await
        .map(drop)
}

/// Hides a meeting from everyone.
pub async fn delete<'e>(db: impl Executor<'e>, id: MeetingId, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("UPDATE meetings SET deleted_at = $2 WHERE meeting_id = $1")
        .bind(id)
        .bind(now)
        .execute(db)
        .await
        .map(drop)
}

/// Which part of time a list covers, and its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// All, newest created first.
    Created,
    /// All, latest start first.
    Start,
    /// Scheduled and not past, or ongoing; earliest start first.
    Upcoming(Timestamp),
    /// Over, or scheduled and past; latest start first.
    Past(Timestamp),
}

/// What to list.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// The asking user.
    pub user_id: UserId,
    /// All meetings instead of those the user created or takes part in.
    pub all: bool,
    /// Part of time.
    pub span: Span,
    /// One status.
    pub status: Option<MeetingStatus>,
    /// Part of title or description.
    pub keyword: Option<&'a str>,
    /// Page size, 1 to 100.
    pub limit: i64,
    /// Rows to skip.
    pub offset: i64,
}

const MATCHES: &str = "m.deleted_at IS NULL \
     AND ($2 OR m.creator_id = $1 OR EXISTS (SELECT 1 FROM participants p \
         WHERE p.meeting_id = m.meeting_id AND p.user_id = $1)) \
     AND ($3 IS NULL OR m.status = $3) \
     AND ($4 IS NULL OR m.search_key LIKE $4 ESCAPE '\\')";

/// One page of the matching meetings, and how many match in all.
pub async fn list(db: &super::Db, filter: &Filter<'_>) -> sqlx::Result<(Vec<Listed>, i64)> {
    let (span, order, now) = match filter.span {
        Span::Created => ("$5 = $5", "m.created_at DESC, m.meeting_id DESC", Timestamp(0)),
        Span::Start => ("$5 = $5", "m.start_time DESC, m.meeting_id DESC", Timestamp(0)),
        Span::Upcoming(now) => (
            "((m.status = 'scheduled' AND m.end_time > $5) OR m.status = 'ongoing')",
            "m.start_time ASC, m.meeting_id ASC",
            now,
        ),
        Span::Past(now) => (
            "((m.status = 'scheduled' AND m.end_time <= $5) \
              OR m.status IN ('ended', 'cancelled'))",
            "m.start_time DESC, m.meeting_id DESC",
            now,
        ),
    };
    let keyword = filter.keyword.map(super::like);
    // Only the constant texts above are put together here; values are bound.
    let total = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM meetings m WHERE {MATCHES} AND {span}"
    )))
    .bind(filter.user_id)
    .bind(filter.all)
    .bind(filter.status)
    .bind(&keyword)
    .bind(now)
    .fetch_one(db)
    .await?;
    let rows = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT m.*, m.people AS participant_count, (SELECT p.role FROM participants p \
         WHERE p.meeting_id = m.meeting_id AND p.user_id = $1) AS my_role \
         FROM meetings m WHERE {MATCHES} AND {span} ORDER BY {order} LIMIT $6 OFFSET $7"
    )))
    .bind(filter.user_id)
    .bind(filter.all)
    .bind(filter.status)
    .bind(&keyword)
    .bind(now)
    .bind(filter.limit)
    .bind(filter.offset)
    .fetch_all(db)
    .await?;
    Ok((rows, total))
}

/// Looks into the tables and at nothing in them, for `/health`.
pub async fn probe<'e>(db: impl Executor<'e>) -> sqlx::Result<()> {
    sqlx::query(
        "SELECT m.meeting_id, p.user_id FROM meetings m \
         LEFT JOIN participants p ON p.meeting_id = m.meeting_id LIMIT 1",
    )
    .fetch_optional(db)
    .await
    .map(drop)
}
