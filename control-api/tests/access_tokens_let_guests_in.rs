use crate::common::{Server, delete, get, post};
use serde_json::json;
use weir_control_api::domain::identity::{self, Authenticated, Identity};
use weir_control_api::domain::{access, joining};
use weir_control_api::{DomainEvent, Error};

async fn guest(server: &Server, token: &str, id: i64) -> Result<Identity, Error> {
    match identity::from_token(&server.app, token, id).await? {
        Authenticated::Guest(token) => identity::admit_guest(&server.app, &token).await,
        Authenticated::Person(who) => panic!("{who:?}"),
    }
}

#[tokio::test]
async fn a_token_makes_guests_of_its_meeting_until_it_is_used_up() {
    let server = Server::start().await;
    let (host, eve) = (server.person("host").await, server.person("eve").await);
    let settings = json!({"password": "letmein", "settings": {"enable_waiting_room": true}});
    let id = server.meeting(&host, settings).await;
    let other = server.meeting(&host, json!({})).await;
    let path = format!("/api/v1/meetings/{id}/access-tokens");
    let body = json!({"name": "Camera 1", "can_subscribe": false, "max_uses": 2, "expires_in": 60});
    server.call(post(&path).by(&eve).json(&body)).await.refused(403, 403);
    let data = server.call(post(&path).by(&host).json(&body)).await.ok();
    let token = data["token"].as_str().unwrap().to_owned();
    assert_eq!(data["expires_in"], 60);

    assert!(matches!(guest(&server, &token, other).await, Err(Error::Unauthorized)));
    let one = guest(&server, &token, id).await.unwrap();
    let two = guest(&server, &token, id).await.unwrap();
    assert_ne!(one.user_id, two.user_id);
    assert!(one.grants().publish && !one.grants().subscribe);
    assert!(matches!(guest(&server, &token, id).await, Err(Error::Unauthorized)));

    // Neither password nor waiting room, and one meeting only.
    let joined = joining::join(&server.app, &one, id, None).await.unwrap();
    assert_eq!(joined.participant.status.as_str(), "online");
    assert!(joining::join(&server.app, &one, other, None).await.is_err());
    let people = format!("/api/v1/meetings/{id}/participants");
    let data = server.call(get(&people).by(&host)).await.ok();
    assert_eq!(data["participants"][1]["nickname"], "Camera 1");
    assert_eq!(data["participants"][1]["guest"], true);

    // It is no token of the REST API, and its guests are nobody's accounts.
    server.call(get(&people).bearer(&token)).await.refused(401, 401);
    let data = server.call(get(&path).by(&host)).await.ok();
    assert_eq!(
        (data["total"].as_i64(), data["access_tokens"][0]["uses"].as_i64()),
        (Some(1), Some(2))
    );
    assert!(!data.to_string().contains(&token));
}

#[tokio::test]
async fn revoking_ends_its_guests() {
    let server = Server::start().await;
    let host = server.person("host").await;
    let id = server.meeting(&host, json!({})).await;
    let path = format!("/api/v1/meetings/{id}/access-tokens");
    let body = json!({"name": "Guest", "hidden": true});
    let data = server.call(post(&path).by(&host).json(&body)).await.ok();
    let token = data["token"].as_str().unwrap();
    let who = guest(&server, token, id).await.unwrap();
    joining::join(&server.app, &who, id, None).await.unwrap();
    let people = format!("/api/v1/meetings/{id}/participants");
    assert_eq!(server.call(get(&people).by(&host)).await.ok()["total"], 1);

    let mut events = server.app.subscribe();
    let one = format!("{path}/{}", data["token_id"].as_str().unwrap());
    server.call(delete(&one).by(&host)).await.ok();
    match events.recv().await.unwrap() {
        DomainEvent::AccessTokenRevoked { user_ids, .. } => assert_eq!(user_ids, [who.user_id]),
        other => panic!("{other:?}"),
    }
    server.call(delete(&one).by(&host)).await.refused(404, 404);
    assert!(matches!(guest(&server, token, id).await, Err(Error::Unauthorized)));
    let data = server.call(post(&path).by(&host).json(&json!({"name": "Late"}))).await.ok();
    server.app.clock.advance(86_400);
    let late = guest(&server, data["token"].as_str().unwrap(), id).await;
    assert!(matches!(late, Err(Error::TokenExpired)));
}

#[tokio::test]
async fn a_server_key_manages_tokens_and_nothing_else() {
    let server = Server::start().await;
    let host = server.person("host").await;
    let id = server.meeting(&host, json!({})).await;
    let key = access::create_api_key(&server.app, "backend").await.unwrap();
    let path = format!("/api/v1/meetings/{id}/access-tokens");
    let body = json!({"name": "Guest"});
    let data = server.call(post(&path).bearer(&key).json(&body)).await.ok();
    server.call(get(&path).bearer(&key)).await.ok();
    let one = format!("{path}/{}", data["token_id"].as_str().unwrap());
    server.call(delete(&one).bearer(&key)).await.ok();
    server.call(get("/api/v1/users/profile").bearer(&key)).await.refused(403, 403);
    server.call(get(&path).bearer("weir_key_wrong")).await.refused(401, 401);
    for bad in
        [json!({}), json!({"name": "x", "expires_in": 86_401}), json!({"name": "x", "max_uses": 0})]
    {
        server.call(post(&path).bearer(&key).json(&bad)).await.refused(400, 400);
    }
    let none = "/api/v1/meetings/5/access-tokens";
    server.call(get(none).bearer(&key)).await.refused(404, 2001);
}
