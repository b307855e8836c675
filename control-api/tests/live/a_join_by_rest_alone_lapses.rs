//! Who joins by REST and does nothing more leaves after a while; who has a connection or media
//! stays.

use crate::harness::{CHROMIUM, Server, User};
use serde_json::json;
use std::time::Duration;
use weir_control_api::DomainEvent;

/// In place of a minute.
const ABSENCE: Duration = Duration::from_millis(600);

async fn joins(server: &Server, user: &User, meeting: i64) -> u16 {
    let path = format!("/api/v1/meetings/{meeting}/join");
    server.post(&path, Some(&user.token), &json!({})).await.status
}

async fn status(server: &Server, host: &User, user: &User, meeting: i64) -> String {
    let path = format!("/api/v1/meetings/{meeting}/participants");
    let bearer = format!("Bearer {}", host.token);
    let list = server.request("GET", &path, &[("Authorization", &bearer)], "").await.json();
    let people = list["data"]["participants"].as_array().unwrap();
    let found = people.iter().find(|one| one["user_id"] == user.id).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

async fn until_offline(server: &Server, host: &User, user: &User, meeting: i64) {
    for _ in 0..1000 {
        if status(server, host, user, meeting).await == "offline" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} did not leave", user.name);
}

#[tokio::test]
async fn and_the_place_is_free_again() {
    let server = Server::start_with(|config| config.absence = ABSENCE).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let (cleo, dora) = (server.user("cleo").await, server.user("dora").await);
    let meeting = server.meeting(&anna, json!({"max_participants": 3})).await;
    // One by WebSocket, one by WHIP, one by REST alone.
    let mut client = server.joined(&anna, meeting).await;
    let bearer = format!("Bearer {}", ben.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/sdp")];
    let whip = server.request("POST", &format!("/whip/{meeting}"), &headers, CHROMIUM).await;
    assert_eq!(whip.status, 201, "{}", whip.body);
    let mut events = server.app.subscribe();
    assert_eq!(joins(&server, &cleo, meeting).await, 200);

    until_offline(&server, &anna, &cleo, meeting).await;
    let left = async {
        loop {
            if let DomainEvent::ParticipantLeft { meeting_id, user_id } =
                events.recv().await.unwrap()
            {
                return (meeting_id, user_id);
            }
        }
    };
    let left = tokio::time::timeout(Duration::from_secs(20), left).await;
    assert_eq!(left.unwrap(), (meeting, cleo.id));
    assert_eq!(joins(&server, &dora, meeting).await, 200);
    // The others have been there for as long.
    assert_eq!(status(&server, &anna, &anna, meeting).await, "online");
    assert_eq!(status(&server, &anna, &ben, meeting).await, "online");
    client.send(json!({"type": "chat", "content": "still here"})).await;
    client.expect("chat").await;
}

#[tokio::test]
async fn but_not_for_those_who_connect_after_it() {
    let server = Server::start_with(|config| config.absence = ABSENCE).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let cleo = server.user("cleo").await;
    let meeting = server.meeting(&anna, json!({})).await;
    assert_eq!(joins(&server, &ben, meeting).await, 200);
    let mut client = server.joined(&ben, meeting).await;
    // Another's end shows that the time is over.
    assert_eq!(joins(&server, &cleo, meeting).await, 200);
    until_offline(&server, &anna, &cleo, meeting).await;
    assert_eq!(status(&server, &anna, &ben, meeting).await, "online");
    client.send(json!({"type": "chat", "content": "still here"})).await;
    client.expect("chat").await;
}
