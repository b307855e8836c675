//! HTTP with errors that say what was asked and what came.

use super::{excerpt, seconds};
use crate::error::LoadError;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, StatusCode, Url, redirect};
use serde_json::Value;
use std::time::Duration;

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 5;
/// How often a request that met a rate limit is tried again.
const MOST_WAITS: usize = 4;
/// The longest that a server may have us wait before a request it limits.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// A client with a limit for each request.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    timeout: Duration,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// Where it came from, redirects followed.
    pub(super) url: Url,
}

impl Http {
    pub(super) fn new(timeout: Duration) -> Result<Self, LoadError> {
        let builder = Client::builder().timeout(timeout).redirect(redirect::Policy::none());
        let client = builder
            .user_agent(concat!("weir-load/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| LoadError::Local(format!("no HTTP client: {error}")))?;
        Ok(Self { client, timeout })
    }

    /// Sends a request. Redirects keep method and body (RFC 9725 4.5 has 307 and 308); the token goes to no
    /// other origin.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        token: Option<&str>,
        content: Option<(&str, String)>,
    ) -> Result<Answer, LoadError> {
        let mut url = url.clone();
        let origin = url.origin();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(token) = token.filter(|_| url.origin() == origin) {
                request = request.bearer_auth(token);
            }
            if let Some((kind, body)) = &content {
                request = request.header("content-type", *kind).body(body.clone());
            }
            let response = request.send().await.map_err(|error| self.failed(&url, &error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            if status.is_redirection() {
                url = location(&headers, &url).ok_or_else(|| {
                    LoadError::Target(format!("{url} answered {status} without a Location"))
                })?;
                continue;
            }
            let body = response.text().await.map_err(|error| self.failed(&url, &error))?;
            return Ok(Answer { status, headers, body, url });
        }
        Err(LoadError::Target(format!(
            "{url} is one of more than {MOST_REDIRECTS} redirects in a row"
        )))
    }

    /// JSON to Weir's API and its `data` back. A rate limit is waited for.
    pub(super) async fn api(
        &self,
        method: Method,
        url: &Url,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, LoadError> {
        let mut waits = 0;
        loop {
            let content = body.map(|body| ("application/json", body.to_string()));
            let answer = self.send(method.clone(), url, token, content).await?;
            if answer.status == StatusCode::TOO_MANY_REQUESTS && waits < MOST_WAITS {
                waits += 1;
                let after = answer.headers.get("retry-after").and_then(|value| value.to_str().ok());
                let after = after.and_then(|value| value.trim().parse().ok()).unwrap_or(1);
                let wait =
                    Duration::from_secs(after).clamp(Duration::from_millis(100), LONGEST_WAIT);
                tokio::time::sleep(wait).await;
                continue;
            }
            if !answer.status.is_success() {
                return Err(answer.refusal());
            }
            let parsed: Value = serde_json::from_str(&answer.body).map_err(|_| {
                let what = excerpt(&answer.body);
                LoadError::Target(format!("{url} answered what is no JSON: {what:?}"))
            })?;
            return Ok(parsed.get("data").cloned().unwrap_or(Value::Null));
        }
    }

    fn failed(&self, url: &Url, error: &reqwest::Error) -> LoadError {
        let mut shown = url.clone();
        shown.set_query(None);
        LoadError::Target(if error.is_timeout() {
            format!("{shown} did not answer within {}", seconds(self.timeout))
        } else if error.is_connect() {
            format!("cannot connect to {shown}: {}", root_cause(error))
        } else {
            format!("{shown}: {}", root_cause(error))
        })
    }
}

impl Answer {
    /// As an error.
    pub(super) fn refusal(&self) -> LoadError {
        let mut url = self.url.clone();
        url.set_query(None);
        LoadError::Target(status_text(url.as_str(), self.status.as_u16(), &self.body))
    }

    /// `Location`, absolute.
    pub(super) fn location(&self) -> Option<Url> {
        location(&self.headers, &self.url)
    }
}

fn location(headers: &HeaderMap, base: &Url) -> Option<Url> {
    base.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

/// A refusal in words, with advice where there is one.
pub(super) fn status_text(url: &str, status: u16, body: &str) -> String {
    let name = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    // Weir's and others' JSON says it in one field.
    let said = serde_json::from_str::<Value>(body).ok();
    let said = said.as_ref().and_then(|json| json.get("message")?.as_str());
    let said = excerpt(said.unwrap_or(body));
    let mut text = format!("{url} answered {status} {}", name.unwrap_or_default());
    if !said.is_empty() {
        text.push_str(&format!(" ({said})"));
    }
    match status {
        401 => text.push_str(": give a valid --token"),
        403 => text.push_str(
            ": the token does not allow it, or the server is closed to new accounts (--token)",
        ),
        404 => text.push_str(": is the URL right?"),
        _ => {}
    }
    text
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
