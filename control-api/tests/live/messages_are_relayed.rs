//! Peer-to-peer messages, chat, media state, hands and reactions.

use crate::harness::Server;
use serde_json::json;
use weir_sfu_api::{Command, SourceKind};

#[tokio::test]
async fn offers_answers_and_candidates_between_people() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;

    anna_s
        .send(json!({"type": "offer", "from": 999, "to": ben.id, "data": {"type": "offer", "sdp": "x"}}))
        .await;
    let offer = ben_s.expect("offer").await;
    assert_eq!(offer["from"], anna.id, "the client's own `from` is not believed");
    assert_eq!(offer["to"], ben.id);
    assert_eq!(offer["data"]["sdp"], "x");
    assert!(offer["peer_id"].as_str().unwrap().starts_with("peer_"));
    ben_s.send(json!({"type": "answer", "target": anna.id, "sdp": "y"})).await;
    assert_eq!(anna_s.expect("answer").await["data"]["sdp"], "y");

    // Ben has used no spelling: he gets the sender's; then he gets his own.
    anna_s.send(json!({"type": "candidate", "to": ben.id, "data": {"candidate": "c"}})).await;
    ben_s.expect("candidate").await;
    ben_s.send(json!({"type": "ice-candidate", "to": anna.id, "data": {"candidate": "d"}})).await;
    assert_eq!(anna_s.expect("candidate").await["data"]["candidate"], "d");
    anna_s.send(json!({"type": "candidate", "to": ben.id, "data": {"candidate": "e"}})).await;
    ben_s.expect("ice-candidate").await;

    anna_s.send(json!({"type": "offer", "to": 424242, "sdp": "x"})).await;
    assert_eq!(anna_s.expect("error").await["data"]["code"], 404);
    assert!(server.plane.joins().is_empty());
}

#[tokio::test]
async fn chat_goes_to_all_and_is_kept_or_to_one_and_is_not() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;

    ben_s.send(json!({"type": "chat", "content": "hello"})).await;
    for client in [&mut anna_s, &mut ben_s] {
        let chat = client.expect("chat").await;
        assert_eq!(chat["from"], ben.id);
        assert_eq!(chat["data"]["content"], "hello");
        assert!(chat["data"]["message_id"].as_i64().unwrap() > 0);
    }
    ben_s.send(json!({"type": "chat", "to": anna.id, "data": {"content": "psst"}})).await;
    assert_eq!(anna_s.expect("chat").await["data"]["content"], "psst");

    let path = format!("/api/v1/meetings/{meeting}/messages");
    server.post(&path, Some(&anna.token), &json!({"content": "by REST"})).await;
    let chat = ben_s.expect("chat").await;
    assert_eq!(chat["data"]["content"], "by REST");
    let kept = server.json_request("GET", &path, Some(&anna.token), &json!({})).await.json();
    assert_eq!(kept["data"]["total"], 2);

    for content in [String::new(), "x".repeat(1001)] {
        ben_s.send(json!({"type": "chat", "content": content})).await;
        assert_eq!(ben_s.expect("error").await["data"]["code"], 400);
    }
    let off = json!({"settings": {"enable_chat": false}});
    let path = format!("/api/v1/meetings/{meeting}");
    let changed = server.json_request("PUT", &path, Some(&anna.token), &off).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    ben_s.send(json!({"type": "chat", "content": "may I?"})).await;
    assert_eq!(ben_s.expect("error").await["data"]["code"], 403);
    anna_s.send(json!({"type": "chat", "content": "the host may"})).await;
    ben_s.expect_where("chat", |chat| chat["data"]["content"] == "the host may").await;
}

#[tokio::test]
async fn media_state_reaches_the_others_and_the_shard() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    ben_s.send(json!({"type": "offer", "sdp": crate::harness::CHROMIUM})).await;
    ben_s.expect("answer").await;
    ben_s.send(json!({"type": "media-state", "data": {"audio": false}})).await;
    let news = anna_s.expect("media-state").await;
    assert_eq!(news["from"], ben.id);
    assert_eq!(news["data"], json!({"audio": false, "video": true, "screen": false}));
    let muted = || {
        server.plane.asked(|command| match command {
            Command::SetMuted { source, muted, .. } => Some((*source, *muted)),
            _ => None,
        })
    };
    assert_eq!(muted(), [(SourceKind::Microphone, true)]);
    // The camera goes off while the screen is shared: only the camera's tile shows it.
    for state in [json!({"screen": true}), json!({"video": false})] {
        ben_s.send(json!({"type": "media-state", "data": state})).await;
        anna_s.expect("media-state").await;
    }
    assert_eq!(muted()[1..], [(SourceKind::Screen, false), (SourceKind::Camera, true)]);
    ben_s.send(json!({"type": "media-state", "data": {"audio": "no"}})).await;
    assert_eq!(ben_s.expect("error").await["data"]["code"], 400);
}

#[tokio::test]
async fn hands_reactions_and_locks() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    ben_s.send(json!({"type": "raise-hand"})).await;
    assert_eq!(anna_s.expect("raise-hand").await["from"], ben.id);
    anna_s.send(json!({"type": "lower-hand", "data": {"user_id": ben.id}})).await;
    assert_eq!(ben_s.expect("lower-hand").await["data"]["user_id"], ben.id);
    ben_s.send(json!({"type": "reaction", "data": {"reaction": "\u{1F44D}"}})).await;
    assert_eq!(anna_s.expect("reaction").await["data"]["reaction"], "\u{1F44D}");
    for kind in ["ask-unmute", "lock", "admit"] {
        ben_s.send(json!({"type": kind, "to": anna.id})).await;
        assert_eq!(ben_s.expect("error").await["data"]["code"], 403, "{kind}");
    }
    anna_s.send(json!({"type": "ask-unmute", "to": ben.id})).await;
    ben_s.expect("ask-unmute").await;
    anna_s.send(json!({"type": "lock", "data": {"locked": true}})).await;
    ben_s.expect("lock").await;
    let cleo = server.user("cleo").await;
    let late = format!("meeting_id={meeting}&token={}", cleo.token);
    assert_eq!(server.open(&late, &[]).await.err(), Some(403));
}
