use crate::common::{Person, Server, get, post};
use serde_json::json;
use weir_control_api::DomainEvent;

async fn profile(server: &Server, person: &Person) -> u16 {
    server.call(get("/api/v1/users/profile").by(person)).await.status.as_u16()
}

#[tokio::test]
async fn tokens_expire_and_a_refresh_token_stays_good() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let refresh = json!({"refresh_token": ada.refresh_token});
    server.app.clock.advance(86_400);
    let answer = server.call(get("/api/v1/users/profile").by(&ada)).await;
    answer.refused(401, 1005);
    for _ in 0..2 {
        let data = server.call(post("/api/v1/auth/refresh").json(&refresh)).await.ok();
        assert_eq!(data["expires_in"], 86_400);
        let token = data["token"].as_str().unwrap();
        server.call(get("/api/v1/users/profile").bearer(token)).await.ok();
    }
    server.app.clock.advance(6 * 86_400);
    server.call(post("/api/v1/auth/refresh").json(&refresh)).await.refused(401, 1005);
}

#[tokio::test]
async fn kinds_of_tokens_are_not_taken_for_one_another() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let swapped = json!({"refresh_token": ada.token});
    server.call(post("/api/v1/auth/refresh").json(&swapped)).await.refused(401, 401);
    let answer = server.call(get("/api/v1/users/profile").bearer(&ada.refresh_token)).await;
    answer.refused(401, 401);
    assert_eq!(answer.json["message"], "unauthorized");
    let (head, rest) = ada.token.split_once('.').unwrap();
    let (claims, tag) = rest.split_once('.').unwrap();
    let backwards: String = tag.chars().rev().collect();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for bad in [
        "not.a.token".to_owned(),
        String::new(),
        format!("{head}.{claims}.{backwards}"),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{tag}"),
    ] {
        server.call(get("/api/v1/users/profile").bearer(&bad)).await.refused(401, 401);
    }
    let basic = get("/api/v1/users/profile").header("authorization", "Basic YTpi");
    server.call(basic).await.refused(401, 401);
    let good = ada.cookies.first().unwrap();
    let both = get("/api/v1/users/profile").bearer("bad").header("cookie", good);
    server.call(both).await.refused(401, 401);
    server.call(get("/api/v1/users/profile").header("cookie", good)).await.ok();
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let server = Server::start().await;
    let (here, elsewhere) = (server.person("ada").await, server.login("ada", "pass123").await);
    let mut events = server.app.subscribe();
    let change = |old: &str| json!({"old_password": old, "new_password": "pass456"});
    let path = "/api/v1/users/change-password";
    server.call(post(path).by(&here).json(&change("wrong"))).await.refused(400, 1004);
    server.call(post(path).by(&here).json(&change("pass123"))).await.ok();
    assert_eq!(profile(&server, &here).await, 200);
    assert_eq!(profile(&server, &elsewhere).await, 401);
    let refresh = json!({"refresh_token": elsewhere.refresh_token});
    server.call(post("/api/v1/auth/refresh").json(&refresh)).await.refused(401, 401);
    let event = events.recv().await.unwrap();
    assert!(
        matches!(event, DomainEvent::SessionRevoked { user_id, .. } if user_id == here.user_id)
    );
    let old = json!({"username": "ada", "password": "pass123"});
    server.call(post("/api/v1/auth/login").json(&old)).await.refused(401, 1004);
    server.login("ada", "pass456").await;
}

#[tokio::test]
async fn logging_out_ends_this_session_only() {
    let server = Server::start().await;
    let (here, elsewhere) = (server.person("ada").await, server.login("ada", "pass123").await);
    let answer = server.call(post("/api/v1/auth/logout").by(&here)).await;
    answer.ok();
    assert!(answer.cookies().iter().any(|c| c == "access_token="));
    assert_eq!(profile(&server, &here).await, 401);
    assert_eq!(profile(&server, &elsewhere).await, 200);
    let body = json!({"refresh_token": elsewhere.refresh_token});
    server.call(post("/api/v1/auth/logout").json(&body)).await.ok();
    assert_eq!(profile(&server, &elsewhere).await, 401);
    let stale = elsewhere.cookies.first().unwrap();
    server.call(post("/api/v1/auth/logout").header("cookie", stale)).await.ok();
}
