//! The command line.

use std::process::ExitCode;

/// Runs; the exit code says how it went, see [`crate::error::LoadError`].
#[must_use]
pub fn main() -> ExitCode {
    eprintln!("weir-load cannot run yet");
    ExitCode::from(2)
}
