//! The way into `/ws/signaling` (contract 8.1): credentials, checks, upgrade.

use super::allowance::Allowance;
use super::connection::{Conversation, Door, Heard, Wire};
use super::message::{Close, Incoming};
use super::negotiation::Negotiator;
use super::session::{Changing, Ends, LeaveReason, Phase, Session};
use super::{MAX_MESSAGE_BYTES, Signaling};
use crate::auth::{ACCESS_COOKIE, secret};
use crate::domain::identity::{self, Authenticated, Identity};
use crate::domain::joining;
use crate::domain::live::MediaState;
use crate::domain::meetings;
use crate::domain::types::{MeetingId, Role, UserId};
use crate::http::{context, origin};
use crate::media::NewPeer;
use crate::store::meetings::Meeting;
use crate::{Error, Result};
use poem::http::{HeaderMap, StatusCode, header};
use poem::web::websocket::{WebSocket, WebSocketConfig};
use poem::{Endpoint, FromRequest, IntoResponse, Request, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use weir_sfu_api::{Rights, RoomId, SlotPolicy};

/// `GET /ws/signaling`.
pub fn endpoint(signaling: Arc<Signaling>) -> impl Endpoint<Output = Response> {
    poem::endpoint::make(move |request: Request| {
        let signaling = Arc::clone(&signaling);
        async move { upgrade(signaling, request).await }
    })
}

/// The query of the URL; nothing of it is ever logged.
#[derive(Debug, Default)]
struct Query {
    meeting_id: Option<String>,
    user_id: Option<String>,
    token: Option<String>,
    ticket: Option<String>,
    candidate: Option<&'static str>,
}

impl Query {
    fn parse(request: &Request) -> Self {
        let pairs: Vec<(String, String)> = request.params().unwrap_or_default();
        let mut query = Self::default();
        for (key, value) in pairs {
            let value = Some(value).filter(|value| !value.is_empty());
            match key.as_str() {
                "meeting_id" => query.meeting_id = value,
                "user_id" => query.user_id = value,
                "token" | "access_token" => query.token = value,
                "ticket" => query.ticket = value,
                "candidate_type" => {
                    query.candidate = ["candidate", "ice-candidate"]
                        .into_iter()
                        .find(|kind| value.as_deref() == Some(kind));
                }
                _ => {}
            }
        }
        query
    }
}

/// Where someone wants to go, before it is known who they are.
struct Target {
    meeting_id: MeetingId,
    user_id: Option<UserId>,
    candidate: Option<&'static str>,
}

async fn upgrade(signaling: Arc<Signaling>, request: Request) -> poem::Result<Response> {
    let websocket = match WebSocket::from_request_without_body(&request).await {
        Ok(websocket) => websocket,
        Err(_) => {
            let upgrade = (header::UPGRADE, "websocket");
            let text = "this is a WebSocket endpoint: connect with ws: or wss:";
            return Ok(StatusCode::UPGRADE_REQUIRED
                .with_header(upgrade.0, upgrade.1)
                .with_body(text)
                .into_response());
        }
    };
    if signaling.is_stopping() {
        return Err(Error::Unavailable("the server is stopping").into());
    }
    let query = Query::parse(&request);
    let user_id = match query.user_id.as_deref().map(str::parse::<UserId>) {
        None => None,
        Some(Ok(user_id)) => Some(user_id),
        Some(Err(_)) => return Err(Error::field("user_id", "must be a number").into()),
    };
    let meeting_id = match query.meeting_id.as_deref() {
        None => return Err(Error::field("meeting_id", "is required").into()),
        Some(text) => text.parse::<MeetingId>().map_err(|_| Error::NoSuchMeeting)?,
    };
    let target = Target { meeting_id, user_id, candidate: query.candidate };
    let known = credential(&signaling, &request, &query, &target).await?;
    let entry = match known {
        None => None,
        Some(who) => Some(enter(&signaling, who, &target).await?),
    };

    let config = WebSocketConfig::default()
        // A little above the documented limit, so that 1009 is ours to send.
        .max_message_size(Some(MAX_MESSAGE_BYTES * 2))
        .max_frame_size(Some(MAX_MESSAGE_BYTES * 2));
    let upgraded =
        websocket.protocols(["bearer"]).config(config).on_upgrade(move |socket| async move {
            let mut wire = Wire::new(socket);
            match entry {
                Some((who, meeting)) => {
                    let (conversation, ends) = converse(signaling, who, meeting, &target);
                    conversation.run(wire, ends, None).await;
                }
                None => match introduce(&signaling, &mut wire, &target).await {
                    Ok(Introduced::Person(person)) => {
                        let (who, meeting, first) = *person;
                        let (conversation, ends) = converse(signaling, who, meeting, &target);
                        conversation.run(wire, ends, Some(first)).await;
                    }
                    Ok(Introduced::Resumes(session)) => {
                        if let Err(wire) = session.take_over(Box::new(wire)) {
                            wire.close(Close::UNAUTHORIZED).await;
                        }
                    }
                    Err(Some(error)) => {
                        wire.error(target.meeting_id, &signaling.app, &error).await;
                        let close = Close::for_refusal(&error).unwrap_or(Close::UNAUTHORIZED);
                        wire.close(close).await;
                    }
                    Err(None) => wire.close(Close::UNAUTHORIZED).await,
                },
            }
        });
    Ok(upgraded.into_response())
}

/// The first credential present (ways 1 to 5, and 7); `None` when there is none at all.
async fn credential(
    signaling: &Signaling,
    request: &Request,
    query: &Query,
    target: &Target,
) -> Result<Option<Authenticated>> {
    let app = &signaling.app;
    let meeting_id = target.meeting_id;
    let headers = request.headers();
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = bearer(value.to_str().unwrap_or_default()).ok_or(Error::Unauthorized)?;
        return identity::from_token(app, token, meeting_id).await.map(Some);
    }
    if let Some(token) = query.token.as_deref().filter(|_| app.config.ws.query_token) {
        return identity::from_token(app, token, meeting_id).await.map(Some);
    }
    // A bad ticket counts as absent when another credential is there.
    let mut bad_ticket = None;
    if let Some(ticket) = &query.ticket {
        match identity::from_ticket(app, ticket, meeting_id).await {
            Ok(who) => return Ok(Some(Authenticated::Person(who))),
            Err(error) => bad_ticket = Some(error),
        }
    }
    if let Some(token) = protocol_token(headers) {
        return identity::from_token(app, &token, meeting_id).await.map(Some);
    }
    if app.config.cookie.enabled
        && let Some(token) = context::cookie(request, ACCESS_COOKIE)
    {
        let (_, context) = context::of_request(request)?;
        // Any page can make a browser send cookies with a WebSocket.
        if !origin::of(request).is_some_and(|origin| origin::is_allowed(app, &context, origin)) {
            return Err(bad_ticket.unwrap_or(Error::Forbidden("origin not allowed")));
        }
        let who = identity::from_jwt(app, token).await?;
        return Ok(Some(Authenticated::Person(who)));
    }
    if app.config.ws.admission_by_join
        && let Some(user_id) = target.user_id
    {
        let (_, context) = context::of_request(request)?;
        let foreign =
            origin::of(request).is_some_and(|origin| !origin::is_allowed(app, &context, origin));
        // A foreign page could use the admission of who looks at it.
        if !foreign
            && let Some(who) =
                identity::from_admission(app, meeting_id, user_id, context.client()).await
        {
            return Ok(Some(Authenticated::Person(who)));
        }
    }
    bad_ticket.map_or(Ok(None), Err)
}

pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
}

/// `Sec-WebSocket-Protocol: bearer, <jwt>`.
fn protocol_token(headers: &HeaderMap) -> Option<String> {
    let list = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let mut words = list.split(',').map(str::trim);
    (words.next()? == "bearer").then(|| words.next().map(str::to_owned)).flatten()
}

/// Everything that can be refused with an HTTP status is checked before the upgrade.
async fn enter(
    signaling: &Signaling,
    who: Authenticated,
    target: &Target,
) -> Result<(Identity, Meeting)> {
    let app = &signaling.app;
    let who = match who {
        Authenticated::Person(who) => {
            if target.user_id.is_some_and(|claimed| claimed != who.user_id) {
                return Err(Error::Forbidden("user_id is not the token's user"));
            }
            who
        }
        // A guest's user comes to be here: nobody can know its id beforehand.
        Authenticated::Guest(token) => {
            let meeting = meetings::find(app, target.meeting_id).await?;
            if meeting.status.is_over() {
                return Err(Error::MeetingEnded);
            }
            identity::admit_guest(app, &token).await?
        }
    };
    let joined = joining::join(app, &who, target.meeting_id, None).await?;
    Ok((who, joined.meeting))
}

/// Who a first message is from.
enum Introduced {
    /// Someone with a token.
    Person(Box<(Identity, Meeting, Incoming)>),
    /// A client that comes back to its session.
    Resumes(Arc<Session>),
}

