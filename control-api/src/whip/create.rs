//! `POST`: an offer in, an answer and a new resource out (RFC 9725 4.2).

use super::answer::Failure;
use super::resource::{Inner, Resource, new_etag};
use super::{FRAGMENT, SDP, Server, name};
use crate::auth::secret;
use crate::domain::identity::{self, Authenticated, Identity};
use crate::domain::meetings;
use crate::domain::types::MeetingId;
use crate::signaling::connection::{Conversation, Door};
use crate::signaling::handshake::bearer;
use crate::signaling::negotiation::{OfferError, directions};
use crate::signaling::session::Phase;
use crate::{App, Error, IceServer};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Request, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_sdp::{MAX_OFFER_BYTES, SdpError, negotiate, parse_offer};
use weir_sfu_api::SourceKind;

impl Server {
    pub(super) async fn create(
        &self,
        meeting_id: MeetingId,
        request: &Request,
        body: Body,
    ) -> Result<Response, Failure> {
        let app = &self.signaling.app;
        let token = token(request)?;
        let who = identity::from_token(app, token, meeting_id).await?;
        if self.signaling.is_stopping() {
            return Err(Error::Unavailable("the server is stopping").into());
        }
        must_be(request, SDP)?;
        if !accepts_sdp(request) {
            let text = "the answer is application/sdp, which Accept excludes";
            return Err(Failure::new(StatusCode::NOT_ACCEPTABLE, text));
        }
        let text = text(body, MAX_OFFER_BYTES).await?;
        let offer = parse_offer(&text).map_err(bad_offer)?;
        let description =
            negotiate(&offer, &self.signaling.capabilities, &sources()).map_err(bad_offer)?;
        self.check_direction(directions(&description))?;

        let who = self.person(app, who, meeting_id).await?;
        self.resources.check_room_for(who.user_id)?;
        let meeting = meetings::find(app, meeting_id).await?;
        let signaling = Arc::clone(&self.signaling);
        let (mut conversation, ends) =
            Conversation::begin(signaling, who, meeting, self.door, None);
        let session = Arc::clone(&conversation.session);
        self.signaling.register(&session);
        // From here on a failure (or a client that hangs up) must undo what was begun.
        let undo = Undo { server: self, session: Some(Arc::clone(&session)) };
        conversation.enter().await?;
        if session.changing().phase == Phase::Waiting {
            return Err(Error::Forbidden("waiting to be admitted").into());
        }
        let rights = conversation.rights;
        let negotiator = &mut conversation.negotiator;
        let answer = if self.door == Door::Whep {
            negotiator.player_offer(&mut conversation.media, offer, description, rights).await
        } else {
            negotiator.apply(&mut conversation.media, offer, description, rights).await
        };
        let answer = answer.map_err(failed)?;
        let Some(media) = conversation.media.as_mut() else {
            return Err(Error::internal("an answered offer without a peer").into());
        };
        let events = media.take_events();
        session.changing().has_media = true;
        self.signaling.publish(&session);

        let etag = new_etag();
        let resource = Resource {
            id: secret::id(""),
            meeting_id,
            door: self.door,
            token: secret::digest(token),
            session,
            inner: tokio::sync::Mutex::new(Inner { conversation, etag: etag.clone() }),
        };
        undo.keep();
        let resource = self.resources.start(resource, ends, events);

        let path = format!("/{}/{meeting_id}/{}", name(self.door), resource.id);
        let base = app.config.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
        let mut response = Response::builder()
            .status(StatusCode::CREATED)
            .content_type(SDP)
            .header(header::LOCATION, format!("{base}{path}"))
            .header(header::ETAG, etag)
            .header("accept-patch", FRAGMENT)
            .body(answer);
        for server in &app.config.ice_servers {
            if let Ok(link) = HeaderValue::from_str(&link(server)) {
                response.headers_mut().append(header::LINK, link);
            }
        }
        Ok(response)
    }

