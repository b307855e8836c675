//! `PATCH` and `DELETE` of a resource (RFC 9725 4.3 and 4.4).

use super::answer::Failure;
use super::create::{failed, must_be, text, token};
use super::resource::{Resource, new_etag};
use super::{FRAGMENT, Server};
use crate::auth::secret;
use crate::domain::identity;
use poem::http::{StatusCode, header};
use poem::{Body, IntoResponse, Request, Response};
use weir_sdp::{MAX_FRAGMENT_BYTES, parse_ice_fragment};

impl Server {
    /// Trickled candidates (204) or an ICE restart (200).
    pub(super) async fn patch(
        &self,
        resource: &Resource,
        request: &Request,
        body: Body,
    ) -> Result<Response, Failure> {
        self.check_owner(resource, request).await?;
        must_be(request, FRAGMENT)?;
        let fragment = text(body, MAX_FRAGMENT_BYTES).await?;
        let fragment = parse_ice_fragment(&fragment)
            .map_err(|error| Failure::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        let matches = request.headers().get(header::IF_MATCH).ok_or_else(|| {
            let text = "If-Match is required: the ETag, or * for an ICE restart";
            Failure::new(StatusCode::PRECONDITION_REQUIRED, text)
        })?;
        let matches = matches.to_str().unwrap_or_default();

        let mut inner = resource.inner.lock().await;
        let inner = &mut *inner;
        if !matches.split(',').map(str::trim).any(|tag| tag == "*" || tag == inner.etag) {
            let text = "If-Match does not name the current ICE session";
            return Err(Failure::new(StatusCode::PRECONDITION_FAILED, text));
        }
        let gone = || Failure::new(StatusCode::NOT_FOUND, "this session has ended");
        let media = inner.conversation.media.as_mut().ok_or_else(gone)?;
        let is_restart = fragment.ice.as_ref().is_some_and(|ice| ice.ufrag != media.ice_ufrag());
        if !is_restart {
            // The server is ICE-lite: it learns candidates from the client's checks.
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let answer =
            inner.conversation.negotiator.restart(media, &fragment).await.map_err(failed)?;
        inner.etag = new_etag();
        Ok(Response::builder()
            .status(StatusCode::OK)
            .content_type(FRAGMENT)
            .header(header::ETAG, inner.etag.clone())
            .body(answer))
    }

    pub(super) async fn delete(
        &self,
        resource: &Resource,
        request: &Request,
    ) -> Result<Response, Failure> {
        self.check_owner(resource, request).await?;
        resource.end().await;
        Ok(StatusCode::OK.into_response())
    }

    /// The token that made the resource, or another of the same account.
    async fn check_owner(&self, resource: &Resource, request: &Request) -> Result<(), Failure> {
        let token = token(request)?;
        if secret::digest(token) == resource.token {
            return Ok(());
        }
        let who = identity::from_jwt(&self.signaling.app, token).await?;
        if who.user_id == resource.session.user_id() {
            return Ok(());
        }
        Err(Failure::new(StatusCode::FORBIDDEN, "this session is not yours"))
    }
}
