use crate::common::{Server, delete, get, head, post, put};
use serde_json::json;

#[tokio::test]
async fn unknown_routes_methods_and_bad_bodies_too() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    server.call(get("/api/v1/nonesuch")).await.refused(404, 404);
    server.call(get("/nonesuch")).await.refused(404, 404);
    // RFC 9110 15.5.6: which methods there are.
    for (refused, allow) in [
        (delete("/api/v1/users/profile").by(&ada), "GET, HEAD, PUT"),
        (put("/api/v1/auth/login"), "POST"),
        (post("/api/v1/meetings/7"), "DELETE, GET, HEAD, PUT"),
        (post("/api/v1/meetings/7/"), "DELETE, GET, HEAD, PUT"),
        (post("/openapi.json"), "GET, HEAD"),
        (post("/"), "GET, HEAD"),
        (post("/health"), "GET, HEAD"),
        (put("/whip/7"), "POST, OPTIONS"),
    ] {
        let answer = server.call(refused).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some(allow)));
    }
    server.call(post("/health")).await.refused(405, 405);
    let profile = || put("/api/v1/users/profile").by(&ada);
    for bad in
        [&b"{\"nickname\": "[..], b"nickname=x", b"{\"nickname\": \"\xff\xfe\"}", b"[]", b"5"]
    {
        server.call(profile().raw(bad)).await.refused(400, 400);
    }
    let huge = format!("{{\"nickname\": \"{}\"}}", "n".repeat(3 << 20));
    server.call(profile().raw(huge)).await.refused(413, 413);
    for fine in ["", "  ", "null", "{}", "{\"more\": [1]}"] {
        server.call(profile().header("content-type", "text/plain").raw(fine)).await.ok();
    }
}

#[tokio::test]
async fn request_ids_are_kept_when_sane_and_unique_when_not_given() {
    let server = Server::start().await;
    let one = server.call(get("/health")).await;
    let two = server.call(get("/health")).await;
    assert_ne!(one.json["request_id"], two.json["request_id"]);
    let kept = server.call(get("/health").header("x-request-id", "abc.1_2-3")).await;
    assert_eq!(kept.ok()["status"], "degraded");
    assert_eq!(kept.json["request_id"], "abc.1_2-3");
    let too_long = "x".repeat(65);
    for bad in ["a b", "<script>", too_long.as_str()] {
        let answer = server.call(get("/health").header("x-request-id", bad)).await;
        assert_ne!(answer.json["request_id"], bad);
        answer.ok();
    }
}

#[tokio::test]
async fn a_slash_at_the_end_changes_nothing() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let body = json!({
        "title": "T", "start_time": "2025-10-03T10:00:00Z", "end_time": "2025-10-03T11:00:00Z",
        "max_participants": 2, "meeting_type": "audio",
    });
    let made = server.call(post("/api/v1/meetings/").by(&ada).json(&body)).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.ok()["meeting_type"], "audio");
    let list = server.call(get("/api/v1/meetings/?page=1&page_size=5").by(&ada)).await.ok();
    assert_eq!((list["total"].as_i64(), list["page_size"].as_i64()), (Some(1), Some(5)));
    server.call(get("/api/v1/users/profile/").by(&ada)).await.ok();
    server.call(get("/health/")).await.ok();
}

#[tokio::test]
async fn text_is_not_escaped_and_head_is_answered() {
    let server = Server::start().await;
    let ada = server.person("测试者").await;
    let answer = server.call(get("/api/v1/users/profile").by(&ada)).await;
    assert!(String::from_utf8(answer.body).unwrap().contains("\"username\":\"测试者\""));
    assert_eq!(server.call(head("/health")).await.status, 200);
}
