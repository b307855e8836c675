//! Putting the parts together.

use crate::auth::keys::{KeyError, Keys};
use crate::auth::password::Passwords;
use crate::domain::admissions::Admissions;
use crate::domain::live::LiveSessions;
use crate::domain::presence::Absences;
use crate::domain::{accounts, bus};
use crate::http::limits::Limits;
use crate::media::Vitals;
use crate::signaling::Signaling;
use crate::{ApiConfig, App, AppState, Clock, Error, MediaPlane, Metrics, http, rest, store};
use poem::Endpoint;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{broadcast, mpsc};
use weir_sdp::Capabilities;
use weir_sfu_api::{CodecKind, Event, ShardId};

/// Why the control plane cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory cannot be made.
    #[error("cannot make data.dir {path}: {cause}")]
    DataDir {
        /// Its path.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The JWT secret cannot be used.
    #[error("jwt secret: {0}")]
    Key(#[from] KeyError),
    /// The store cannot be opened.
    #[error("database.url: {0}")]
    Store(#[from] sqlx::Error),
    /// The first administrator cannot be made.
    #[error("admin: {0}")]
    Admin(Error),
    /// Password hashing does not work.
    #[error("passwords: {0}")]
    Passwords(Error),
}

/// Opens the store and makes the shared state, without serving anything: enough for the commands
/// `weir admin ...`.
///
/// # Errors
/// See [`StartError`].
pub async fn open(config: ApiConfig, media: Arc<dyn MediaPlane>) -> Result<App, StartError> {
    std::fs::create_dir_all(&config.data_dir).map_err(|cause| StartError::DataDir {
        path: config.data_dir.display().to_string(),
        cause,
    })?;
    let keys = Keys::load(&config.data_dir)?;
    let url = if config.database_url.is_empty() {
        format!("sqlite://{}", config.data_dir.join("weir.db").display())
    } else {
        config.database_url.clone()
    };
    let db = store::open(&url).await?;
    let limits = Limits::new(config.rate_limit_enabled);
    let started = Instant::now();
    Ok(App(Arc::new(AppState {
        db,
        keys,
        limits,
        media,
        config,
        clock: Clock::default(),
        passwords: Passwords::new().map_err(StartError::Passwords)?,
        metrics: Metrics::new(),
        live: LiveSessions::default(),
        admissions: Admissions::default(),
        absences: Absences::default(),
        vitals: Vitals::new(started),
        signaling: OnceLock::new(),
        bus: broadcast::channel(bus::CAPACITY).0,
        started,
    })))
}

/// Everything, ready to be served.
///
/// # Errors
/// See [`StartError`].
pub async fn build(
    config: ApiConfig,
    media: Arc<dyn MediaPlane>,
    events: mpsc::Receiver<(ShardId, Event)>,
) -> Result<(App, impl Endpoint + 'static), StartError> {
    let app = open(config, media).await?;
    if let Some(admin) = &app.config.admin {
        accounts::create_admin(&app, &admin.username, &admin.email, &admin.password)
            .await
            .map_err(StartError::Admin)?;
    }
    store::participants::everyone_offline(&app.db).await?;
    let signaling = Signaling::start(&app, capabilities(&app.config), events);
    // Set once: this application is not served yet.
    let _ = app.signaling.set(Arc::clone(&signaling));
    let routes = signaling.mount(rest::routes(&app));
    let endpoint = http::pipeline::Pipeline::new(app.clone(), routes);
    Ok((app, endpoint))
}

/// Audio codecs are not a matter of taste: Opus, and RED around it.
fn capabilities(config: &ApiConfig) -> Capabilities {
    let mut prefer = config.video_codecs.clone();
    prefer.extend([CodecKind::Opus, CodecKind::Red]);
    Capabilities { prefer, ..Capabilities::default() }
}
