//! SQL, one module for each group of tables. Plain functions over a pool or a transaction; no
//! rules live here. Statements keep to what SQLite and PostgreSQL share.

pub mod meetings;
pub mod messages;
pub mod participants;
pub mod sessions;
pub mod stats;
pub mod tokens;
pub mod users;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr;
use std::time::Duration;

/// The database in use.
pub type Backend = sqlx::Sqlite;
/// A pool of connections.
pub type Db = sqlx::Pool<Backend>;
/// A transaction.
pub type Tx = sqlx::Transaction<'static, Backend>;

/// A pool, or a transaction's connection.
pub trait Executor<'e>: sqlx::Executor<'e, Database = Backend> {}
impl<'e, T: sqlx::Executor<'e, Database = Backend>> Executor<'e> for T {}

/// Opens the database, making the file when it is missing, and brings its tables up to date.
///
/// # Errors
/// When the URL is bad, the file cannot be opened or a migration fails.
pub async fn open(url: &str) -> Result<Db, sqlx::Error> {
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5));
    // Each connection to a database in memory would be a database of its own.
    let pool = if in_memory {
        SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None)
    } else {
        SqlitePoolOptions::new().max_connections(8)
    };
    let db = pool.acquire_timeout(Duration::from_secs(10)).connect_with(options).await?;
    sqlx::migrate!("migrations/sqlite").run(&db).await?;
    Ok(db)
}

/// A transaction that will write: it takes the write lock at once, so that what it reads stays
/// true until it commits.
///
/// # Errors
/// When no connection or no lock is had in time.
pub async fn begin(db: &Db) -> Result<Tx, sqlx::Error> {
    db.begin_with("BEGIN IMMEDIATE").await
}

/// `%part%` for `LIKE ... ESCAPE '\'`, in lower case like the `_key` columns.
#[must_use]
pub fn like(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Whether an error is a broken UNIQUE rule.
#[must_use]
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
