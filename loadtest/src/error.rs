//! What ends a run, and with which exit code.

use std::process::ExitCode;

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Command line or scenario is wrong. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The server cannot be reached, refuses, or speaks what nobody understands. Exit code 3.
    #[error("{0}")]
    Target(String),
    /// This machine does not let us: sockets, files, threads. Exit code 4.
    #[error("{0}")]
    Local(String),
    /// A threshold of the scenario was missed. Exit code 1.
    #[error("thresholds missed: {}", .0.join("; "))]
    Thresholds(Vec<String>),
}

impl LoadError {
    /// 1 thresholds, 2 usage, 3 target, 4 this machine.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Thresholds(_) => 1,
            Self::Usage(_) => 2,
            Self::Target(_) => 3,
            Self::Local(_) => 4,
        })
    }
}
