//! `waiting`: hosts and moderators learn who is at the door.

use crate::harness::Server;
use serde_json::json;

#[tokio::test]
async fn and_nobody_else_does() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let (cleo, dan) = (server.user("cleo").await, server.user("dan").await);
    let meeting = server.meeting(&anna, json!({"settings": {"enable_waiting_room": true}})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut waiting = Vec::new();
    for user in [&ben, &cleo, &dan] {
        let mut client = server.connect(user, meeting).await;
        client.send(json!({"type": "join"})).await;
        assert_eq!(client.expect("join").await["data"]["status"], "waiting");
        let data = anna_s.expect("waiting").await["data"].clone();
        waiting.push(client);
        assert_eq!(data["total"], waiting.len());
        let last = data["waiting"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["user_id"], &last["username"]), (&json!(user.id), &json!(user.name)));
    }
    anna_s.send(json!({"type": "admit", "data": {"user_id": ben.id}})).await;
    assert_eq!(anna_s.expect("waiting").await["data"]["total"], 2);
    let mut ben_s = waiting.remove(0);
    let answer = ben_s.expect("join").await["data"].clone();
    assert!(answer["waiting"].is_null());
    ben_s.send(json!({"type": "admit", "data": {"user_id": cleo.id}})).await;
    assert_eq!(ben_s.expect("error").await["data"]["code"], 403);
    // Who gives up is no longer at the door.
    waiting.remove(0).send(json!({"type": "leave"})).await;
    assert_eq!(anna_s.expect("waiting").await["data"]["total"], 1);
    ben_s.expect_none("waiting").await;

    // Who is made a moderator is told; so is who comes back as one.
    let path = format!("/api/v1/meetings/{meeting}/participants/{}/role", ben.id);
    server.json_request("PUT", &path, Some(&anna.token), &json!({"role": "moderator"})).await;
    assert_eq!(ben_s.expect("waiting").await["data"]["total"], 1);
    let mut again = server.connect(&ben, meeting).await;
    again.send(json!({"type": "join"})).await;
    assert_eq!(again.expect("join").await["data"]["waiting"][0]["user_id"], dan.id);
    again.send(json!({"type": "admit", "data": {"user_id": dan.id}})).await;
    assert_eq!(waiting[0].expect("join").await["data"]["status"], "joined");
}
