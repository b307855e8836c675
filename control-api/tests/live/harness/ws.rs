//! A signalling client.

use super::{Server, User};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a test waits for a message.
const PATIENCE: Duration = Duration::from_secs(5);

/// A WebSocket to the server.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
}

impl Server {
    /// With the token in a header.
    pub(crate) async fn connect(&self, user: &User, meeting: i64) -> Client {
        let query = format!("meeting_id={meeting}&user_id={}", user.id);
        let bearer = format!("Bearer {}", user.token);
        self.open(&query, &[("authorization", &bearer)]).await.unwrap()
    }

    /// With any query and headers; the HTTP status when refused.
    pub(crate) async fn open(
        &self,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Client, u16> {
        let url = format!("ws://{}/ws/signaling?{query}", self.addr);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((socket, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
                Ok(Client { socket, protocol })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

impl Client {
    pub(crate) async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message of this type; others are skipped.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(kind, |_| true).await
    }

    pub(crate) async fn expect_where(
        &mut self,
        kind: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut seen = Vec::new();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let message: Value = serde_json::from_str(&text).unwrap();
                        if message["type"] == kind && wanted(&message) {
                            return Some(message);
                        }
                        seen.push(message.to_string());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        seen.push(format!("{frame:?}"));
                        return None;
                    }
                    Some(Ok(_)) => {}
                    other => {
                        seen.push(format!("{other:?}"));
                        return None;
                    }
                }
            }
        });
        found.await.ok().flatten().unwrap_or_else(|| panic!("no {kind}, but {seen:#?}"))
    }

    /// Asserts that no message of this type comes: a marker sent to the server answers first.
    pub(crate) async fn expect_none(&mut self, kind: &str) {
        self.send(serde_json::json!({"type": "marker"})).await;
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap();
            let Some(Ok(Message::Text(text))) = frame else { panic!("{frame:?}") };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["data"]["ref_type"] == "marker" {
                return;
            }
            assert_ne!(message["type"], kind, "{message}");
        }
    }

    /// The close code; messages before it are skipped.
    pub(crate) async fn closed(&mut self) -> u16 {
        let code = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        return frame.map_or(1005, |frame| frame.code.into());
                    }
                    Some(Ok(_)) => {}
                    other => panic!("no close frame but {other:?}"),
                }
            }
        });
        code.await.expect("a close in time")
    }
}
