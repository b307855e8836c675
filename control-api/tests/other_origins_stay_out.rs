use crate::common::{Server, get, options, post};
use serde_json::json;

#[tokio::test]
async fn only_configured_origins_may_read_and_preflight() {
    let server = Server::start_with(|c| c.cors_origins = vec!["https://app.example".into()]).await;
    let preflight = |origin: &str| {
        options("/api/v1/meetings")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let answer = server.call(preflight("https://app.example")).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    let answer = server.call(preflight("https://evil.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let answer = server.call(get("/health").header("origin", "https://app.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    for foreign in ["https://evil.example", "null"] {
        let answer = server.call(get("/health").header("origin", foreign)).await;
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_foreign_page_can_neither_log_in_nor_register() {
    let server = Server::start().await;
    server.person("ada").await;
    let body = json!({"username": "ada", "password": "pass123"});
    let login = |origin: &str| {
        post("/api/v1/auth/login")
            .header("host", "meet.example:8800")
            .header("origin", origin)
            .json(&body)
    };
    server.call(login("https://evil.example")).await.refused(403, 403);
    server.call(login("null")).await.refused(403, 403);
    server.call(login("http://meet.example:8800")).await.ok();
}
