use crate::common::{Server, get, post, put};
use serde_json::{Value, json};

/// `base` with one field changed.
fn with(base: &Value, field: &str, value: Value) -> Value {
    let mut body = base.clone();
    body[field] = value;
    body
}

#[tokio::test]
async fn register_names_every_bad_field() {
    let server = Server::start().await;
    let good = json!({"username": "adal", "email": "ada@example.com", "password": "pass123"});
    let bad = [
        ("username", json!("ab")),
        ("username", json!("x".repeat(51))),
        ("username", json!("a\u{0}bc")),
        ("username", json!(5)),
        ("username", Value::Null),
        ("email", json!("nonsense")),
        ("password", json!("12345")),
        ("password", json!("x".repeat(101))),
        ("nickname", json!("x".repeat(51))),
    ];
    for (field, value) in bad {
        let body = with(&good, field, value);
        let answer = server.call(post("/api/v1/auth/register").json(&body)).await;
        answer.refused(400, 400);
        assert_eq!(answer.fields(), [field], "{body}");
    }
    let answer = server.call(post("/api/v1/auth/register")).await;
    answer.refused(400, 400);
    assert_eq!(answer.fields(), ["username", "email", "password"]);
    server.call(post("/api/v1/auth/register").json(&good)).await.ok();
}

#[tokio::test]
async fn meetings_keep_their_rules() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let good = json!({
        "title": "T", "start_time": "2025-10-03T10:00:00Z", "end_time": "2025-10-03T11:00:00Z",
        "max_participants": 10, "meeting_type": "video",
    });
    let bad = [
        ("title", json!("")),
        ("title", json!("   ")),
        ("title", json!("x".repeat(101))),
        ("description", json!("x".repeat(501))),
        ("start_time", json!("nonsense")),
        ("end_time", json!("2025-10-03T10:00:00Z")),
        ("end_time", json!("2025-10-03T09:00:00Z")),
        ("max_participants", json!(0)),
        ("max_participants", json!(1001)),
        ("max_participants", json!("10")),
        ("max_participants", json!(1.5)),
        ("meeting_type", json!("hologram")),
        ("password", json!("x".repeat(51))),
        ("settings", json!(5)),
    ];
    for (field, value) in bad {
        let body = with(&good, field, value);
        let answer = server.call(post("/api/v1/meetings").by(&ada).json(&body)).await;
        answer.refused(400, 400);
        assert_eq!(answer.fields(), [field], "{body}");
    }
    let body = with(&good, "settings", json!({"enable_chat": "x"}));
    let answer = server.call(post("/api/v1/meetings").by(&ada).json(&body)).await;
    assert_eq!(answer.fields(), ["settings.enable_chat"]);
    let body = with(&good, "title", json!("测".repeat(100)));
    server.call(post("/api/v1/meetings").by(&ada).json(&body)).await.ok();
}

#[tokio::test]
async fn pages_keep_their_rules() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let bad =
        ["page=0", "page=x", "page=-1", "page_size=0", "page_size=101", "page_size=x", "status=x"];
    for query in bad {
        let path = format!("/api/v1/meetings?{query}");
        let answer = server.call(get(&path).by(&ada)).await;
        answer.refused(400, 400);
        assert_eq!(answer.fields(), [query.split('=').next().unwrap()]);
    }
    let data = server.call(get("/api/v1/meetings?page=99").by(&ada)).await.ok();
    assert_eq!(data["meetings"], json!([]));
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let server = Server::start().await;
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let id = server.meeting(&ada, json!({})).await;
    let (real, none) =
        (format!("/api/v1/meetings/{id}"), "/api/v1/meetings/9007199254740881".to_owned());
    let bad = json!({"title": ""});
    // 401 before 400, 400 before 404, 404 before 403, 403 before what is wrong with the meeting.
    server.call(put(&none).json(&bad)).await.refused(401, 401);
    server.call(put(&none).by(&bob).json(&bad)).await.refused(400, 400);
    server.call(put(&none).by(&bob).json(&json!({}))).await.refused(404, 2001);
    let late = json!({"start_time": "2030-01-01T00:00:00Z"});
    server.call(put(&real).by(&bob).json(&late)).await.refused(403, 403);
    server.call(put(&real).by(&ada).json(&late)).await.refused(400, 400);
    server.call(get("/api/v1/meetings/abc").by(&ada)).await.refused(404, 2001);
    server.call(get("/api/v1/meetings/+5").by(&ada)).await.refused(404, 2001);
}
