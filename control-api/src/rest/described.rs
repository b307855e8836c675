//! What is served beside poem-openapi but belongs into the document: the WebSocket, WHIP and WHEP.

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::OpenApi;
use poem_openapi::registry::{
    MetaApi, MetaOperation, MetaOperationParam, MetaParamIn, MetaPath, MetaResponse, MetaResponses,
    MetaSchema, MetaSchemaRef, Registry,
};
use std::collections::HashMap;

/// Descriptions without routes.
pub(super) struct Described;

fn parameter(
    name: &str,
    ty: &'static str,
    in_type: MetaParamIn,
    required: bool,
    description: &str,
) -> MetaOperationParam {
    MetaOperationParam {
        name: name.to_owned(),
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new(ty))),
        in_type,
        description: Some(description.to_owned()),
        required,
        deprecated: false,
        explode: true,
        style: None,
    }
}

fn operation(
    method: Method,
    operation_id: &'static str,
    summary: &'static str,
    params: Vec<MetaOperationParam>,
    answers: &[(u16, &'static str)],
) -> MetaOperation {
    let responses = answers.iter().map(|(status, description)| MetaResponse {
        description,
        status: Some(*status),
        status_range: None,
        content: Vec::new(),
        headers: Vec::new(),
    });
    MetaOperation {
        method,
        tags: vec!["Signaling"],
        summary: Some(summary),
        description: None,
        external_docs: None,
        params,
        request: None,
        responses: MetaResponses { responses: responses.collect() },
        deprecated: false,
        security: Vec::new(),
        operation_id: Some(operation_id),
        code_samples: Vec::new(),
    }
}

fn signaling() -> MetaPath {
    use MetaParamIn::Query;
    let params = vec![
        parameter("meeting_id", "integer", Query, true, "The meeting."),
        parameter("user_id", "integer", Query, false, "Must be the credential's user."),
        parameter("token", "string", Query, false, "An access JWT or an access token."),
        parameter("ticket", "string", Query, false, "The one-use ticket of `room_url`."),
        parameter("candidate_type", "string", Query, false, "`ice-candidate` or `candidate`."),
    ];
    let answers = [
        (101, "Switching protocols; contract section 8 says what follows."),
        (401, "A credential is present but bad."),
        (403, "`user_id` is not the credential's user."),
        (404, "No such meeting."),
        (426, "Not an upgrade."),
    ];
    let summary = "WebSocket signaling";
    let get = operation(Method::GET, "signaling.connect", summary, params, &answers);
    MetaPath { path: "/ws/signaling".to_owned(), operations: vec![get] }
}

fn over_http(
    path: &str,
    resource: bool,
    operations: &[(Method, &'static str, &'static str, u16, &'static str)],
) -> MetaPath {
    let operations = operations.iter().map(|(method, id, summary, status, answer)| {
        let path = MetaParamIn::Path;
        let mut params = vec![parameter("meeting_id", "integer", path, true, "The meeting.")];
        if resource {
            params.push(parameter("resource_id", "string", path, true, "From `Location`."));
        }
        operation(method.clone(), id, summary, params, &[(*status, *answer)])
    });
    MetaPath { path: path.to_owned(), operations: operations.collect() }
}

fn paths() -> Vec<MetaPath> {
    let made = "The answer's SDP, with `Location` and `ETag`.";
    vec![
        signaling(),
        over_http(
            "/whip/{meeting_id}",
            false,
            &[(Method::POST, "whip.publish", "Publish over plain HTTP (RFC 9725)", 201, made)],
        ),
        over_http(
            "/whip/{meeting_id}/{resource_id}",
            true,
            &[
                (Method::PATCH, "whip.patch", "Trickle or restart ICE", 200, "The new ICE part."),
                (Method::DELETE, "whip.stop", "Stop publishing", 200, "It is over."),
            ],
        ),
        over_http(
            "/whep/{meeting_id}",
            false,
            &[(Method::POST, "whep.play", "Play over plain HTTP (WHEP draft)", 201, made)],
        ),
        over_http(
            "/whep/{meeting_id}/{resource_id}",
            true,
            &[
                (Method::PATCH, "whep.patch", "Trickle or restart ICE", 200, "The new ICE part."),
                (Method::DELETE, "whep.stop", "Stop playing", 200, "It is over."),
            ],
        ),
    ]
}

impl OpenApi for Described {
    fn meta() -> Vec<MetaApi> {
        vec![MetaApi { paths: paths() }]
    }

    fn register(_registry: &mut Registry) {}

    fn add_routes(self, _table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
