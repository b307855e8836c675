//! The web page, embedded in the binary (`build.rs` says from where), and the API's own pages.

use crate::Error;
use poem::http::{HeaderValue, header};
use poem::{Endpoint, IntoResponse, Request, Response, get};
use rust_embed::RustEmbed;

/// Nothing but our own files; camera and microphone for ourselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' blob: mediastream:; font-src 'self'; \
     connect-src 'self' ws: wss:; worker-src 'self' blob:; manifest-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Swagger UI is one page with everything inline.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; \
     style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     frame-ancestors 'none'";
const PERMISSIONS: &str =
    "camera=(self), microphone=(self), display-capture=(self), geolocation=()";

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/page"]
struct Page;

fn file(path: &str) -> Option<Response> {
    let file = Page::get(path)?;
    let mut response =
        Response::builder().content_type(file.metadata.mimetype()).body(file.data.into_owned());
    // Names of assets hold a hash of their content.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    secure(&mut response, POLICY);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    Some(response)
}

fn secure(response: &mut Response, policy: &'static str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
}

/// The page; its script reads the path.
pub(crate) fn index() -> impl Endpoint<Output = Response> {
    get(poem::endpoint::make_sync(|_| {
        file("index.html").ok_or_else(|| Error::NotFound("not found").into()) as poem::Result<_>
    }))
}

/// A file of the page below `/assets/`.
pub(crate) fn asset() -> impl Endpoint<Output = Response> {
    get(poem::endpoint::make_sync(|request: Request| {
        let path = request.uri().path().trim_start_matches('/');
        file(path).ok_or_else(|| Error::NotFound("not found").into()) as poem::Result<_>
    }))
}

/// The OpenAPI document.
pub(crate) fn json_file(text: String) -> impl Endpoint<Output = Response> {
    get(poem::endpoint::make_sync(move |_| {
        text.clone().with_content_type("application/json").into_response()
    }))
}

/// The browsable document.
pub(crate) fn docs(html: String) -> impl Endpoint<Output = Response> {
    get(poem::endpoint::make_sync(move |_| {
        let html = html.clone().with_content_type("text/html; charset=utf-8");
        let mut response = html.into_response();
        secure(&mut response, DOCS_POLICY);
        response
    }))
}
