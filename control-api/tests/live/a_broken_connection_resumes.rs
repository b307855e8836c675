//! Contract 8.1: who comes back within 30 s goes on with the session; nobody else notices.

use crate::harness::{CHROMIUM, Client, Server, User};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use weir_control_api::domain::bus::DomainEvent;
use weir_control_api::domain::live::SessionStatus;
use weir_sfu_api::Command;

async fn server(resume_ms: u64) -> Server {
    Server::start_with(|config| config.ws.timers.resume = Duration::from_millis(resume_ms)).await
}

/// Joins and tells the answer.
async fn join(server: &Server, user: &User, meeting: i64, token: Option<&str>) -> (Client, Value) {
    let mut client = server.connect(user, meeting).await;
    client.send(json!({"type": "join", "data": {"resume_token": token}})).await;
    let answer = client.expect("join").await["data"].clone();
    assert_eq!(answer["status"], "joined");
    (client, answer)
}

fn token(answer: &Value) -> String {
    answer["resume_token"].as_str().unwrap().to_owned()
}

async fn until_away(server: &Server, answer: &Value) {
    let id = answer["session_id"].as_str().unwrap();
    let is_away =
        || server.app.live.get(id).is_some_and(|view| view.status == SessionStatus::Disconnected);
    server.until("the session is away", is_away).await;
}

fn leaves(server: &Server) -> usize {
    server.plane.asked(|command| matches!(command, Command::Leave { .. }).then_some(())).len()
}

#[tokio::test]
async fn with_its_ids_its_media_and_what_was_said_meanwhile() {
    let server = server(10_000).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let (mut ben_s, first) = join(&server, &ben, meeting, None).await;
    anna_s.expect("user-joined").await;
    assert!(first["resumed"].is_null());
    ben_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    ben_s.expect("answer").await;
    let peers = server.plane.peers();

    drop(ben_s);
    until_away(&server, &first).await;
    anna_s.send(json!({"type": "chat", "content": "are you there?"})).await;
    let (mut ben_s, second) = join(&server, &ben, meeting, Some(&token(&first))).await;
    assert_eq!(second["resumed"], true);
    for key in ["session_id", "peer_id", "room_id", "user_id"] {
        assert_eq!(second[key], first[key], "{key}");
    }
    assert_ne!(token(&second), token(&first));
    assert_eq!(ben_s.expect("chat").await["data"]["content"], "are you there?");
    assert_eq!(server.app.live.count(), 2);

    // The same peer is negotiated with.
    ben_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    ben_s.expect("answer").await;
    assert_eq!(server.plane.peers(), peers);
    assert_eq!((server.plane.joins().len(), leaves(&server)), (1, 0));
    for kind in ["user-left", "user-joined"] {
        anna_s.expect_none(kind).await;
    }
    ben_s.send(json!({"type": "leave"})).await;
    assert_eq!(anna_s.expect("user-left").await["data"]["reason"], "left");
    server.until("the peer is freed", || server.plane.peers().is_empty()).await;
}

#[tokio::test]
async fn also_while_the_server_believes_in_the_old_connection() {
    let server = server(10_000).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let (mut old, first) = join(&server, &ben, meeting, None).await;
    anna_s.expect("user-joined").await;
    let (mut new, second) = join(&server, &ben, meeting, Some(&token(&first))).await;
    assert_eq!(second["session_id"], first["session_id"]);
    assert_eq!(old.closed().await, 1000);
    new.send(json!({"type": "chat", "content": "from the train"})).await;
    anna_s.expect("chat").await;
    anna_s.expect_none("user-left").await;
}

