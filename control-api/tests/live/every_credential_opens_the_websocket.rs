//! Contract 8.1: the ways in, and what is refused before and after the upgrade.

use crate::harness::{Client, Server};
use serde_json::json;

async fn joins(mut client: Client) -> i64 {
    client.send(json!({"type": "join"})).await;
    client.expect("join").await["data"]["user_id"].as_i64().unwrap()
}

#[tokio::test]
async fn header_query_ticket_subprotocol_and_cookie() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let plain = format!("meeting_id={meeting}");
    let bearer = format!("Bearer {}", anna.token);
    let header = server.open(&plain, &[("authorization", &bearer)]).await;
    assert_eq!(joins(header.unwrap()).await, anna.id);
    for key in ["token", "access_token"] {
        let query = format!("{plain}&user_id={}&{key}={}", anna.id, anna.token);
        assert_eq!(joins(server.open(&query, &[]).await.unwrap()).await, anna.id);
    }
    let protocols = format!("bearer, {}", anna.token);
    let client = server.open(&plain, &[("sec-websocket-protocol", &protocols)]).await.unwrap();
    assert_eq!(client.protocol.as_deref(), Some("bearer"));
    assert_eq!(joins(client).await, anna.id);

    let cookie = format!("access_token={}", anna.token);
    let origin = format!("http://{}", server.addr);
    let client = server.open(&plain, &[("cookie", &cookie), ("origin", &origin)]).await;
    assert_eq!(joins(client.unwrap()).await, anna.id);
    for headers in [
        vec![("cookie", cookie.as_str())],
        vec![("cookie", &cookie), ("origin", "null")],
        vec![("cookie", &cookie), ("origin", "https://evil.example")],
    ] {
        assert_eq!(server.open(&plain, &headers).await.err(), Some(403));
    }
}

#[tokio::test]
async fn a_ticket_works_once_and_counts_as_absent_beside_another_credential() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let path = format!("/api/v1/meetings/{meeting}/join");
    let joined = server.post(&path, Some(&anna.token), &json!({})).await.json();
    let url = joined["data"]["room_url"].as_str().unwrap().to_owned();
    let query = url.split_once('?').unwrap().1;
    assert!(query.contains("ticket="), "{url}");
    assert_eq!(joins(server.open(query, &[]).await.unwrap()).await, anna.id);
    assert_eq!(server.open(query, &[]).await.err(), Some(401));
    let protocols = format!("bearer, {}", anna.token);
    assert!(server.open(query, &[("sec-websocket-protocol", &protocols)]).await.is_ok());
}

#[tokio::test]
async fn the_first_message_may_bring_the_token() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let query = format!("meeting_id={meeting}&user_id={}", anna.id);
    for message in [
        json!({"type": "join", "token": anna.token}),
        json!({"type": "join", "data": {"token": anna.token}}),
    ] {
        let mut client = server.open(&query, &[]).await.unwrap();
        client.send(message).await;
        assert_eq!(client.expect("join").await["data"]["user_id"], anna.id);
    }
    for message in [
        json!({"type": "join"}),
        json!({"type": "join", "token": "nonsense"}),
        json!({"type": "chat", "content": "hello"}),
    ] {
        let mut client = server.open(&query, &[]).await.unwrap();
        client.send(message).await;
        assert_eq!(client.expect("error").await["data"]["code"], 401);
        assert_eq!(client.closed().await, 4401);
    }
    let wrong = format!("meeting_id={meeting}&user_id={}", anna.id + 1);
    let mut client = server.open(&wrong, &[]).await.unwrap();
    client.send(json!({"type": "join", "token": anna.token})).await;
    assert_eq!(client.closed().await, 4403);
    let mut client = server.open("meeting_id=1234567890", &[]).await.unwrap();
    client.send(json!({"type": "join", "token": anna.token})).await;
    assert_eq!(client.closed().await, 4404);
}

#[tokio::test]
async fn what_can_be_refused_by_status_is() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let bearer = format!("Bearer {}", anna.token);
    let auth = [("authorization", bearer.as_str())];
    let status = async |query: String| server.open(&query, &auth).await.err();
    assert_eq!(status(format!("meeting_id={meeting}&user_id={}", ben.id)).await, Some(403));
    assert_eq!(status("meeting_id=1234567890".to_owned()).await, Some(404));
    assert_eq!(status("user_id=1".to_owned()).await, Some(400));
    let bad = server.open(&format!("meeting_id={meeting}"), &[("authorization", "Bearer x")]).await;
    assert_eq!(bad.err(), Some(401));

    let end = format!("/api/v1/meetings/{meeting}/start");
    server.post(&end, Some(&anna.token), &json!({})).await;
    let end = format!("/api/v1/meetings/{meeting}/end");
    assert_eq!(server.post(&end, Some(&anna.token), &json!({})).await.status, 200);
    assert_eq!(status(format!("meeting_id={meeting}")).await, Some(400));

    let locked = server.meeting(&anna, json!({"password": "door"})).await;
    let bearer = format!("Bearer {}", ben.token);
    let refused = server.open(&format!("meeting_id={locked}"), &[("authorization", &bearer)]).await;
    assert_eq!(refused.err(), Some(403));

    let plain = server.request("GET", "/ws/signaling?meeting_id=1", &[], "").await;
    assert_eq!(plain.status, 426);
    assert_eq!(plain.header("upgrade"), Some("websocket"));
}