    fn check_direction(&self, (sends, receives): (bool, bool)) -> Result<(), Failure> {
        let text = match self.door {
            Door::Whep if !receives => "a WHEP offer must have a recvonly m-line to play into",
            Door::Whep | Door::WebSocket => return Ok(()),
            Door::Whip if !sends => "a WHIP offer must have a sendonly m-line to publish from",
            Door::Whip => return Ok(()),
        };
        Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, text))
    }

    /// The person behind the token, with the right this endpoint is about.
    async fn person(
        &self,
        app: &App,
        who: Authenticated,
        meeting_id: MeetingId,
    ) -> Result<Identity, Failure> {
        let meeting = meetings::find(app, meeting_id).await?;
        if meeting.status.is_over() {
            return Err(Error::MeetingEnded.into());
        }
        let (publish, subscribe) = match &who {
            Authenticated::Person(_) => (true, true),
            Authenticated::Guest(token) => (token.can_publish, token.can_subscribe),
        };
        if self.door == Door::Whip && !publish {
            return Err(Error::Forbidden("this access token does not allow publishing").into());
        }
        if self.door == Door::Whep && !subscribe {
            return Err(Error::Forbidden("this access token does not allow playing").into());
        }
        match who {
            Authenticated::Person(who) => Ok(who),
            Authenticated::Guest(token) => Ok(identity::admit_guest(app, &token).await?),
        }
    }
}

/// Takes a begun session back when it did not become a resource.
struct Undo<'a> {
    server: &'a Server,
    session: Option<Arc<crate::signaling::session::Session>>,
}

impl Undo<'_> {
    fn keep(mut self) {
        self.session = None;
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let signaling = Arc::clone(&self.server.signaling);
            tokio::spawn(async move { signaling.forget(&session).await });
        }
    }
}

/// The token of `Authorization: Bearer`.
pub(super) fn token(request: &Request) -> Result<&str, Failure> {
    request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| bearer(value.to_str().ok()?))
        .ok_or_else(|| Failure::unauthorized("a Bearer token is required"))
}

/// 415 unless the body is of this type.
pub(super) fn must_be(request: &Request, wanted: &'static str) -> Result<(), Failure> {
    let given = request.content_type().unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let text = format!("Content-Type must be {wanted}");
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
}

fn accepts_sdp(request: &Request) -> bool {
    let Some(accept) = request.headers().get(header::ACCEPT) else { return true };
    let Ok(accept) = accept.to_str() else { return false };
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        matches!(kind.as_str(), "*/*" | "application/*" | SDP) && !refused
    })
}

/// The body as text of at most `limit` bytes.
pub(super) async fn text(body: Body, limit: usize) -> Result<String, Failure> {
    let bytes = body.into_bytes_limit(limit).await.map_err(|_| {
        let text = format!("the body may have at most {limit} bytes");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    })?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Failure::new(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

/// WHIP has no place to say what a track shows: camera and microphone first, as in signalling.
fn sources() -> BTreeMap<String, SourceKind> {
    BTreeMap::new()
}

pub(super) fn bad_offer(error: SdpError) -> Failure {
    let status = match error {
        // Understood, but nothing we can do with it (RFC 9725 4.2).
        SdpError::NothingAccepted(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::BAD_REQUEST,
    };
    Failure::new(status, error.to_string())
}

pub(super) fn failed(error: OfferError) -> Failure {
    match error {
        OfferError::Sdp(error) => bad_offer(error),
        OfferError::Media(error) => Error::from(error).into(),
    }
}

/// `Link` as in RFC 9725 4.6.
fn link(server: &IceServer) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut link = format!("<{}>; rel=\"ice-server\"", server.urls);
    if let (Some(username), Some(credential)) = (&server.username, &server.credential) {
        link.push_str(&format!(
            "; username=\"{}\"; credential=\"{}\"; credential-type=\"password\"",
            quoted(username),
            quoted(credential)
        ));
    }
    link
}