#[tokio::test]
async fn without_any_other_credential() {
    let server = server(10_000).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let other = server.meeting(&anna, json!({})).await;
    let mut session = None;
    let mut token_now = None;
    for _ in 0..2 {
        let mut client = match &token_now {
            None => server.connect(&ben, meeting).await,
            Some(_) => server.open(&format!("meeting_id={meeting}"), &[]).await.unwrap(),
        };
        client.send(json!({"type": "join", "resume_token": token_now})).await;
        let answer = client.expect("join").await["data"].clone();
        assert_eq!(*session.get_or_insert(answer["session_id"].clone()), answer["session_id"]);
        token_now = Some(token(&answer));
    }
    // Nobody else, nowhere else.
    for query in
        [format!("meeting_id={other}"), format!("meeting_id={meeting}&user_id={}", anna.id)]
    {
        let mut client = server.open(&query, &[]).await.unwrap();
        client.send(json!({"type": "join", "resume_token": token_now})).await;
        assert_eq!(client.closed().await, 4401);
    }
    let (_client, answer) = join(&server, &anna, meeting, token_now.as_deref()).await;
    assert_ne!(Some(&answer["session_id"]), session.as_ref());
    assert_eq!(answer["user_id"], anna.id);
}

#[tokio::test]
async fn a_token_works_once_and_only_the_newest() {
    let server = server(10_000).await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let (mut client, first) = join(&server, &anna, meeting, None).await;
    client.send(json!({"type": "join"})).await;
    let again = client.expect("join").await["data"].clone();
    assert_eq!(again["session_id"], first["session_id"]);
    let (_replaced, answer) = join(&server, &anna, meeting, Some(&token(&first))).await;
    assert_ne!(answer["session_id"], first["session_id"]);
    let (_resumed, answer) = join(&server, &anna, meeting, Some(&token(&again))).await;
    assert_eq!(answer["session_id"], first["session_id"]);
    let (_used, answer) = join(&server, &anna, meeting, Some(&token(&again))).await;
    assert_ne!(answer["session_id"], first["session_id"]);
    assert!(answer["resumed"].is_null());
}

#[tokio::test]
async fn who_does_not_come_back_is_disconnected_and_freed() {
    let server = server(300).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let (mut ben_s, first) = join(&server, &ben, meeting, None).await;
    anna_s.expect("user-joined").await;
    ben_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    ben_s.expect("answer").await;
    drop(ben_s);
    until_away(&server, &first).await;
    assert_eq!(server.plane.peers().len(), 1);
    assert_eq!(anna_s.expect("user-left").await["data"]["reason"], "disconnected");
    server.until("the peer is freed", || server.plane.peers().is_empty()).await;
    let (_late, answer) = join(&server, &ben, meeting, Some(&token(&first))).await;
    assert_ne!(answer["session_id"], first["session_id"]);
    anna_s.expect("user-joined").await;
}

#[tokio::test]
async fn goodbyes_and_removals_free_at_once() {
    let server = server(60_000).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    for code in [Some(1000_u16), Some(1001), None] {
        let (mut ben_s, first) = join(&server, &ben, meeting, None).await;
        let frame = code.map(|code| CloseFrame { code: code.into(), reason: "".into() });
        ben_s.send_raw(Message::Close(frame)).await;
        assert_eq!(anna_s.expect("user-left").await["data"]["reason"], "left", "{code:?}");
        let (_new, answer) = join(&server, &ben, meeting, Some(&token(&first))).await;
        assert_ne!(answer["session_id"], first["session_id"]);
        server.app.announce(DomainEvent::ParticipantLeft { meeting_id: meeting, user_id: ben.id });
        anna_s.expect("user-left").await;
    }
    // An application's own close code is no goodbye, but being removed while away is.
    let (mut ben_s, first) = join(&server, &ben, meeting, None).await;
    let frame = CloseFrame { code: 4000.into(), reason: "".into() };
    ben_s.send_raw(Message::Close(Some(frame))).await;
    until_away(&server, &first).await;
    anna_s.expect_none("user-left").await;
    let path = format!("/api/v1/meetings/{meeting}/participants/{}", ben.id);
    let done = server.json_request("DELETE", &path, Some(&anna.token), &json!({})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(anna_s.expect("user-left").await["data"]["reason"], "removed");
}
