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

/// The limits of a connection, for people who write clients.
const SIGNALING: &str = "Text frames with one JSON object each, `{type, to, data}` (contract \
    section 8). A message may have 64 KiB, a larger one closes with 1009. More than 50 messages \
    in a second close with 4429, a binary frame with 1003. The server pings every 30 s; 90 s of silence end the session. Close codes: \
    1000 normal, 1001 server stopping, 1013 messages are not taken, 4401 unauthorized, 4403 \
    forbidden, 4404 no such meeting, 4409 removed, 4410 meeting ended. The answer to `join` holds \
    a `resume_token`: shown as `resume_token` in the first `join` of a new connection within 30 s, \
    it continues the session with its ids and its media; it works once. Closing with 1000 or 1001, \
    or without a code, ends the session at once.";

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
    let mut get = operation(Method::GET, "signaling.connect", summary, params, &answers);
    get.description = Some(SIGNALING);
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
