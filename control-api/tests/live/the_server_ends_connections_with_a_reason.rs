//! Contract 8.1: time limits and close codes.

use crate::harness::Server;
use futures_util::StreamExt;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use weir_control_api::domain::bus::DomainEvent;

#[tokio::test]
async fn who_says_nothing_to_begin_with() {
    let server = Server::start_with(|config| {
        config.ws.timers.first_message = Duration::from_millis(200);
    })
    .await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let begun = Instant::now();
    let mut client = server.open(&format!("meeting_id={meeting}"), &[]).await.unwrap();
    assert_eq!(client.closed().await, 4401);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    // With a credential there is no hurry.
    let mut client = server.connect(&anna, meeting).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    client.send(json!({"type": "join"})).await;
    client.expect("join").await;
}

#[tokio::test]
async fn pings_go_out_and_silence_ends() {
    let server = Server::start_with(|config| {
        config.ws.timers.ping = Duration::from_millis(100);
        config.ws.timers.silence = Duration::from_millis(500);
    })
    .await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut lively = server.joined(&anna, meeting).await;
    let silent = server.joined(&anna, meeting).await;
    // Reading answers pings, as every browser does by itself. The other one does not read.
    let mut pings = 0;
    let reading = async {
        while let Some(Ok(message)) = lively.socket.next().await {
            pings += i32::from(matches!(message, Message::Ping(_)));
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(1500), reading).await;
    assert!(pings >= 5, "{pings}");
    server.until("the silent one is gone", || server.app.live.count() == 1).await;
    drop(silent);
    lively.send(json!({"type": "join"})).await;
    lively.expect("join").await;
}

#[tokio::test]
async fn bans_removals_ends_and_shutdown() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;

    let mut banned = server.joined(&ben, meeting).await;
    server.app.announce(DomainEvent::UserBanned { user_id: ben.id });
    assert_eq!(banned.closed().await, 4403);

    let mut removed = server.joined(&ben, meeting).await;
    let path = format!("/api/v1/meetings/{meeting}/participants/{}", ben.id);
    let done = server.json_request("DELETE", &path, Some(&anna.token), &json!({})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(removed.closed().await, 4409);

    let mut ended = server.joined(&ben, meeting).await;
    for action in ["start", "end"] {
        let path = format!("/api/v1/meetings/{meeting}/{action}");
        assert_eq!(server.post(&path, Some(&anna.token), &json!({})).await.status, 200);
    }
    assert_eq!(ended.closed().await, 4410);

    let next = server.meeting(&anna, json!({})).await;
    let mut last = server.joined(&ben, next).await;
    let (code, ()) = tokio::join!(last.closed(), server.app.shutdown(Duration::from_secs(2)));
    assert_eq!(code, 1001);
}
