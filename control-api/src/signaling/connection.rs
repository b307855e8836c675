//! One WebSocket's task: it reads, writes, pings, and ends.

use super::allowance::Allowance;
use super::message::{Close, Incoming, Outgoing};
use super::negotiation::{Connection as PeerConnection, Negotiator};
use super::session::{Ends, LeaveReason, Nudge, Phase, Session};
use super::{MAX_MESSAGE_BYTES, MAX_MESSAGES_PER_SECOND, Signaling, slots};
use crate::auth::secret;
use crate::domain::types::{MeetingId, Role};
use crate::media::{PeerEvent, SlotView, WantedView};
use crate::store::meetings::Meeting;
use crate::{Error, WsTimers};
use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{CloseCode, Message, WebSocketStream};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use weir_sfu_api::{GoneReason, LayerDemand, Mid};

/// How long one frame may wait for a slow network.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the client has for its half of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A WebSocket with the limits every message obeys.
pub(crate) struct Wire {
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
    /// The client ended it on purpose.
    Bye,
    /// The connection broke.
    Lost,
}

/// Close codes by which a client tells that it does not come back: normal, going away (a page was
/// closed or left), and a close without a code.
const FAREWELLS: [u16; 3] = [1000, 1001, 1005];

impl Wire {
    pub(super) fn new(socket: WebSocketStream) -> Self {
        let now = Instant::now();
        Self { socket, credit: (MAX_MESSAGES_PER_SECOND, now), heard: now }
    }

    pub(super) async fn next(&mut self) -> Heard {
        let Some(frame) = self.socket.next().await else { return Heard::Lost };
        self.heard = Instant::now();
        match frame {
            Ok(Message::Text(text)) if text.len() > MAX_MESSAGE_BYTES => {
                Heard::Breach(Close::TOO_LARGE)
            }
            Ok(Message::Text(_)) if !self.take_credit() => Heard::Breach(Close::TOO_MANY),
            Ok(Message::Text(text)) => Heard::Message(text),
            Ok(Message::Binary(_)) => Heard::Breach(Close::BINARY),
            Ok(Message::Ping(_) | Message::Pong(_)) if self.take_credit() => Heard::Sign,
            Ok(Message::Ping(_) | Message::Pong(_)) => Heard::Breach(Close::TOO_MANY),
            Ok(Message::Close(None)) => Heard::Bye,
            Ok(Message::Close(Some((code, _)))) if FAREWELLS.contains(&u16::from(code)) => {
                Heard::Bye
            }
            Ok(Message::Close(Some(_))) => Heard::Lost,
            Err(error) => fault(&error.to_string()),
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
            self.finish().await;
        }
    }

    /// Lets the closing handshake come to its end: reading sends what is owed.
    async fn finish(mut self) {
        let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = timeout(CLOSE_TIMEOUT, rest).await;
    }

    fn is_silent(&self, timers: &WsTimers) -> bool {
        self.heard.elapsed() >= timers.silence
    }
}

/// What an error of the WebSocket means; its kind is in its text only.
fn fault(error: &str) -> Heard {
    if error.contains("Space limit") {
        Heard::Breach(Close::TOO_LARGE)
    } else if error.contains("UTF-8") {
        Heard::Breach(Close::NOT_UTF8)
    } else if error.contains("protocol error") && !error.contains("without closing handshake") {
        Heard::Breach(Close::MALFORMED)
    } else {
        Heard::Lost
    }
}

/// A connection whose person is known.
pub(crate) struct Conversation {
    pub(crate) signaling: Arc<Signaling>,
    pub(crate) session: Arc<Session>,
    pub(crate) meeting: Meeting,
    pub(crate) negotiator: Negotiator,
    pub(crate) media: Option<PeerConnection>,
    /// As last told to the client.
    pub(crate) slots: Vec<SlotView>,
    /// As last told, by m-line.
    pub(crate) layers: BTreeMap<Mid, Vec<LayerDemand>>,
    /// What the client wants to see.
    pub(crate) view: Option<WantedView>,
    /// What it was told that it may do.
    pub(crate) told: Option<Told>,
    /// Reactions and hands left to it.
    pub(crate) gestures: Allowance,
    pub(crate) rights: weir_sfu_api::Rights,
    pub(crate) door: Door,
}

