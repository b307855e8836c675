//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): publishing and playing over plain HTTP.
//!
//! A resource is a participant without a WebSocket: it has a session like everybody's, so that
//! rights, removal and the end of a meeting reach it the same way.

mod answer;
mod create;
mod patch;
mod resource;

use crate::domain::types::MeetingId;
use crate::signaling::Signaling;
use crate::signaling::connection::Door;
use answer::{Failure, open_to_all, preflight};
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response, Route};
use resource::{Resource, Resources};
use std::sync::Arc;

/// Resources one user may have at a time: several encoders and players of one account.
pub const MAX_RESOURCES_PER_USER: usize = 16;

/// `application/sdp` (RFC 8866).
pub(crate) const SDP: &str = "application/sdp";
/// `application/trickle-ice-sdpfrag` (RFC 8840).
pub(crate) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// Adds `/whip/{meeting_id}` and `/whep/{meeting_id}` with their resources below.
#[must_use]
pub fn mount(route: Route, signaling: &Arc<Signaling>) -> Route {
    let resources = Arc::new(Resources::default());
    let mut route = route;
    for door in [Door::Whip, Door::Whep] {
        let server = Arc::new(Server {
            signaling: Arc::clone(signaling),
            door,
            resources: Arc::clone(&resources),
        });
        let name = name(door);
        route = route
            .at(format!("/{name}/:meeting_id"), collection(Arc::clone(&server)))
            .at(format!("/{name}/:meeting_id/:resource_id"), item(server));
    }
    route
}

/// One of the two protocols.
pub(crate) struct Server {
    signaling: Arc<Signaling>,
    door: Door,
    resources: Arc<Resources>,
}

pub(crate) fn name(door: Door) -> &'static str {
    if door == Door::Whep { "whep" } else { "whip" }
}

/// `/whip/{meeting_id}`.
fn collection(server: Arc<Server>) -> impl Endpoint<Output = Response> {
    poem::endpoint::make(move |mut request: Request| {
        let server = Arc::clone(&server);
        async move {
            let body = request.take_body();
            let response = match (request.method(), meeting_id(&request)) {
                (&Method::OPTIONS, _) => Ok(preflight("POST, OPTIONS", true)),
                (&Method::POST, Ok(meeting_id)) => server.create(meeting_id, &request, body).await,
                (&Method::POST, Err(failure)) => Err(failure),
                _ => Err(not_allowed("POST, OPTIONS")),
            };
            open_to_all(response.unwrap_or_else(IntoResponse::into_response))
        }
    })
}

/// `/whip/{meeting_id}/{resource_id}`.
fn item(server: Arc<Server>) -> impl Endpoint<Output = Response> {
    poem::endpoint::make(move |mut request: Request| {
        let server = Arc::clone(&server);
        async move {
            let body = request.take_body();
            let response = match *request.method() {
                Method::OPTIONS => Ok(preflight("PATCH, DELETE, OPTIONS", false)),
                Method::PATCH => match server.find(&request) {
                    Ok(resource) => server.patch(&resource, &request, body).await,
                    Err(failure) => Err(failure),
                },
                Method::DELETE => match server.find(&request) {
                    Ok(resource) => server.delete(&resource, &request).await,
                    Err(failure) => Err(failure),
                },
                _ => Err(not_allowed("PATCH, DELETE, OPTIONS")),
            };
            open_to_all(response.unwrap_or_else(IntoResponse::into_response))
        }
    })
}

impl Server {
    fn find(&self, request: &Request) -> Result<Arc<Resource>, Failure> {
        let id = request.raw_path_param("resource_id").unwrap_or_default();
        let found = self.resources.get(self.door, meeting_id(request)?, id);
        found.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "no such session"))
    }
}

fn meeting_id(request: &Request) -> Result<MeetingId, Failure> {
    let id = request.raw_path_param("meeting_id").and_then(|id| id.parse().ok());
    id.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "meeting does not exist"))
}

fn not_allowed(methods: &'static str) -> Failure {
    let text = format!("allowed here: {methods}");
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, text).with(header::ALLOW, methods)
}
