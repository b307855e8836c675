//! `/health` and `/metrics` (contract 14.18).

use super::Group;
use crate::error::FieldError;
use crate::media::Condition;
use crate::{App, Error, Reply, Result, store};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object, OpenApi};
use std::time::{Duration, Instant};

pub(super) struct SystemApi {
    pub(super) app: App,
}

const HEALTHY: &str = "healthy";
const UNHEALTHY: &str = "unhealthy";

/// How long one look into the store may take.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long signalling has for the answer to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// A service's state, or what is wrong with it.
type State = std::result::Result<&'static str, String>;

async fn probe(look: impl Future<Output = sqlx::Result<()>>) -> State {
    match tokio::time::timeout(STORE_TIMEOUT, look).await {
        Ok(Ok(())) => Ok(HEALTHY),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store is unusable");
            Err("the store is unusable".to_owned())
        }
        Err(_) => Err(format!("the store did not answer within {} s", STORE_TIMEOUT.as_secs())),
    }
}

async fn signaling(app: &App) -> State {
    match app.signaling() {
        Some(signaling) if signaling.is_alive(PING_TIMEOUT).await => Ok(HEALTHY),
        Some(_) => Err(format!("no answer within {} s", PING_TIMEOUT.as_secs())),
        None => Err("not started".to_owned()),
    }
}

fn media(app: &App) -> State {
    let shards = app.media.shard_count();
    if shards == 0 {
        return Err("there is no shard".to_owned());
    }
    match app.vitals.condition(shards, app.config.shard_silence, Instant::now()) {
        Condition::Healthy => Ok(HEALTHY),
        Condition::Starting => Ok("starting"),
        Condition::Silent(silent) => {
            let names: Vec<String> = silent.iter().map(ToString::to_string).collect();
            Err(format!("nothing heard of shard {} lately", names.join(", ")))
        }
    }
}

/// State of each service: `healthy`; `starting` in the first seconds, before every shard has been
/// heard of; `unavailable` where there is none.
#[derive(Debug, Object)]
pub(super) struct Services {
    user: String,
    meeting: String,
    signaling: String,
    media: String,
    ai: String,
}

/// State of the server.
#[derive(Debug, Object)]
pub(super) struct Health {
    /// `healthy`, or `degraded` when a service is missing that meetings do not need or has not
    /// started yet.
    status: String,
    version: String,
    uptime_seconds: u64,
    services: Services,
}

#[OpenApi(tag = "Group::System")]
impl SystemApi {
    /// Health of the gateway and of each service
    ///
    /// Each service is asked when this is called. 503 when one is unhealthy without which meetings
    /// do not work; `details` then names each with what was measured.
    #[oai(path = "/health", method = "get", operation_id = "system.health")]
    async fn health(&self) -> Result<Reply<Health>> {
        let app = &self.app;
        let (user, meeting, signaling) = tokio::join!(
            probe(store::users::probe(&app.db)),
            probe(store::meetings::probe(&app.db)),
            signaling(app),
        );
        let services =
            [("user", user), ("meeting", meeting), ("signaling", signaling), ("media", media(app))];
        let mut sick = Vec::new();
        let [user, meeting, signaling, media] = services.map(|(name, state)| {
            state.unwrap_or_else(|message| {
                sick.push(FieldError { field: name.to_owned(), message });
                UNHEALTHY
            })
        });
        if !sick.is_empty() {
            return Err(Error::Unhealthy(sick));
        }
        Ok(Reply::new(Health {
            // There is no model yet that the AI endpoints could use.
            status: "degraded".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.app.uptime_s(),
            services: Services {
                user: user.to_owned(),
                meeting: meeting.to_owned(),
                signaling: signaling.to_owned(),
                media: media.to_owned(),
                ai: "unavailable".to_owned(),
            },
        }))
    }

    /// Prometheus metrics
    #[oai(path = "/metrics", method = "get", operation_id = "system.metrics")]
    async fn metrics(&self) -> MetricsText {
        MetricsText(self.app.metrics.text())
    }
}

/// The text format of Prometheus, outside of the envelope.
pub(super) struct MetricsText(String);

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

impl IntoResponse for MetricsText {
    fn into_response(self) -> Response {
        self.0.with_content_type(TEXT_FORMAT).into_response()
    }
}

impl ApiResponse for MetricsText {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![MetaResponse {
                description: "Metrics",
                status: Some(200),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: TEXT_FORMAT,
                    schema: String::schema_ref(),
                }],
                headers: Vec::new(),
            }],
        }
    }

    fn register(_registry: &mut Registry) {}
}
