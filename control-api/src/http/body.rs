//! JSON bodies: read as JSON whatever the `Content-Type`, at most 1 MiB.

use super::rules::Input;
use crate::{Error, Result};
use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::{Map, Value};

/// The largest JSON body in bytes.
pub const LARGEST: usize = 1 << 20;

/// A body with the fields of `T`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<'a, T: Input> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Reference(T::NAME.to_owned());
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            required: T::IS_REQUIRED,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let map = object(request, body).await?;
        let mut errors = Vec::new();
        match T::read(&map, "", &mut errors) {
            Some(value) => Ok(Self(value)),
            None => Err(Error::Invalid(errors).into()),
        }
    }
}

/// The body as an object; empty and `null` are `{}`.
async fn object(request: &Request, body: &mut RequestBody) -> Result<Map<String, Value>> {
    // A body announced as too large is refused before it is read.
    let announced = request.header(header::CONTENT_LENGTH).and_then(|n| n.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LARGEST as u64) {
        return Err(Error::TooLarge);
    }
    let body = body.take().map_err(Error::internal)?;
    let bytes = body.into_bytes_limit(LARGEST).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => Error::TooLarge,
        _ => Error::BadRequest("the body could not be read".to_owned()),
    })?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Error::BadRequest("the body must be a JSON object".to_owned())),
        Err(_) => Err(Error::BadRequest("malformed JSON".to_owned())),
    }
}
