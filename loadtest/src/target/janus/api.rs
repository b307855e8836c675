//! Janus' messages: requests, their answers, and what comes in between.

use crate::error::LoadError;
use crate::target::ws::Socket;
use crate::target::{excerpt, late};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// A session over a WebSocket of its own.
#[derive(Debug)]
pub(super) struct Api {
    socket: Socket,
    token: Option<String>,
    timeout: Duration,
    session: u64,
    next: u64,
    /// Came while an answer was awaited.
    waiting: VecDeque<Value>,
}

impl Api {
    pub(super) async fn connect(
        url: &str,
        token: Option<String>,
        timeout: Duration,
    ) -> Result<Self, LoadError> {
        let protocol = [("sec-websocket-protocol", "janus-protocol".to_owned())];
        let socket = Socket::connect(url, &protocol, timeout).await?;
        Ok(Self { socket, token, timeout, session: 0, next: 0, waiting: VecDeque::new() })
    }

    /// Makes the session.
    pub(super) async fn begin(&mut self) -> Result<(), LoadError> {
        let made = self.request(json!({"janus": "create"})).await?;
        self.session = id(&made)?;
        Ok(())
    }

    /// A handle of the VideoRoom.
    pub(super) async fn attach(&mut self) -> Result<u64, LoadError> {
        let attach = json!({"janus": "attach", "plugin": "janus.plugin.videoroom"});
        id(&self.request(attach).await?)
    }

    /// Asks the VideoRoom; the answer's `plugindata.data` and session description.
    pub(super) async fn ask(
        &mut self,
        handle: u64,
        body: Value,
        jsep: Option<Value>,
    ) -> Result<(Value, Option<String>), LoadError> {
        let what = body["request"].as_str().unwrap_or_default().to_owned();
        let mut message = json!({"janus": "message", "handle_id": handle, "body": body});
        if let Some(jsep) = jsep {
            message["jsep"] = jsep;
        }
        let answer = self.request(message).await?;
        let data = answer["plugindata"]["data"].clone();
        if let Some(error) = data["error"].as_str() {
            let code = &data["error_code"];
            let text = format!("Janus refused {what}: {code} {}", excerpt(error));
            return Err(LoadError::Target(text));
        }
        Ok((data, answer["jsep"]["sdp"].as_str().map(str::to_owned)))
    }

    /// All our candidates are in the session description.
    pub(super) async fn candidates_complete(&mut self, handle: u64) -> Result<(), LoadError> {
        let candidate = json!({"completed": true});
        let trickle = json!({"janus": "trickle", "handle_id": handle, "candidate": candidate});
        self.say(trickle).await.map(drop)
    }

    /// Sessions without a word for 60 s end.
    pub(super) async fn keep_alive(&mut self) -> Result<(), LoadError> {
        self.say(json!({"janus": "keepalive"})).await.map(drop)
    }

    /// What comes by itself, answers of nobody left out.
    pub(super) async fn next(&mut self) -> Result<Value, LoadError> {
        loop {
            let message = match self.waiting.pop_front() {
                Some(message) => message,
                None => self.socket.next().await?,
            };
            if message["janus"] != "ack" {
                return Ok(message);
            }
        }
    }

    /// Ends the session.
    pub(super) async fn close(mut self) {
        let _ = self.say(json!({"janus": "destroy"})).await;
        self.socket.close().await;
    }

    /// Sends; gives the transaction's name.
    async fn say(&mut self, mut message: Value) -> Result<String, LoadError> {
        self.next += 1;
        let transaction = format!("load-{}", self.next);
        message["transaction"] = json!(transaction);
        if self.session != 0 {
            message["session_id"] = json!(self.session);
        }
        if let Some(token) = &self.token {
            message["token"] = json!(token);
            message["apisecret"] = json!(token);
        }
        self.socket.send(&message).await?;
        Ok(transaction)
    }

    /// Sends and waits for what is more than an acknowledgement.
    async fn request(&mut self, message: Value) -> Result<Value, LoadError> {
        let what = match message["body"]["request"].as_str() {
            Some(request) => request.to_owned(),
            None => message["janus"].as_str().unwrap_or_default().to_owned(),
        };
        let transaction = self.say(message).await?;
        let timeout = self.timeout;
        let answered = async {
            loop {
                let message = self.socket.next().await?;
                if message["transaction"] != transaction.as_str() {
                    self.waiting.push_back(message);
                } else if message["janus"] == "error" {
                    let (code, reason) = (&message["error"]["code"], &message["error"]["reason"]);
                    let mut text = format!(
                        "Janus refused {what}: {code} {}",
                        excerpt(reason.as_str().unwrap_or_default())
                    );
                    if code == 403 {
                        text.push_str(": give a valid --token");
                    }
                    return Err(LoadError::Target(text));
                } else if message["janus"] != "ack" {
                    return Ok(message);
                }
            }
        };
        tokio::time::timeout(timeout, answered)
            .await
            .map_err(|_| late(&format!("Janus did not answer {what}"), timeout))?
    }
}

fn id(answer: &Value) -> Result<u64, LoadError> {
    let id = answer["data"]["id"].as_u64();
    id.ok_or_else(|| {
        LoadError::Target(format!("Janus gave no id: {}", excerpt(&answer.to_string())))
    })
}
