//! What is known of a request before anyone handles it.

use crate::{App, Error, Result};
use poem::http::header::HOST;
use poem::http::uri::Scheme;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{FromRequest, Request, RequestBody};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Facts about one request. Handlers take it as an argument.
#[derive(Debug, Clone)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    request_id: String,
    client: IpAddr,
    scheme: &'static str,
    authority: String,
    public_url: Option<String>,
    headers: Mutex<Vec<(HeaderName, HeaderValue)>>,
}

impl Context {
    pub(crate) fn of(app: &App, request: &Request) -> Self {
        let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
        let peer = request.remote_addr().as_socket_addr().map(|addr| addr.ip().to_canonical());
        let trusts = |addr: IpAddr| app.config.trusted_proxies.iter().any(|net| net.contains(addr));
        let by_proxy = peer.is_some_and(trusts);
        let mut client = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let mut scheme =
            if app.config.tls || *request.scheme() == Scheme::HTTPS { "https" } else { "http" };
        let mut authority = header(HOST.as_str())
            .map(str::to_owned)
            .or_else(|| request.uri().authority().map(ToString::to_string))
            .unwrap_or_else(|| "localhost".to_owned());
        if by_proxy {
            // The nearest address that is no proxy of ours; those before it may be made up.
            let chain = header("x-forwarded-for").unwrap_or_default();
            let hops = chain.rsplit(',').map_while(|hop| hop.trim().parse::<IpAddr>().ok());
            for hop in hops {
                client = hop.to_canonical();
                if !trusts(client) {
                    break;
                }
            }
            match header("x-forwarded-proto") {
                Some("https") => scheme = "https",
                Some("http") => scheme = "http",
                _ => {}
            }
            if let Some(host) = header("x-forwarded-host") {
                authority = host.to_owned();
            }
        }
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if !authority.chars().all(is_plain) {
            authority = "localhost".to_owned();
        }
        Self(Arc::new(Inner {
            request_id: request_id(header("x-request-id")),
            client,
            scheme,
            authority,
            public_url: app.config.public_url.clone(),
            headers: Mutex::default(),
        }))
    }

    /// The request's id, as in `X-Request-ID`.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The client's address, behind trusted proxies too.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.0.client
    }

    /// Whether the client speaks HTTPS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base_url().starts_with("https:")
    }

    /// `https://meet.example`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        match &self.0.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("{}://{}", self.0.scheme, self.0.authority),
        }
    }

    /// The origin the request itself was sent to; equals [`Self::base_url`] but for a public URL.
    #[must_use]
    pub(crate) fn own_origin(&self) -> String {
        format!("{}://{}", self.0.scheme, self.0.authority)
    }

    /// The WebSocket URL of a meeting for a user (contract section 8.1).
    #[must_use]
    pub fn room_url(&self, meeting_id: i64, user_id: i64, ticket: Option<&str>) -> String {
        let base = self.base_url();
        let base =
            base.strip_prefix("http").map_or_else(|| base.clone(), |rest| format!("ws{rest}"));
        let mut url = format!("{base}/ws/signaling?meeting_id={meeting_id}&user_id={user_id}");
        if let Some(ticket) = ticket {
            let _ = write!(url, "&ticket={ticket}");
        }
        url
    }

    /// Sends a header with the answer, whatever it will be.
    pub fn add_header(&self, name: HeaderName, value: impl AsRef<str>) {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.0.headers.lock().unwrap_or_else(PoisonError::into_inner).push((name, value));
        }
    }

    /// Sends a cookie: `SameSite=Lax`, `Path=/`, `Secure` on HTTPS. A life of 0 deletes it.
    pub fn set_cookie(&self, name: &str, value: &str, life_s: i64, http_only: bool) {
        let http_only = if http_only { "; HttpOnly" } else { "" };
        let secure = if self.is_https() { "; Secure" } else { "" };
        self.add_header(
            header::SET_COOKIE,
            format!("{name}={value}; Path=/; Max-Age={life_s}; SameSite=Lax{http_only}{secure}"),
        );
    }

    pub(crate) fn take_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        std::mem::take(&mut *self.0.headers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> FromRequest<'a> for Context {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(of_request(request)?.1)
    }
}

/// The application and the context every request carries.
///
/// # Errors
/// [`Error::Internal`] outside of the pipeline.
pub fn of_request(request: &Request) -> Result<(App, Context)> {
    match (request.data::<App>(), request.data::<Context>()) {
        (Some(app), Some(context)) => Ok((app.clone(), context.clone())),
        _ => Err(Error::internal("a request outside of the pipeline")),
    }
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// A sane id of the client's, else a new one.
fn request_id(given: Option<&str>) -> String {
    let sane = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    given.filter(sane).map_or_else(|| crate::auth::secret::id(""), str::to_owned)
}
