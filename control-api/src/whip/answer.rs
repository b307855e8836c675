//! What WHIP and WHEP answer when all is not well, and the headers every answer carries.

use crate::Error;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};

/// A refusal with its status and a text for whoever set up the encoder.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    pub(crate) fn unauthorized(text: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text).with(header::WWW_AUTHENTICATE, "Bearer")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Internal(cause) = &error {
            tracing::error!(%cause, "WHIP or WHEP failed");
        }
        let status = error.http_status();
        let failure = Self::new(status, error.to_string());
        match status {
            StatusCode::UNAUTHORIZED => failure.with(header::WWW_AUTHENTICATE, "Bearer"),
            StatusCode::SERVICE_UNAVAILABLE => failure.with(header::RETRY_AFTER, "5"),
            _ => failure,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.text.into_response();
        response.set_status(self.status);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Tokens and no cookies: any page may use these endpoints (RFC 9725 4.7).
pub(crate) fn open_to_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Location, ETag, Link, Accept-Post, Accept-Patch");
    set(header::CACHE_CONTROL, "no-store");
    response
}

/// `OPTIONS`, also as a CORS preflight.
pub(crate) fn preflight(methods: &'static str, is_endpoint: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::ALLOW, methods);
    set(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match");
    set(header::ACCESS_CONTROL_MAX_AGE, "86400");
    if is_endpoint {
        headers.insert("accept-post", HeaderValue::from_static(super::SDP));
    } else {
        headers.insert("accept-patch", HeaderValue::from_static(super::FRAGMENT));
    }
    response
}