/// What a client knows of its rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) rights: weir_sfu_api::Rights,
    pub(crate) role: Role,
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

/// How a conversation over one socket comes to its end.
pub(super) enum End {
    /// The server closes.
    Close(Close),
    /// The client said goodbye.
    Bye,
    /// The connection broke.
    Lost,
    /// The client is back on another socket.
    Back(Box<Wire>),
    /// The client belongs to an older session, by the resume token of this `join`.
    Resumes(Arc<Session>, Incoming),
}

/// What a conversation over one socket begins with.
enum Start {
    /// Whatever the client says.
    Open,
    /// A message that was read already.
    Message(Incoming),
    /// The return of a client.
    Back,
}

/// What happened while nothing was being done.
pub(super) enum Turn {
    Out(Arc<str>),
    Heard(Heard),
    Nudge(Nudge),
    Media(Option<PeerEvent>),
    Close(Close),
    Back(Box<Wire>),
    Ping,
}

impl Conversation {
    /// Runs until either side ends it, over as many sockets as the client needs. `first` is the
    /// join message of someone who came without a credential.
    pub(super) async fn run(mut self, wire: Wire, mut ends: Ends, first: Option<Incoming>) {
        self.signaling.register(&self.session);
        let mut wire = Box::new(wire);
        let mut start = first.map_or(Start::Open, Start::Message);
        // The socket that is left, and what to say on it.
        let rest = loop {
            match self.talk(&mut wire, &mut ends, start).await {
                End::Close(close) => break Some((wire, Some(close))),
                End::Bye => break Some((wire, None)),
                End::Lost if !self.session.is_joined() => break None,
                End::Lost => {
                    drop(wire);
                    match self.away(&mut ends).await {
                        Some(new) => wire = new,
                        None => break None,
                    }
                    start = Start::Back;
                }
                End::Back(new) => {
                    let old = std::mem::replace(&mut wire, new);
                    tokio::spawn(old.close(Close::RESUMED));
                    start = Start::Back;
                }
                End::Resumes(older, message) => match older.take_over(wire) {
                    Ok(()) => break None,
                    // It ended at this very moment: the token is used up, so this is a new join.
                    Err(back) => {
                        wire = back;
                        start = Start::Message(message);
                    }
                },
            }
        };
        // Media ends now, not when a client deigns to answer the close.
        self.media = None;
        let left = tokio::spawn({
            let (signaling, session) = (Arc::clone(&self.signaling), Arc::clone(&self.session));
            async move { signaling.forget(&session).await }
        });
        match rest {
            Some((mut wire, Some(close))) => {
                while let Ok(text) = ends.out.try_recv() {
                    if !wire.send_text(&text).await {
                        break;
                    }
                }
                wire.close(close).await;
            }
            Some((wire, None)) => wire.finish().await,
            None => {}
        }
        let _ = left.await;
    }

    async fn talk(&mut self, wire: &mut Wire, ends: &mut Ends, start: Start) -> End {
        let timers = self.signaling.app.config.ws.timers;
        let mut ping = interval_at(Instant::now() + timers.ping, timers.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = match start {
            Start::Open => None,
            Start::Message(message) => self.message(message).await,
            Start::Back => self.welcome_back(wire, ends).await,
        };
        if let Some(end) = end {
            return end;
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
                Some(wire) = ends.back.recv() => Turn::Back(wire),
                Some(nudge) = ends.nudge.recv() => Turn::Nudge(nudge),
                Some(text) = ends.out.recv() => Turn::Out(text),
                event = media => Turn::Media(event),
                heard = wire.next() => Turn::Heard(heard),
                _ = ping.tick() => Turn::Ping,
            };
            match turn {
                Turn::Close(close) => return End::Close(close),
                Turn::Back(wire) => return End::Back(wire),
                Turn::Out(text) => {
                    if !wire.send_text(&text).await {
                        ends.missed.push_back(text);
                        return End::Lost;
                    }
                }
                Turn::Nudge(nudge) => {
                    if let Some(close) = self.refresh(nudge).await {
                        return End::Close(close);
                    }
                }
                Turn::Media(event) => self.media_event(event),
                Turn::Heard(Heard::Message(text)) => {
                    self.session.touch();
                    if let Some(end) = self.text(&text).await {
                        return end;
                    }
                }
                Turn::Heard(Heard::Sign) => self.session.touch(),
                Turn::Heard(Heard::Breach(close)) => return End::Close(close),
                Turn::Heard(Heard::Bye) => {
                    self.session.changing().leave_reason = LeaveReason::Left;
                    return End::Bye;
                }
                Turn::Heard(Heard::Lost) => return End::Lost,
                Turn::Ping if wire.is_silent(&timers) => return End::Close(Close::IDLE),
                Turn::Ping => {
                    if !wire.send(Message::Ping(Vec::new())).await {
                        return End::Lost;
                    }
                }
            }
        }
    }

