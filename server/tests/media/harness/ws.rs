//! A signalling client (contract section 8).

use super::{PATIENCE, Server, User};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::client::{IntoClientRequest, client};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

/// How long one read waits.
const TURN: Duration = Duration::from_millis(20);

/// A WebSocket to the server.
pub(crate) struct Ws {
    socket: WebSocket<TcpStream>,
}

/// What a WebSocket said next.
#[derive(Debug)]
pub(crate) enum Said {
    Message(Value),
    /// Closed with this code.
    Closed(u16),
    /// The connection is gone.
    Broken(String),
}

impl Ws {
    pub(crate) fn connect(server: &Server, user: &User, meeting: i64) -> Self {
        let authority = server.process.authority();
        let url = format!("ws://{authority}/ws/signaling?meeting_id={meeting}&user_id={}", user.id);
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {}", user.token).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let stream = TcpStream::connect(authority).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut socket, _) = client(request, stream).unwrap();
        socket.get_mut().set_read_timeout(Some(TURN)).unwrap();
        Self { socket }
    }

    /// Connects and joins.
    pub(crate) fn join(server: &Server, user: &User, meeting: i64) -> Self {
        let mut ws = Self::connect(server, user, meeting);
        ws.send(json!({"type": "join"}));
        let answer = ws.expect("join");
        assert_eq!(answer["data"]["status"], "joined", "{answer}");
        ws
    }

    pub(crate) fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string()));
    }

    pub(crate) fn send_raw(&mut self, message: Message) {
        self.socket.send(message).unwrap();
    }

    /// Sends what may find the connection closed.
    pub(crate) fn try_send_raw(&mut self, message: Message) {
        let _ = self.socket.send(message);
    }

    /// For what is no frame.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }

    /// The next message of this type; others are skipped.
    #[track_caller]
    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(PATIENCE, kind, |_| true)
    }

    #[track_caller]
    pub(crate) fn expect_where(
        &mut self,
        limit: Duration,
        kind: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let begin = Instant::now();
        let mut seen = Vec::new();
        while begin.elapsed() < limit {
            match self.next() {
                Some(Said::Message(message)) if message["type"] == kind && wanted(&message) => {
                    return message;
                }
                Some(Said::Message(message)) => seen.push(message.to_string()),
                Some(other) => panic!("no {kind} but {other:?} after {seen:#?}"),
                None => {}
            }
        }
        panic!("no {kind} within {limit:?}, but {seen:#?}");
    }

    /// The close code; messages before it are skipped.
    #[track_caller]
    pub(crate) fn closed(&mut self) -> u16 {
        super::until("the connection is closed", || match self.next() {
            Some(Said::Closed(code)) => Some(code),
            Some(Said::Broken(error)) => panic!("no close frame: {error}"),
            _ => None,
        })
    }

    /// What came, if anything did within a moment.
    pub(crate) fn next(&mut self) -> Option<Said> {
        match self.socket.read() {
            Ok(Message::Text(text)) => Some(Said::Message(serde_json::from_str(&text).unwrap())),
            Ok(Message::Close(frame)) => {
                // Lets the closing handshake end.
                let _ = self.socket.flush();
                Some(Said::Closed(frame.map_or(1005, |frame| frame.code.into())))
            }
            Ok(_) => None,
            Err(Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                None
            }
            Err(error) => Some(Said::Broken(error.to_string())),
        }
    }

    /// Sends an offer, gives the answer's text.
    #[track_caller]
    pub(crate) fn offer(&mut self, sdp: &str, tracks: Value) -> String {
        self.send(json!({
            "type": "offer",
            "data": {"type": "offer", "sdp": sdp, "tracks": tracks},
        }));
        let begin = Instant::now();
        let mut seen = Vec::new();
        while begin.elapsed() < PATIENCE {
            match self.next() {
                Some(Said::Message(message)) if message["type"] == "answer" => {
                    return message["data"]["sdp"].as_str().unwrap().to_owned();
                }
                Some(Said::Message(message)) if message["type"] == "error" => {
                    panic!("the offer was refused: {message}\n{sdp}");
                }
                Some(Said::Message(message)) => seen.push(message.to_string()),
                Some(other) => panic!("no answer but {other:?}"),
                None => {}
            }
        }
        panic!("no answer, but {seen:#?}");
    }
}
