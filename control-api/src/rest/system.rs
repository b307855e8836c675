//! `/health` and `/metrics` (contract 14.18).

use super::Group;
use crate::{App, Error, Reply, Result};
use poem_openapi::payload::PlainText;
use poem_openapi::{Object, OpenApi};

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
    #[oai(
        path = "/metrics",
        method = "get",
        operation_id = "system.metrics",
        actual_type = "PlainText<String>"
    )]
    async fn metrics(&self) -> poem::Response {
        poem::Response::builder()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(self.app.metrics.text())
    }
}