    async fn text(&mut self, text: &str) -> Option<End> {
        match Incoming::parse(text) {
            Ok(message) => self.message(message).await,
            Err(error) => {
                self.complain(&error, "");
                None
            }
        }
    }

    /// Handles one message; errors become `error` messages, and some end the connection.
    async fn message(&mut self, message: Incoming) -> Option<End> {
        let meeting_id = self.session.meeting_id;
        if message.meeting_id.is_some_and(|other| other != meeting_id) {
            let error = Error::BadRequest("meeting_id is not this connection's".to_owned());
            self.complain(&error, &message.kind);
            return None;
        }
        if let Some(older) = self.older(&message) {
            return Some(End::Resumes(older, message));
        }
        match self.dispatch(&message).await {
            Ok(close) => close.map(End::Close),
            Err(error) => {
                if let Error::Internal(cause) = &error {
                    tracing::error!(%cause, meeting_id, kind = message.kind, "signalling failed");
                }
                self.complain(&error, &message.kind);
                // Who cannot get in has nothing to stay for.
                let close = Close::for_refusal(&error).filter(|_| message.kind == "join");
                close.map(End::Close)
            }
        }
    }

    /// The session that the resume token of a first `join` brings back. One that does not is no
    /// error: the client is a newcomer then, with the rights it has shown.
    fn older(&self, message: &Incoming) -> Option<Arc<Session>> {
        if message.kind != "join" || self.session.changing().phase != Phase::New {
            return None;
        }
        let digest = secret::digest(message.text("resume_token").ok()??);
        let (meeting_id, user_id) = (self.session.meeting_id, self.session.user_id());
        self.signaling.registry.take_resumable(meeting_id, Some(user_id), &digest)
    }

    pub(super) fn complain(&self, error: &Error, ref_type: &str) {
        self.session.send(&Outgoing::error(self.session.meeting_id, error, ref_type));
    }

    pub(super) fn media_event(&mut self, event: Option<PeerEvent>) {
        let meeting_id = self.session.meeting_id;
        match event {
            Some(PeerEvent::Connected) => {}
            Some(PeerEvent::Slots(list)) => {
                self.session.send(&slots::slots(meeting_id, &list));
                self.slots = list;
            }
            Some(PeerEvent::Speakers(list)) => {
                let now = self.signaling.app.clock.now();
                self.session.send_text(slots::speakers(meeting_id, &list, now));
            }
            Some(PeerEvent::Layers { mid, layers }) => {
                self.session.send(&slots::layers(meeting_id, mid, &layers));
                self.layers.insert(mid, layers);
            }
            Some(PeerEvent::Renegotiate { ice_restart, reason }) => {
                let message = slots::renegotiate(meeting_id, reason, ice_restart, false);
                self.session.send(&message);
            }
            Some(PeerEvent::Gone(reason)) => {
                self.lose_media();
                self.signaling.publish(&self.session);
                let text = match reason {
                    GoneReason::ConsentExpired => "media connection lost",
                    GoneReason::HandshakeFailed => "media connection failed",
                    GoneReason::Left | GoneReason::Closed | GoneReason::RoomClosed => return,
                };
                self.session.send(&slots::renegotiate(meeting_id, text, true, true));
            }
            None => {
                self.lose_media();
            }
        }
    }

    fn lose_media(&mut self) {
        self.media = None;
        self.slots = Vec::new();
        self.layers.clear();
        self.session.changing().has_media = false;
    }
}
