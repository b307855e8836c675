//! One WebSocket's task: it reads, writes, pings, and ends.

use super::message::{Close, Incoming, Outgoing};
use super::negotiation::{Connection as PeerConnection, Negotiator};
use super::session::{Ends, Nudge, Session};
use super::{
    MAX_MESSAGE_BYTES, MAX_MESSAGES_PER_SECOND, MAX_OFFER_MESSAGE_BYTES, Signaling, slots,
};
use crate::Error;
use crate::domain::types::MeetingId;
use crate::media::PeerEvent;
use crate::store::meetings::Meeting;
use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{CloseCode, Message, WebSocketStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use weir_sfu_api::GoneReason;

/// How often the server pings (contract 8.1).
const PING_EVERY: Duration = Duration::from_secs(30);
/// Silence that ends a session (contract 8.1).
const SILENCE: Duration = Duration::from_secs(90);
/// How long one frame may wait for a slow network.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the client has for its half of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A WebSocket with the limits every message obeys.
pub(super) struct Wire {
    socket: WebSocketStream,
    /// Messages allowed now, and since when that number holds.
    credit: (u32, Instant),
    heard: Instant,
}

/// What came from a client.
pub(super) enum Heard {
    Message(String),
    /// Ping, pong: only shows that it lives.
    Sign,
    /// The server must end it so.
    Breach(Close),
    /// The client or the network ended it.
    End,
}

impl Wire {
    pub(super) fn new(socket: WebSocketStream) -> Self {
        let now = Instant::now();
        Self { socket, credit: (MAX_MESSAGES_PER_SECOND, now), heard: now }
    }

    pub(super) async fn next(&mut self) -> Heard {
        let Some(frame) = self.socket.next().await else { return Heard::End };
        self.heard = Instant::now();
        match frame {
            Ok(Message::Text(text)) if text.len() > MAX_OFFER_MESSAGE_BYTES => {
                Heard::Breach(Close::TOO_LARGE)
            }
            Ok(Message::Text(_)) if !self.take_credit() => Heard::Breach(Close::TOO_MANY),
            Ok(Message::Text(text)) => Heard::Message(text),
            Ok(Message::Binary(_)) => Heard::Breach(Close::BINARY),
            Ok(Message::Ping(_) | Message::Pong(_)) if self.take_credit() => Heard::Sign,
            Ok(Message::Ping(_) | Message::Pong(_)) => Heard::Breach(Close::TOO_MANY),
            Ok(Message::Close(_)) => Heard::End,
            // tungstenite's "Space limit exceeded"; everything else is a broken connection.
            Err(error) if error.to_string().contains("Space limit") => {
                Heard::Breach(Close::TOO_LARGE)
            }
            Err(_) => Heard::End,
        }
    }

    /// A second's worth of messages at once, refilled each second.
    fn take_credit(&mut self) -> bool {
        if self.credit.1.elapsed() >= Duration::from_secs(1) {
            self.credit = (MAX_MESSAGES_PER_SECOND, Instant::now());
        }
        let left = self.credit.0.checked_sub(1);
        self.credit.0 = left.unwrap_or(0);
        left.is_some()
    }

    /// False when the connection is dead.
    pub(super) async fn send(&mut self, frame: Message) -> bool {
        matches!(timeout(SEND_TIMEOUT, self.socket.send(frame)).await, Ok(Ok(())))
    }

    pub(super) async fn send_text(&mut self, text: &str) -> bool {
        self.send(Message::Text(text.to_owned())).await
    }

    pub(super) async fn error(&mut self, meeting: MeetingId, app: &crate::App, error: &Error) {
        let text = Outgoing::error(meeting, error, "join").text(app.clock.now());
        self.send_text(&text).await;
    }

    /// Closes and waits for the client's answer, so that it reads the code before TCP ends.
    pub(super) async fn close(mut self, close: Close) {
        let frame = Message::Close(Some((CloseCode::from(close.code), close.reason.to_owned())));
        if self.send(frame).await {
            let answered = async { while let Some(Ok(_)) = self.socket.next().await {} };
            let _ = timeout(CLOSE_TIMEOUT, answered).await;
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.heard.elapsed() >= SILENCE
    }
}

/// A connection whose person is known.
pub(crate) struct Conversation {
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) session: Arc<Session>,
    pub(crate) meeting: Meeting,
    pub(crate) negotiator: Negotiator,
    pub(crate) media: Option<PeerConnection>,
    pub(crate) rights: weir_sfu_api::Rights,
    pub(crate) door: Door,
}

/// How someone came in, which bounds what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Both directions.
    WebSocket,
    /// Publishes only.
    Whip,
    /// Plays only.
    Whep,
}

/// What happened while nothing was being done.
enum Turn {
    Out(Arc<str>),
    Heard(Heard),
    Nudge(Nudge),
    Media(Option<PeerEvent>),
    Close(Close),
    Ping,
}

