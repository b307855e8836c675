//! A load generator for selective-forwarding servers: thousands of ICE + DTLS + SRTP clients in one process.
//!
//! A [`scenario`] says who comes when and sends and receives what; [`run`] makes it happen against a
//! [`target`], whose words are HTTP, WebSocket and [`sdp`]; the [`engine`] is the clients' media, and
//! [`media`] what they send; [`measure`] is what was seen, [`report`] how it is told. Nothing here uses the
//! server's core: what is measured and what measures have only formats and crypto in common.

pub mod cli;
pub mod engine;
pub mod error;
pub mod measure;
pub mod media;
pub mod plan;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sdp;
pub mod target;
