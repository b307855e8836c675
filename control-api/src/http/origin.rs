//! Which web pages may call (contract sections 5 and 10): the own origin and configured ones.

use super::context::Context;
use crate::{App, Error, Result};
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

/// Whether a browser page of this origin is trusted.
pub(crate) fn is_allowed(app: &App, context: &Context, origin: &str) -> bool {
    let same = |other: &str| other.trim_end_matches('/').eq_ignore_ascii_case(origin);
    same(&context.base_url())
        || same(&context.own_origin())
        || app.config.cors_origins.iter().any(|allowed| same(allowed))
}

/// The request's `Origin`.
pub(crate) fn of(request: &Request) -> Option<&str> {
    request.headers().get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"))
}

/// For requests that need no credential but change something: a foreign page must not send them.
pub(crate) fn check(app: &App, context: &Context, request: &Request) -> Result<()> {
    match of(request) {
        Some(origin) if !is_allowed(app, context, origin) => {
            Err(Error::Forbidden("origin not allowed"))
        }
        _ => Ok(()),
    }
}

/// The answer to a preflight of an allowed origin.
pub(crate) fn preflight(app: &App, context: &Context, request: &Request) -> Option<Response> {
    // WHIP and WHEP are open to all and answer for themselves.
    let path = request.uri().path();
    if path.starts_with("/whip/") || path.starts_with("/whep/") {
        return None;
    }
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = of(request).filter(|origin| asks && is_allowed(app, context, origin))?;
    let mut response = Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE")
        .header(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, X-CSRF-Token, X-Request-ID",
        )
        .header(header::ACCESS_CONTROL_MAX_AGE, "600")
        .finish();
    allow(&mut response, origin);
    Some(response)
}

/// Lets a page of another, allowed origin read an answer.
pub(crate) fn open(app: &App, context: &Context, origin: Option<&str>, response: &mut Response) {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin
        && is_allowed(app, context, origin)
        && !response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    {
        allow(response, origin);
    }
}

fn allow(response: &mut Response, origin: &str) {
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "X-Request-ID, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, \
                 X-RateLimit-Reset",
            ),
        );
    }
}
