//! `join`, `leave`, `user-joined`, `user-left`, `participants-changed`.

use crate::harness::Server;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_report_s_flow_works() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut first = server.joined(&anna, meeting).await;

    let mut second = server.connect(&ben, meeting).await;
    // The flat form of the report's example.
    second.send(json!({"type": "join", "meeting_id": meeting, "user_id": ben.id})).await;
    let answer = second.expect("join").await;
    assert_eq!(answer["from"], 0);
    assert_eq!(answer["meeting_id"], meeting);
    let data = &answer["data"];
    assert_eq!(data["status"], "joined");
    assert_eq!(data["room_id"], format!("room_{meeting}"));
    assert!(data["session_id"].as_str().unwrap().starts_with("sess_"));
    assert!(data["peer_id"].as_str().unwrap().starts_with("peer_"));
    assert_eq!(data["participants"].as_array().unwrap().len(), 2);
    assert_eq!(data["ice_servers"][0]["urls"], "turn:turn.example:3478");

    let news = first.expect("user-joined").await;
    assert_eq!(news["data"]["user_id"], ben.id);
    assert_eq!(news["data"]["username"], "ben");
    assert_eq!(news["data"]["role"], "participant");

    // Again: answered, not announced.
    second.send(json!({"type": "join"})).await;
    second.expect("join").await;
    first.expect_none("user-joined").await;

    second.send(json!({"type": "leave", "data": {}})).await;
    assert_eq!(second.closed().await, 1000);
    let news = first.expect("user-left").await;
    assert_eq!(news["data"]["user_id"], ben.id);
    assert_eq!(news["data"]["reason"], "left");
    let list = format!("/api/v1/meetings/{meeting}/participants");
    let list = server.json_request("GET", &list, Some(&anna.token), &json!({})).await;
    assert!(list.body.contains("\"offline\""), "{}", list.body);
}

#[tokio::test]
async fn a_user_leaves_with_the_last_of_several_connections() {
    let server =
        Server::start_with(|config| config.ws.timers.resume = Duration::from_millis(50)).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let one = server.joined(&ben, meeting).await;
    anna_s.expect("user-joined").await;
    let two = server.joined(&ben, meeting).await;
    drop(one);
    server.until("one session is gone", || server.app.live.count() == 2).await;
    anna_s.expect_none("user-left").await;
    drop(two);
    let news = anna_s.expect("user-left").await;
    assert_eq!(news["data"]["reason"], "disconnected");
}

#[tokio::test]
async fn a_batch_gathers_changes() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut watcher = server.connect(&anna, meeting).await;
    watcher.send(json!({"type": "join", "data": {"batch": true}})).await;
    watcher.expect("join").await;
    let mut clients = Vec::new();
    for name in ["ben", "cleo", "dan"] {
        let user = server.user(name).await;
        clients.push(server.joined(&user, meeting).await);
    }
    let mut joined = 0;
    while joined < 3 {
        let change = watcher.expect("participants-changed").await;
        joined += change["data"]["joined"].as_array().unwrap().len();
        assert!(change["data"]["total"].as_i64().unwrap() >= 2);
    }
    watcher.expect_none("user-joined").await;
}

#[tokio::test]
async fn rest_shows_sessions() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut client = server.joined(&anna, meeting).await;
    client.send(json!({"type": "media-state", "audio": false})).await;
    client.expect_none("error-of-any-kind").await;
    let path = format!("/api/v1/sessions/room/{meeting}");
    let answer = server.json_request("GET", &path, Some(&anna.token), &json!({})).await;
    let data = answer.json()["data"].clone();
    assert_eq!(data["total"], 1);
    assert_eq!(data["sessions"][0]["status"], "connected");
    assert_eq!(data["sessions"][0]["media_state"]["audio"], false);
}