impl Conversation {
    /// Runs until either side ends it. `first` is the join message of someone who came without a
    /// credential.
    pub(super) async fn run(mut self, mut wire: Wire, mut ends: Ends, first: Option<Incoming>) {
        self.signaling.register(&self.session);
        let close = self.talk(&mut wire, &mut ends, first).await;
        // Media ends now, not when a client deigns to answer the close.
        self.media = None;
        let left = tokio::spawn({
            let (signaling, session) = (Arc::clone(&self.signaling), Arc::clone(&self.session));
            async move { signaling.forget(&session).await }
        });
        if let Some(close) = close {
            while let Ok(text) = ends.out.try_recv() {
                if !wire.send_text(&text).await {
                    break;
                }
            }
            wire.close(close).await;
        }
        let _ = left.await;
    }

    /// How the server ends it; `None` when the client did.
    async fn talk(
        &mut self,
        wire: &mut Wire,
        ends: &mut Ends,
        first: Option<Incoming>,
    ) -> Option<Close> {
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if let Some(first) = first
            && let Some(close) = self.message(first).await
        {
            return Some(close);
        }
        loop {
            let media = async {
                match &mut self.media {
                    Some(media) => media.event().await,
                    None => std::future::pending().await,
                }
            };
            let turn = tokio::select! {
                biased;
                changed = ends.close.changed() => match changed {
                    Ok(()) => Turn::Close((*ends.close.borrow()).unwrap_or(Close::NORMAL)),
                    Err(_) => Turn::Close(Close::NORMAL),
                },
                Some(nudge) = ends.nudge.recv() => Turn::Nudge(nudge),
                Some(text) = ends.out.recv() => Turn::Out(text),
                event = media => Turn::Media(event),
                heard = wire.next() => Turn::Heard(heard),
                _ = ping.tick() => Turn::Ping,
            };
            match turn {
                Turn::Close(close) => return Some(close),
                Turn::Out(text) => {
                    if !wire.send_text(&text).await {
                        return None;
                    }
                }
                Turn::Nudge(nudge) => {
                    if let Some(close) = self.refresh(nudge).await {
                        return Some(close);
                    }
                }
                Turn::Media(event) => self.media_event(event),
                Turn::Heard(Heard::Message(text)) => {
                    self.session.touch();
                    if let Some(close) = self.text(&text).await {
                        return Some(close);
                    }
                }
                Turn::Heard(Heard::Sign) => self.session.touch(),
                Turn::Heard(Heard::Breach(close)) => return Some(close),
                Turn::Heard(Heard::End) => return None,
                Turn::Ping if wire.is_silent() => return Some(Close::IDLE),
                Turn::Ping => {
                    if !wire.send(Message::Ping(Vec::new())).await {
                        return None;
                    }
                }
            }
        }
    }

    async fn text(&mut self, text: &str) -> Option<Close> {
        let long = text.len() > MAX_MESSAGE_BYTES;
        match Incoming::parse(text) {
            Ok(message) if long && message.kind != "offer" => Some(Close::TOO_LARGE),
            Ok(message) => self.message(message).await,
            Err(_) if long => Some(Close::TOO_LARGE),
            Err(error) => {
                self.complain(&error, "");
                None
            }
        }
    }

    /// Handles one message; errors become `error` messages, and some end the connection.
    async fn message(&mut self, message: Incoming) -> Option<Close> {
        let meeting_id = self.session.meeting_id;
        if message.meeting_id.is_some_and(|other| other != meeting_id) {
            let error = Error::BadRequest("meeting_id is not this connection's".to_owned());
            self.complain(&error, &message.kind);
            return None;
        }
        match self.dispatch(&message).await {
            Ok(close) => close,
            Err(error) => {
                if let Error::Internal(cause) = &error {
                    tracing::error!(%cause, meeting_id, kind = message.kind, "signalling failed");
                }
                self.complain(&error, &message.kind);
                // Who cannot get in has nothing to stay for.
                if message.kind == "join" { Close::for_refusal(&error) } else { None }
            }
        }
    }

    pub(super) fn complain(&self, error: &Error, ref_type: &str) {
        self.session.send(&Outgoing::error(self.session.meeting_id, error, ref_type));
    }

    fn media_event(&mut self, event: Option<PeerEvent>) {
        let meeting_id = self.session.meeting_id;
        match event {
            Some(PeerEvent::Connected) => {}
            Some(PeerEvent::Slots(list)) => self.session.send(&slots::slots(meeting_id, &list)),
            Some(PeerEvent::Speakers(list)) => {
                self.session.send(&slots::speakers(meeting_id, &list));
            }
            Some(PeerEvent::Renegotiate { ice_restart, reason }) => {
                let message = slots::renegotiate(meeting_id, reason, ice_restart, false);
                self.session.send(&message);
            }
            Some(PeerEvent::Gone(reason)) => {
                self.media = None;
                self.session.changing().has_media = false;
                self.signaling.publish(&self.session);
                let text = match reason {
                    GoneReason::ConsentExpired => "media connection lost",
                    GoneReason::HandshakeFailed => "media connection failed",
                    GoneReason::Left | GoneReason::Closed | GoneReason::RoomClosed => return,
                };
                self.session.send(&slots::renegotiate(meeting_id, text, true, true));
            }
            None => {
                self.media = None;
                self.session.changing().has_media = false;
            }
        }
    }
}
