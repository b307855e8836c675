//! The outermost layer: request id, paths, preflights, panics, envelope, headers, counting.

use super::allow::Methods;
use super::context::Context;
use super::origin;
use crate::metrics::HttpLabels;
use crate::{App, Error, FieldError, envelope, rest};
use futures_util::FutureExt;
use poem::http::uri::PathAndQuery;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use poem::{Endpoint, Request, Response, Route};
use poem_openapi::OperationId;
use poem_openapi::error::{ParseParamError, ParsePathError};
use std::panic::AssertUnwindSafe;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps all routes.
pub(crate) struct Pipeline {
    app: App,
    routes: Route,
    methods: Methods,
}

impl Pipeline {
    pub(crate) fn new(app: App, routes: Route) -> Self {
        let methods = Methods::new(&rest::openapi_document(&app));
        Self { app, routes, methods }
    }

    async fn answer(&self, request: Request, context: &Context) -> Response {
        if let Some(response) = origin::preflight(&self.app, context, &request) {
            return response;
        }
        let called = AssertUnwindSafe(self.routes.call(request)).catch_unwind().await;
        let now = self.app.clock.now();
        let id = context.request_id();
        match called {
            Ok(Ok(response)) => envelope::seal(response, now, id),
            Ok(Err(error)) => {
                let operation = error.data::<OperationId>().copied();
                let mut response = refuse(&self.app, error, id);
                if let Some(operation) = operation {
                    response.set_data(operation);
                }
                response
            }
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                tracing::error!(request_id = id, panic = text.unwrap_or("?"), "handler panicked");
                envelope::refusal(&Error::internal("panic"), now, id)
            }
        }
    }
}

impl Endpoint for Pipeline {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        strip_trailing_slash(&mut request);
        let context = Context::of(&self.app, &request);
        request.set_data(self.app.clone());
        request.set_data(context.clone());
        let method = request.method().clone();
        let origin = origin::of(&request).map(str::to_owned);
        let uri = request.uri().clone();

        let mut response = self.answer(request, &context).await;

        self.allow(uri.path(), &mut response);
        origin::open(&self.app, &context, origin.as_deref(), &mut response);
        for (name, value) in context.take_headers() {
            response.headers_mut().append(name, value);
        }
        let defaults = [
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        for (name, value) in defaults {
            response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
        }
        if let Ok(id) = HeaderValue::from_str(context.request_id()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        self.count(&method, &response, &context);
        Ok(response)
    }
}

impl Pipeline {
    /// RFC 9110 15.5.6: a 405 names the methods that there are.
    fn allow(&self, path: &str, response: &mut Response) {
        let refused = response.status() == StatusCode::METHOD_NOT_ALLOWED;
        if let Some(methods) = self.methods.of(path).filter(|_| refused)
            && let Ok(methods) = HeaderValue::from_str(methods)
        {
            response.headers_mut().entry(header::ALLOW).or_insert(methods);
        }
    }

    fn count(&self, method: &Method, response: &Response, context: &Context) {
        let route = response.data::<OperationId>().map_or("other", |operation| operation.0);
        let status = response.status().as_u16();
        let method = match method.as_str() {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            "OPTIONS" => "OPTIONS",
            _ => "other",
        };
        let labels = HttpLabels { method: method.into(), route: route.into(), status };
        self.app.metrics.http_requests.get_or_create(&labels).inc();
        tracing::debug!(request_id = context.request_id(), method, route, status, "answered");
    }
}

/// `/x/` is `/x`, without a redirect, so that bodies survive.
fn strip_trailing_slash(request: &mut Request) {
    let path = request.uri().path();
    if path.len() < 2 || !path.ends_with('/') {
        return;
    }
    let trimmed = match path.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed,
    };
    let target = match request.uri().query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    if let Ok(target) = target.parse::<PathAndQuery>() {
        parts.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

/// The envelope for any error, ours or the framework's.
fn refuse(app: &App, error: poem::Error, id: &str) -> Response {
    let now = app.clock.now();
    if let Some(ours) = error.downcast_ref::<Error>() {
        if let Error::Internal(cause) = ours {
            tracing::error!(request_id = id, error = %cause, "internal error");
        }
        return envelope::refusal(ours, now, id);
    }
    if error.is_from_response() {
        return error.into_response();
    }
    let field = |field: &str, message: &str| {
        let message = message.to_owned();
        Error::Invalid(vec![FieldError { field: field.to_owned(), message }])
    };
    if let Some(param) = error.downcast_ref::<ParseParamError>() {
        return envelope::refusal(&field(param.name, &param.reason), now, id);
    }
    if error.downcast_ref::<ParsePathError>().is_some() {
        return envelope::refusal(&Error::NotFound("not found"), now, id);
    }
    let status = error.status();
    if status.is_server_error() {
        tracing::error!(request_id = id, %error, "framework error");
        return envelope::refusal(&Error::internal("framework"), now, id);
    }
    let message = match status {
        StatusCode::NOT_FOUND => "not found",
        StatusCode::METHOD_NOT_ALLOWED => "method not allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "request body too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported media type",
        StatusCode::UPGRADE_REQUIRED => "upgrade required",
        _ => status.canonical_reason().unwrap_or("bad request"),
    };
    envelope::plain_refusal(status, message, now, id)
}

#[cfg(test)]
mod tests;
