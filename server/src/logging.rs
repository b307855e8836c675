//! Logs: `tracing` to standard error, as text or as one JSON object a line.
//!
//! Levels: ERROR and WARN are worth waking somebody; INFO tells of meetings and of the server
//! itself; DEBUG of one peer, and only from here on with network addresses; TRACE of packets.

use crate::config::{Log, LogFormat};
use anyhow::anyhow;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging for the life of the process.
///
/// # Errors
/// Logging was started before, or the filter is malformed.
pub(crate) fn init(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(log.level.directives())?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow!("starting the log: {error}"))
}
