//! The control plane's settings, out of ours.

use crate::config::{Config, Registration};
use anyhow::Context as _;
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt as _;
use weir_control_api::{AdminBootstrap, ApiConfig, Registration as ApiRegistration, WsOptions};

/// Makes `data.dir`, readable for nobody else, where it is missing.
///
/// # Errors
/// It cannot be made.
pub(crate) fn make_data_dir(config: &Config) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data.dir)
        .with_context(|| format!("data.dir: cannot make {}", config.data.dir.display()))
}

/// What the control plane takes from the configuration.
#[must_use]
pub(crate) fn api_config(config: &Config) -> ApiConfig {
    let mut api = ApiConfig::new(config.data.dir.clone());
    let http = &config.http;
    api.public_url = http.public_url.get().map(|url| url.trim_end_matches('/').to_owned());
    api.trusted_proxies = http.trusted_proxies.iter().map(|range| range.0).collect();
    api.tls = http.tls().is_some();
    api.cors_origins.clone_from(&http.cors_origins);
    api.database_url = config.database.url.get().unwrap_or_default().to_owned();
    api.registration = match config.auth.registration {
        Registration::Open => ApiRegistration::Open,
        Registration::Invite => ApiRegistration::Invite,
        Registration::Off => ApiRegistration::Off,
    };
    let admin = &config.admin;
    api.admin = match (admin.username.get(), admin.email.get(), admin.password.reveal()) {
        (Some(username), Some(email), Some(password)) => Some(AdminBootstrap {
            username: username.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
        }),
        _ => None,
    };
    api.video_codecs = config.media.codec_preference.iter().map(|codec| codec.kind()).collect();
    api.room_peers_per_shard =
        NonZeroU32::new(config.media.room_peers_per_shard).unwrap_or(api.room_peers_per_shard);
    api.csrf_strict = config.csrf.strict;
    api.rate_limit_enabled = config.rate_limit.enabled;
    api.ws = WsOptions {
        admission_by_join: config.ws.admission_by_join,
        query_token: config.ws.query_token,
        ..WsOptions::default()
    };
    api
}
