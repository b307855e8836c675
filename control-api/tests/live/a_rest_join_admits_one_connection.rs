//! Contract 8.1, way 7: off by default; once, within 120 s, from the same address.

use crate::harness::Server;
use serde_json::json;

async fn server() -> Server {
    Server::start_with(|config| {
        config.ws.admission_by_join = true;
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await
}

#[tokio::test]
async fn once_and_exactly_as_it_joined() {
    let server = server().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let other = server.meeting(&anna, json!({})).await;
    let bearer = format!("Bearer {}", anna.token);
    let from_home = ("x-forwarded-for", "192.0.2.1");
    for action in ["start", "join"] {
        let path = format!("/api/v1/meetings/{meeting}/{action}");
        let headers =
            [("Authorization", bearer.as_str()), ("Content-Type", "application/json"), from_home];
        assert_eq!(server.request("POST", &path, &headers, "{}").await.status, 200);

        // Without admission the upgrade succeeds, and `join` is refused.
        let elsewhere = ("x-forwarded-for", "192.0.2.2");
        let foreign = ("origin", "https://evil.example");
        for (query, headers) in [
            (format!("meeting_id={meeting}&user_id={}", anna.id), vec![elsewhere]),
            (format!("meeting_id={meeting}&user_id={}", anna.id), vec![from_home, foreign]),
            (format!("meeting_id={meeting}&user_id={}", ben.id), vec![from_home]),
            (format!("meeting_id={other}&user_id={}", anna.id), vec![from_home]),
            (format!("meeting_id={meeting}"), vec![from_home]),
        ] {
            let mut client = server.open(&query, &headers).await.unwrap();
            client.send(json!({"type": "join", "user_id": anna.id})).await;
            assert_eq!(client.closed().await, 4401, "{query} {headers:?}");
        }
        let query = format!("meeting_id={meeting}&user_id={}", anna.id);
        let mut client = server.open(&query, &[from_home]).await.unwrap();
        client.send(json!({"type": "join", "meeting_id": meeting, "user_id": anna.id})).await;
        assert_eq!(client.expect("join").await["data"]["user_id"], anna.id, "{action}");
        let mut second = server.open(&query, &[from_home]).await.unwrap();
        second.send(json!({"type": "join"})).await;
        assert_eq!(second.closed().await, 4401);
    }
}

#[tokio::test]
async fn not_after_120_s_not_after_leaving_and_not_after_a_logout() {
    let server = server().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let query = format!("meeting_id={meeting}&user_id={}", anna.id);
    let join = format!("/api/v1/meetings/{meeting}/join");
    let leave = format!("/api/v1/meetings/{meeting}/leave");
    let refused = async || {
        let mut client = server.open(&query, &[]).await.unwrap();
        client.send(json!({"type": "join"})).await;
        assert_eq!(client.closed().await, 4401);
    };
    server.post(&join, Some(&anna.token), &json!({})).await;
    server.app.clock.advance(121);
    refused().await;
    server.post(&join, Some(&anna.token), &json!({})).await;
    server.post(&leave, Some(&anna.token), &json!({})).await;
    refused().await;
    server.post(&join, Some(&anna.token), &json!({})).await;
    server.post("/api/v1/auth/logout", Some(&anna.token), &json!({})).await;
    refused().await;
}

#[tokio::test]
async fn never_where_it_is_off() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let join = format!("/api/v1/meetings/{meeting}/join");
    assert_eq!(server.post(&join, Some(&anna.token), &json!({})).await.status, 200);
    let query = format!("meeting_id={meeting}&user_id={}", anna.id);
    let mut client = server.open(&query, &[]).await.unwrap();
    client.send(json!({"type": "join", "meeting_id": meeting, "user_id": anna.id})).await;
    assert_eq!(client.closed().await, 4401);
}
