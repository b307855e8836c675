//! The envelope of every answer: `{code, message, data, timestamp, request_id}`.

use crate::{Error, Timestamp};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ToJSON, Type};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What a handler decided; the outermost layer writes the envelope around it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    message: &'static str,
    data: Value,
}

/// A good answer with status 200.
#[derive(Debug)]
pub struct Reply<T> {
    message: &'static str,
    data: T,
}

impl<T> Reply<T> {
    /// `data` with the message `success`.
    pub fn new(data: T) -> Self {
        Self { message: "success", data }
    }

    /// `data` with the documented message.
    pub fn with(message: &'static str, data: T) -> Self {
        Self { message, data }
    }
}

impl Reply<Empty> {
    /// `{}` with the documented message.
    #[must_use]
    pub fn message(message: &'static str) -> Self {
        Self { message, data: Empty }
    }
}

impl<T: ToJSON> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let data = self.data.to_json().unwrap_or_else(|| json!({}));
        let mut response = StatusCode::OK.into_response();
        response.set_data(Outcome { message: self.message, data });
        response
    }
}

impl<T: ToJSON> ApiResponse for Reply<T> {
    fn meta() -> MetaResponses {
        meta::<T>(StatusCode::OK)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A good answer with status 201.
#[derive(Debug)]
pub struct Created<T>(Reply<T>);

impl<T> Created<T> {
    /// `data` with the documented message.
    pub fn with(message: &'static str, data: T) -> Self {
        Self(Reply::with(message, data))
    }
}

impl<T: ToJSON> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.set_status(StatusCode::CREATED);
        response
    }
}

impl<T: ToJSON> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        meta::<T>(StatusCode::CREATED)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// `data` where nothing is documented.
#[derive(Debug, Clone, Copy)]
pub struct Empty;

impl Type for Empty {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Empty".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(Some(self).into_iter())
    }
}

impl ToJSON for Empty {
    fn to_json(&self) -> Option<Value> {
        Some(Value::Object(Map::new()))
    }
}

fn meta<T: Type>(status: StatusCode) -> MetaResponses {
    let inline = |ty| MetaSchemaRef::Inline(Box::new(MetaSchema::new(ty)));
    let schema = MetaSchema {
        required: vec!["code", "message", "data", "timestamp", "request_id"],
        properties: vec![
            ("code", inline("integer")),
            ("message", inline("string")),
            ("data", T::schema_ref()),
            ("timestamp", Timestamp::schema_ref()),
            ("request_id", inline("string")),
        ],
        ..MetaSchema::new("object")
    };
    MetaResponses {
        responses: vec![MetaResponse {
            description: "Success",
            status: Some(status.as_u16()),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: "application/json; charset=utf-8",
                schema: MetaSchemaRef::Inline(Box::new(schema)),
            }],
            headers: Vec::new(),
        }],
    }
}

/// Writes the envelope around what a handler answered; other responses pass as they are.
pub(crate) fn seal(mut response: Response, now: Timestamp, request_id: &str) -> Response {
    let Some(Outcome { message, data }) = response.extensions_mut().remove::<Outcome>() else {
        return response;
    };
    let body = json!({
        "code": response.status().as_u16(),
        "message": message,
        "data": data,
        "timestamp": now.iso(),
        "request_id": request_id,
    });
    set_json(&mut response, &body);
    response
}

/// The error envelope.
pub(crate) fn refusal(error: &Error, now: Timestamp, request_id: &str) -> Response {
    let mut body = json!({
        "code": error.code(),
        "message": error.to_string(),
        "timestamp": now.iso(),
        "request_id": request_id,
    });
    if let (Error::Invalid(fields) | Error::Unhealthy(fields), Some(map)) =
        (error, body.as_object_mut())
    {
        map.insert("details".to_owned(), fields.to_json().unwrap_or_default());
    }
    let mut response = error.http_status().into_response();
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    set_json(&mut response, &body);
    response
}

/// The error envelope for statuses without an [`Error`] of their own (405, 415, 426...).
pub(crate) fn plain_refusal(
    status: StatusCode,
    message: &str,
    now: Timestamp,
    request_id: &str,
) -> Response {
    let mut response = status.into_response();
    let body = json!({
        "code": status.as_u16(),
        "message": message,
        "timestamp": now.iso(),
        "request_id": request_id,
    });
    set_json(&mut response, &body);
    response
}

fn set_json(response: &mut Response, body: &Value) {
    response.set_body(body.to_string());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
}
