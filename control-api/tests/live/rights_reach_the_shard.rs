//! Rules of the meeting and the end of a right, as commands to the shard.

use crate::harness::{CHROMIUM, Server};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use weir_sfu_api::{Command, Rights};

fn offer() -> Value {
    json!({"type": "offer", "sdp": CHROMIUM})
}

/// Rights of the newest peer, as joined and as changed since.
fn rights(server: &Server) -> Vec<Rights> {
    server.plane.asked(|command| match command {
        Command::Join { rights, .. } | Command::SetRights { rights, .. } => Some(*rights),
        _ => None,
    })
}

#[tokio::test]
async fn an_audio_meeting_has_no_video() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({"meeting_type": "audio"})).await;
    let mut client = server.joined(&anna, meeting).await;
    client.send(offer()).await;
    client.expect("answer").await;
    let expected = Rights { publish_video: false, publish_screen: false, ..Rights::ALL };
    assert_eq!(rights(&server), [expected]);
}

#[tokio::test]
async fn mute_on_join_and_screen_share_are_more_than_flags() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let settings = json!({"mute_on_join": true, "enable_screen_share": false});
    let meeting = server.meeting(&anna, json!({"settings": settings})).await;
    let mut client = server.connect(&ben, meeting).await;
    client.send(json!({"type": "join"})).await;
    assert_eq!(client.expect("join").await["data"]["media_state"]["audio"], false);
    client.send(offer()).await;
    client.expect("answer").await;
    let silent = Rights { publish_audio: false, publish_screen: false, ..Rights::ALL };
    assert_eq!(rights(&server), [silent]);
    client.send(json!({"type": "media-state", "screen": true})).await;
    assert_eq!(client.expect("error").await["data"]["code"], 403);
    client.send(json!({"type": "media-state", "audio": true})).await;
    let heard = Rights { publish_screen: false, ..Rights::ALL };
    server.until("the microphone is on", || rights(&server) == [silent, heard]).await;

    let path = format!("/api/v1/meetings/{meeting}");
    let on = json!({"settings": {"enable_screen_share": true}});
    server.json_request("PUT", &path, Some(&anna.token), &on).await;
    server.until("screens are allowed", || rights(&server).last() == Some(&Rights::ALL)).await;
}

#[tokio::test]
async fn who_is_removed_banned_or_out_of_time_is_gone_within_a_second() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut host = server.joined(&anna, meeting).await;
    let mut client = server.joined(&ben, meeting).await;
    client.send(offer()).await;
    client.expect("answer").await;
    let begun = Instant::now();
    let path = format!("/api/v1/meetings/{meeting}/participants/{}", ben.id);
    let done = server.json_request("DELETE", &path, Some(&anna.token), &json!({})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(client.closed().await, 4409);
    server.until("the peer has left", || server.plane.peers().is_empty()).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(host.expect("user-left").await["data"]["reason"], "removed");

    let mut client = server.joined(&ben, meeting).await;
    client.send(offer()).await;
    client.expect("answer").await;
    server.post("/api/v1/auth/logout", Some(&ben.token), &json!({})).await;
    assert_eq!(client.closed().await, 4401);
    server.until("the peer has left", || server.plane.peers().is_empty()).await;
}

#[tokio::test]
async fn the_end_of_a_meeting_closes_its_room() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    server.post(&format!("/api/v1/meetings/{meeting}/start"), Some(&anna.token), &json!({})).await;
    let mut client = server.joined(&anna, meeting).await;
    client.send(offer()).await;
    client.expect("answer").await;
    server.post(&format!("/api/v1/meetings/{meeting}/end"), Some(&anna.token), &json!({})).await;
    assert_eq!(client.closed().await, 4410);
    let closed = || server.plane.asked(|c| matches!(c, Command::CloseRoom { .. }).then_some(()));
    server.until("the room is closed", || closed().len() == 1).await;
}

#[tokio::test]
async fn a_stopping_server_says_goodbye() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut clients = [server.joined(&anna, meeting).await, server.joined(&ben, meeting).await];
    let app = server.app.clone();
    let down = tokio::spawn(async move { app.shutdown(Duration::from_secs(3)).await });
    for client in &mut clients {
        assert_eq!(client.closed().await, 1001);
    }
    down.await.unwrap();
    let bearer = format!("Bearer {}", anna.token);
    let late = server.open(&format!("meeting_id={meeting}"), &[("authorization", &bearer)]).await;
    assert_eq!(late.err(), Some(503));
}
