//! REST, WebSocket signalling, WHIP and WHEP, and the store.
//!
//! [`build`] is the way in: the binary fills an [`ApiConfig`], hands over the media plane and the
//! channel of its events, and serves the returned endpoint. Everything between is layered:
//!
//! - [`http`]: what is true of each request (context, envelope, limits, cross-origin rules);
//! - [`rest`]: one thin file for each documented group of endpoints;
//! - [`auth`]: passwords, tokens, CSRF, and who the caller is;
//! - [`domain`]: the rules, as plain functions that REST and signalling share;
//! - [`store`]: SQL, one module for each group of tables;
//! - [`media`]: the way to and from the shards;
//! - [`signaling`]: the WebSocket people talk through;
//! - [`whip`]: publishing and playing over plain HTTP.

mod app;
pub mod auth;
mod clock;
mod config;
pub mod domain;
mod envelope;
mod error;
pub mod http;
pub mod media;
mod metrics;
mod page;
mod pulse;
pub mod rest;
pub mod signaling;
mod start;
pub mod store;
pub mod whip;

pub use app::{App, AppState};
pub use clock::{Clock, Timestamp};
pub use config::{
    AdminBootstrap, ApiConfig, Cidr, CookieOptions, IceServer, ROOM_PEERS_PER_SHARD, Registration,
    WsOptions, WsTimers,
};
pub use domain::bus::DomainEvent;
pub use envelope::{Created, Empty, Reply};
pub use error::{Error, FieldError, Result};
pub use media::plane::MediaPlane;
pub use metrics::Metrics;
pub use start::{StartError, build, open};
