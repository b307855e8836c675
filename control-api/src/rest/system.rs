//! `/health` and `/metrics` (contract 14.18).

use super::Group;
use crate::{App, Error, Reply, Result};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object, OpenApi};

pub(super) struct SystemApi {
    pub(super) app: App,
}

/// State of each service.
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
    /// `healthy`, or `degraded` when a service is missing that meetings do not need.
    status: String,
    version: String,
    uptime_seconds: u64,
    services: Services,
}

#[OpenApi(tag = "Group::System")]
impl SystemApi {
    /// Health of the gateway and of each service
    #[oai(path = "/health", method = "get", operation_id = "system.health")]
    async fn health(&self) -> Result<Reply<Health>> {
        let probe: sqlx::Result<i64> = sqlx::query_scalar("SELECT 1").fetch_one(&self.app.db).await;
        probe.map_err(|_| Error::Unavailable("the store is unusable"))?;
        let media = if self.app.media.shard_count() > 0 { "healthy" } else { "unavailable" };
        Ok(Reply::new(Health {
            // There is no model yet that the AI endpoints could use.
            status: "degraded".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.app.uptime_s(),
            services: Services {
                user: "healthy".to_owned(),
                meeting: "healthy".to_owned(),
                signaling: "healthy".to_owned(),
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
