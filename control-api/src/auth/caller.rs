//! Who calls: the first thing every protected endpoint asks. It also counts for the rate limits,
//! so that the order of checks is 401, 429, and then the rest.

use super::{ACCESS_COOKIE, CSRF_COOKIE, csrf, secret};
use crate::domain::access::{self, Manager};
use crate::domain::identity::{self, Identity};
use crate::http::context::{self, Context};
use crate::http::origin;
use crate::{App, Error, Result};
use poem::http::{Method, header};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

const SCHEME: &str = "bearer";

/// A logged-in person, by `Authorization: Bearer` or the cookie (with its CSRF token).
#[derive(Debug, Clone)]
pub struct Caller(pub Identity);

/// As [`Caller`]; a server API key will do as well.
#[derive(Debug, Clone)]
pub struct CallerOrKey(pub Manager);

/// As [`Caller`], or nobody.
#[derive(Debug, Clone)]
pub struct MaybeCaller(pub Option<Identity>);

/// Anyone, counted by address. A foreign web page is refused.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

/// What a request shows of who sent it.
#[derive(Debug, Clone, Copy)]
enum Shown<'a> {
    Header(&'a str),
    Cookie(&'a str),
}

/// The header goes before the cookie, even when it is bad.
fn shown<'a>(app: &App, request: &'a Request) -> Result<Option<Shown<'a>>> {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let (scheme, token) = value
            .to_str()
            .ok()
            .and_then(|text| text.trim().split_once(' '))
            .ok_or(Error::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::Unauthorized);
        }
        return Ok(Some(Shown::Header(token.trim())));
    }
    let cookie = app.config.cookie.enabled.then(|| context::cookie(request, ACCESS_COOKIE));
    Ok(cookie.flatten().map(Shown::Cookie))
}

fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The five endpoints that the overview lists with CSRF.
fn is_strict(app: &App, request: &Request) -> bool {
    let path = request.uri().path();
    app.config.csrf_strict
        && matches!(
            path,
            "/api/v1/users/profile"
                | "/api/v1/users/change-password"
                | "/api/v1/users/upload-avatar"
                | "/api/v1/users/account"
        )
}

fn check_csrf(app: &App, request: &Request, who: &Identity, by_cookie: bool) -> Result<()> {
    if !is_unsafe(request.method()) || !(by_cookie || is_strict(app, request)) {
        return Ok(());
    }
    let sent = request.header("x-csrf-token");
    let kept = context::cookie(request, CSRF_COOKIE);
    match (sent, kept) {
        (Some(sent), Some(kept))
            if sent == kept && csrf::verify(&app.keys, sent, who.sid(), app.clock.now()) =>
        {
            Ok(())
        }
        _ => Err(Error::Forbidden("invalid csrf token")),
    }
}

async fn person(app: &App, request: &Request, shown: Shown<'_>) -> Result<Identity> {
    let (token, by_cookie) = match shown {
        Shown::Header(token) if token.starts_with(secret::API_KEY) => {
            access::check_api_key(app, token).await?;
            return Err(Error::Forbidden("an API key may not do this"));
        }
        Shown::Header(token) => (token, false),
        Shown::Cookie(token) => (token, true),
    };
    let who = identity::from_jwt(app, token).await?;
    check_csrf(app, request, &who, by_cookie)?;
    Ok(who)
}

fn count(app: &App, context: &Context, request: &Request, caller: &str) -> Result<()> {
    let pattern = request.data::<poem::PathPattern>().map_or("", |pattern| &pattern.0);
    app.limits.endpoint(context, request.method(), pattern, caller, app.clock.now())
}

async fn caller(request: &Request) -> Result<Caller> {
    let (app, context) = context::of_request(request)?;
    let shown = shown(&app, request)?.ok_or(Error::Unauthorized)?;
    let who = person(&app, request, shown).await?;
    count(&app, &context, request, &who.user_id.to_string())?;
    Ok(Caller(who))
}

async fn caller_or_key(request: &Request) -> Result<CallerOrKey> {
    let (app, context) = context::of_request(request)?;
    match shown(&app, request)?.ok_or(Error::Unauthorized)? {
        Shown::Header(token) if token.starts_with(secret::API_KEY) => {
            access::check_api_key(&app, token).await?;
            // Servers act for many people: no limit for them.
            Ok(CallerOrKey(Manager::Key))
        }
        shown => {
            let who = person(&app, request, shown).await?;
            count(&app, &context, request, &who.user_id.to_string())?;
            Ok(CallerOrKey(Manager::Person(Box::new(who))))
        }
    }
}

async fn maybe_caller(request: &Request) -> Result<MaybeCaller> {
    let (app, context) = context::of_request(request)?;
    count(&app, &context, request, &context.client().to_string())?;
    match shown(&app, request)? {
        None => Ok(MaybeCaller(None)),
        Some(shown @ Shown::Header(_)) => {
            person(&app, request, shown).await.map(|who| MaybeCaller(Some(who)))
        }
        Some(shown @ Shown::Cookie(_)) => match person(&app, request, shown).await {
            Ok(who) => Ok(MaybeCaller(Some(who))),
            // A browser cannot take back a stale cookie by itself.
            Err(Error::Unauthorized | Error::TokenExpired) => Ok(MaybeCaller(None)),
            Err(error) => Err(error),
        },
    }
}

async fn anyone(request: &Request) -> Result<Anyone> {
    let (app, context) = context::of_request(request)?;
    count(&app, &context, request, &context.client().to_string())?;
    if is_unsafe(request.method()) {
        origin::check(&app, &context, request)?;
    }
    Ok(Anyone)
}

macro_rules! extractor {
    ($name:ident, $read:ident, $is_scheme:literal, $optional:literal) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = if $is_scheme {
                &[ApiExtractorType::SecurityScheme]
            } else {
                &[ApiExtractorType::PoemExtractor]
            };
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                if $is_scheme {
                    registry.create_security_scheme(
                        SCHEME,
                        MetaSecurityScheme {
                            ty: "http",
                            description: Some("The `token` of login."),
                            name: None,
                            key_in: None,
                            scheme: Some("bearer"),
                            bearer_format: Some("JWT"),
                            flows: None,
                            openid_connect_url: None,
                        },
                    );
                }
            }

            fn security_schemes() -> Vec<&'static str> {
                if $is_scheme { vec![SCHEME] } else { Vec::new() }
            }

            fn has_security_fallback() -> bool {
                $optional
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok($read(request).await?)
            }
        }
    };
}

extractor!(Caller, caller, true, false);
extractor!(CallerOrKey, caller_or_key, true, false);
extractor!(MaybeCaller, maybe_caller, true, true);
extractor!(Anyone, anyone, false, false);
