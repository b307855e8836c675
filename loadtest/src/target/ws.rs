//! JSON over a WebSocket.

use super::{excerpt, late};
use crate::error::LoadError;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Bytes of each buffer: messages are a few kilobytes, people thousands. The default is 128 KiB.
const BUFFER: usize = 4 * 1024;

/// A WebSocket, and its address without the query.
#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    address: String,
}

impl Socket {
    /// Opens one.
    pub(super) async fn connect(
        url: &str,
        headers: &[(&'static str, String)],
        timeout: Duration,
    ) -> Result<Self, LoadError> {
        let address = url.split('?').next().unwrap_or(url).to_owned();
        let mut request = url.into_client_request().map_err(|error| {
            LoadError::Usage(format!("{url:?} is no ws:// or wss:// URL: {error}"))
        })?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                LoadError::Usage(format!(
                    "the value for the header {name} has characters that cannot be sent"
                ))
            })?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let small = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let connecting = connect_async_with_config(request, Some(small), true);
        match tokio::time::timeout(timeout, connecting).await {
            Ok(Ok((stream, _))) => Ok(Self { stream, address }),
            Ok(Err(error)) => Err(LoadError::Target(refused(&address, &error))),
            Err(_) => Err(late(&format!("{address} did not open a WebSocket"), timeout)),
        }
    }

    pub(super) async fn send(&mut self, message: &Value) -> Result<(), LoadError> {
        let sent = self.stream.send(Message::text(message.to_string())).await;
        sent.map_err(|error| LoadError::Target(format!("{} is gone: {error}", self.address)))
    }

    /// The next message; what is no JSON is left out. An error says how the connection ended.
    pub(super) async fn next(&mut self) -> Result<Value, LoadError> {
        loop {
            let address = &self.address;
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(message) = serde_json::from_str(&text) {
                        return Ok(message);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let why = frame.map_or_else(
                        || "without a reason".to_owned(),
                        |frame| {
                            format!("with {} {}", u16::from(frame.code), excerpt(&frame.reason))
                        },
                    );
                    let text = format!("{address} closed the WebSocket {}", why.trim_end());
                    return Err(LoadError::Target(text));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return Err(LoadError::Target(format!("{address} is gone: {error}")));
                }
                None => return Err(LoadError::Target(format!("{address} is gone"))),
            }
        }
    }

    /// Closes it.
    pub(super) async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }
}

fn refused(address: &str, error: &Error) -> String {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            super::http::status_text(
                address,
                response.status().as_u16(),
                &String::from_utf8_lossy(body),
            )
        }
        Error::Io(error) => format!("cannot connect to {address}: {error}"),
        other => format!("{address} opens no WebSocket: {other}"),
    }
}