/// Way 6: the first message is `join` with a token, or with the resume token of a session.
async fn introduce(
    signaling: &Signaling,
    wire: &mut Wire,
    target: &Target,
) -> std::result::Result<Introduced, Option<Error>> {
    let first = async {
        loop {
            match wire.next().await {
                Heard::Message(text) if text.len() <= MAX_MESSAGE_BYTES => return Some(text),
                Heard::Message(_) => return None,
                Heard::Sign => {}
                Heard::Breach(_) | Heard::Bye | Heard::Lost => return None,
            }
        }
    };
    let text = timeout(signaling.app.config.ws.timers.first_message, first)
        .await
        .ok()
        .flatten()
        .ok_or(None)?;
    let message = Incoming::parse(&text).map_err(Some)?;
    if message.kind != "join" {
        return Err(Some(Error::Unauthorized));
    }
    let Some(token) = message.text("token")?.map(str::to_owned) else {
        let resume = message.text("resume_token")?.ok_or(Error::Unauthorized)?;
        let digest = secret::digest(resume);
        let found = signaling.registry.take_resumable(target.meeting_id, target.user_id, &digest);
        return found.map(Introduced::Resumes).ok_or(Some(Error::Unauthorized));
    };
    let who = identity::from_token(&signaling.app, &token, target.meeting_id).await?;
    let (who, meeting) = enter(signaling, who, target).await?;
    Ok(Introduced::Person(Box::new((who, meeting, message))))
}

fn converse(
    signaling: Arc<Signaling>,
    who: Identity,
    meeting: Meeting,
    target: &Target,
) -> (Conversation, Ends) {
    Conversation::begin(signaling, who, meeting, Door::WebSocket, target.candidate)
}

/// Reactions and raised hands of one connection in [`GESTURE_WINDOW`].
const GESTURES: u32 = 5;
const GESTURE_WINDOW: Duration = Duration::from_secs(2);

impl Conversation {
    /// Makes a session for someone who may enter; nobody is told yet.
    pub(crate) fn begin(
        signaling: Arc<Signaling>,
        who: Identity,
        meeting: Meeting,
        door: Door,
        candidate: Option<&'static str>,
    ) -> (Self, Ends) {
        let media =
            MediaState { audio: door != Door::Whep, video: door != Door::Whep, screen: false };
        // The store's answer to `join` completes it.
        let changing = Changing {
            phase: Phase::New,
            role: Role::Participant,
            participant_id: 0,
            media,
            silenced: false,
            batch: false,
            candidate,
            leave_reason: LeaveReason::Disconnected,
            hidden: false,
            has_media: false,
            away: false,
            resume: None,
        };
        let ids = (secret::id("sess_"), secret::id("peer_"));
        let clock = signaling.app.clock.clone();
        let (session, ends) = Session::new(ids, who, meeting.meeting_id, changing, clock);
        let negotiator = negotiator(&signaling, &session);
        let rights = Rights::NONE;
        let conversation = Self {
            signaling,
            session,
            meeting,
            negotiator,
            media: None,
            slots: Vec::new(),
            layers: BTreeMap::new(),
            view: None,
            told: None,
            gestures: Allowance::new(GESTURES, GESTURE_WINDOW),
            rights,
            door,
        };
        (conversation, ends)
    }
}

/// The negotiator of a session's PeerConnection.
fn negotiator(signaling: &Signaling, session: &Session) -> Negotiator {
    Negotiator {
        hub: Arc::clone(&signaling.hub),
        capabilities: signaling.capabilities.clone(),
        new: NewPeer {
            room: room(session.meeting_id),
            user_id: session.user_id(),
            username: session.identity.username.clone(),
            peer_id: session.peer_id.clone(),
            rights: Rights::NONE,
            slots: SlotPolicy::JoinOrder,
        },
    }
}

/// Meeting ids are positive: the room has the same number.
fn room(meeting_id: MeetingId) -> RoomId {
    RoomId(u64::try_from(meeting_id).unwrap_or_default())
}
