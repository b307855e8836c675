//! The state all parts share.

use crate::auth::keys::Keys;
use crate::auth::password::Passwords;
use crate::domain::admissions::Admissions;
use crate::domain::bus::DomainEvent;
use crate::domain::live::LiveSessions;
use crate::domain::presence::Absences;
use crate::http::limits::Limits;
use crate::media::Vitals;
use crate::signaling::Signaling;
use crate::store::Db;
use crate::{ApiConfig, Clock, MediaPlane, Metrics};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::broadcast;

/// A handle to the state; clones share it.
#[derive(Clone)]
pub struct App(pub(crate) Arc<AppState>);

impl Deref for App {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

/// What [`App`] points to.
#[non_exhaustive]
pub struct AppState {
    /// Settings.
    pub config: ApiConfig,
    /// The store.
    pub db: Db,
    /// Wall-clock time.
    pub clock: Clock,
    /// Signs tokens.
    pub keys: Keys,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Counts everything.
    pub metrics: Metrics,
    /// The rate limits.
    pub limits: Limits,
    /// The signalling sessions of this process.
    pub live: LiveSessions,
    pub(crate) admissions: Admissions,
    pub(crate) absences: Absences,
    /// The shards.
    pub media: Arc<dyn MediaPlane>,
    /// When each shard was last heard of.
    pub(crate) vitals: Vitals,
    /// Set by [`crate::build`].
    pub(crate) signaling: OnceLock<Arc<Signaling>>,
    pub(crate) bus: broadcast::Sender<DomainEvent>,
    pub(crate) started: std::time::Instant,
}

impl AppState {
    /// Tells every subscriber; nobody listening is fine.
    pub fn announce(&self, event: DomainEvent) {
        let _ = self.bus.send(event);
    }

    /// Everything announced from now on. A subscriber that lags must look into the store.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<DomainEvent> {
        self.bus.subscribe()
    }

    /// All connections of people; `None` where nothing is served (`weir admin ...`).
    #[must_use]
    pub fn signaling(&self) -> Option<&Arc<Signaling>> {
        self.signaling.get()
    }

    /// Tells everybody that the server stops: WebSockets close with 1001, peers with DTLS
    /// close_notify. Takes at most `within`.
    pub async fn shutdown(&self, within: Duration) {
        if let Some(signaling) = self.signaling() {
            tokio::join!(signaling.shutdown(within), signaling.hub().shutdown(within));
        }
    }

    /// Seconds since the start.
    #[must_use]
    pub fn uptime_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
