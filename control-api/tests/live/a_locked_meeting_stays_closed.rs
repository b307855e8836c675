//! `lock` keeps newcomers out through every door, and nobody who is there.

use crate::harness::{CHROMIUM, Server};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn by_rest_by_websocket_and_by_whip() {
    let server =
        Server::start_with(|config| config.ws.timers.resume = Duration::from_millis(50)).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let cleo = server.user("cleo").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    anna_s.send(json!({"type": "lock", "data": {"locked": true}})).await;
    ben_s.expect("lock").await;

    let join = format!("/api/v1/meetings/{meeting}/join");
    let refused = server.post(&join, Some(&cleo.token), &json!({})).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (403, json!(403)));
    let bearer = format!("Bearer {}", cleo.token);
    let query = format!("meeting_id={meeting}");
    assert_eq!(server.open(&query, &[("authorization", &bearer)]).await.err(), Some(403));
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/sdp")];
    let whip = server.request("POST", &format!("/whip/{meeting}"), &headers, CHROMIUM).await;
    assert_eq!(whip.status, 403, "{}", whip.body);

    // Who is there may open a second connection; the host may come and go.
    assert_eq!(server.post(&join, Some(&ben.token), &json!({})).await.status, 200);
    let second = server.joined(&ben, meeting).await;
    drop((second, anna_s));
    ben_s.expect("user-left").await;
    let mut anna_s = server.connect(&anna, meeting).await;
    anna_s.send(json!({"type": "join"})).await;
    assert_eq!(anna_s.expect("join").await["data"]["locked"], true);
    anna_s.send(json!({"type": "lock", "data": {"locked": false}})).await;
    anna_s.expect("lock").await;
    assert_eq!(server.post(&join, Some(&cleo.token), &json!({})).await.status, 200);
}
