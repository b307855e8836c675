//! Who waits gets `join` with `waiting`, no media and no messages, until admitted.

use crate::harness::Server;
use serde_json::json;

#[tokio::test]
async fn until_somebody_lets_them_in() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({"settings": {"enable_waiting_room": true}})).await;
    let mut host = server.joined(&anna, meeting).await;
    for (name, by_rest) in [("ben", false), ("cleo", true)] {
        let guest = server.user(name).await;
        let mut client = server.connect(&guest, meeting).await;
        client.send(json!({"type": "join"})).await;
        let answer = client.expect("join").await;
        assert_eq!(answer["data"]["status"], "waiting");
        assert!(answer["data"]["participants"].is_null(), "{answer}");
        for message in [
            json!({"type": "offer", "sdp": crate::harness::CHROMIUM}),
            json!({"type": "chat", "content": "let me in"}),
        ] {
            client.send(message).await;
            assert_eq!(client.expect("error").await["data"]["code"], 403);
        }
        host.send(json!({"type": "chat", "content": "secret"})).await;
        client.expect_none("chat").await;
        host.expect_none("user-joined").await;
        assert!(server.plane.joins().is_empty());

        if by_rest {
            let path = format!("/api/v1/meetings/{meeting}/participants/{}/role", guest.id);
            let role = json!({"role": "participant"});
            let done = server.json_request("PUT", &path, Some(&anna.token), &role).await;
            assert_eq!(done.status, 200, "{}", done.body);
        } else {
            host.send(json!({"type": "admit", "data": {"user_id": guest.id}})).await;
        }
        let answer = client.expect("join").await;
        assert_eq!(answer["data"]["status"], "joined");
        assert_eq!(host.expect("user-joined").await["data"]["user_id"], guest.id);
    }
}
