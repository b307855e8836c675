//! Requests.

use super::answer::{Answer, request};
use super::{PATIENCE, Server};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

impl Server {
    /// A request on a connection of its own.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let authority = self.process.authority();
        let mut stream = TcpStream::connect(&authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A server that refuses by the headers alone may close before it has read the body.
        let _ = stream.write_all(request(&authority, method, path, headers, body).as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    pub(crate) fn json(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("Content-Type", "application/json")];
        if !token.is_empty() {
            headers.push(("Authorization", &bearer));
        }
        self.request(method, path, &headers, &body.to_string())
    }

    /// A request that must succeed; gives `data` of its answer.
    #[track_caller]
    pub(crate) fn done(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let answer = self.json(method, path, token, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.json()["data"].clone()
    }
}
