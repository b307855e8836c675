//! Requests.

use super::Server;
use super::answer::{Answer, request};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

impl Server {
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let text = request(&self.addr.to_string(), method, path, headers, body);
        // A server that refuses by the headers alone may close before it has read the body.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Answer::parse(&bytes)
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.json_request("POST", path, token, body).await
    }

    pub(crate) async fn json_request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Answer {
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let mut headers = vec![("Content-Type", "application/json")];
        if token.is_some() {
            headers.push(("Authorization", &bearer));
        }
        self.request(method, path, &headers, &body.to_string()).await
    }
}
