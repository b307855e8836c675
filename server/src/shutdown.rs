//! The end of the process: on SIGTERM or SIGINT clients are told, requests drain, and the process
//! exits with 0 within [`DEADLINE`].

use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// All of shutting down takes less than this; what is left then is dropped.
pub(crate) const DEADLINE: Duration = Duration::from_millis(4_000);

/// Of [`DEADLINE`], how long running requests and WebSockets may take to end by themselves.
pub(crate) const DRAIN: Duration = Duration::from_millis(2_500);

/// The signals that end the process.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from their default action. Needs a running tokio runtime.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    pub(crate) fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one and names it.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
