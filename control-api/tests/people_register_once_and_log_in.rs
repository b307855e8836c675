use crate::common::{Server, get, post, put};
use serde_json::json;
use weir_control_api::Registration;

#[tokio::test]
async fn a_new_account_logs_in_by_name_and_by_address() {
    let server = Server::start().await;
    let body = json!({"username": " Ada ", "email": "Ada@Example.com", "password": "secret"});
    let data = server.call(post("/api/v1/auth/register").json(&body)).await.ok();
    assert_eq!(data["username"], "Ada");
    assert_eq!(data["nickname"], "Ada");
    assert_eq!(data["user_id"], 1);
    let names = [
        json!({"username": "ada", "password": "secret"}),
        json!({"username": "ADA@example.com", "password": "secret"}),
        json!({"email": "ada@example.com", "password": "secret"}),
    ];
    for body in names {
        let answer = server.call(post("/api/v1/auth/login").json(&body)).await;
        let data = answer.ok();
        assert_eq!(answer.json["message"], "Login successful");
        assert_eq!(data["expires_in"], 86_400);
        assert_eq!(data["user"]["role"], "user");
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("access_token=") && cookie.contains("; HttpOnly"), "{cookie}");
        assert!(cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    }
    let person = server.login("ada", "secret").await;
    let data = server.call(get("/api/v1/users/profile").by(&person)).await.ok();
    assert_eq!(data["status"], "active");
    assert_eq!(data["avatar_url"], "");
}

#[tokio::test]
async fn names_and_addresses_are_taken_once_whatever_their_case() {
    let server = Server::start().await;
    server.person("Zoë").await;
    let taken = [
        ("ZOË", "new@example.com", 1001),
        ("zoë2", "ZOË@example.com", 1002),
        ("zoë", "zoë@example.com", 1001),
    ];
    for (name, email, code) in taken {
        let body = json!({"username": name, "email": email, "password": "pass123"});
        server.call(post("/api/v1/auth/register").json(&body)).await.refused(400, code);
    }
}

#[tokio::test]
async fn two_at_once_do_not_both_get_a_name() {
    let server = Server::start().await;
    let body = json!({"username": "same", "email": "a@example.com", "password": "pass123"});
    let other = json!({"username": "Same", "email": "b@example.com", "password": "pass123"});
    let (one, two) = tokio::join!(
        server.call(post("/api/v1/auth/register").json(&body)),
        server.call(post("/api/v1/auth/register").json(&other)),
    );
    let good = [&one, &two].iter().filter(|a| a.status.is_success()).count();
    assert_eq!(good, 1, "{} {}", one.json, two.json);
    let bad = if one.status.is_success() { two } else { one };
    bad.refused(400, 1001);
}

#[tokio::test]
async fn wrong_passwords_and_unknown_names_look_alike() {
    let server = Server::start().await;
    server.person("ada").await;
    for name in ["ada", "nobody"] {
        let body = json!({"username": name, "password": "wrong1"});
        let answer = server.call(post("/api/v1/auth/login").json(&body)).await;
        answer.refused(401, 1004);
        assert_eq!(answer.json["message"], "wrong username or password");
    }
}

#[tokio::test]
async fn a_profile_changes_and_keeps_what_is_not_named() {
    let server = Server::start().await;
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let change = json!({"nickname": "A", "email": "a2@example.com", "avatar_url": "https://x.y/z"});
    let data = server.call(put("/api/v1/users/profile").by(&ada).json(&change)).await.ok();
    assert_eq!(data["avatar_url"], "https://x.y/z");
    let change = json!({"nickname": null, "email": "A2@example.com"});
    let data = server.call(put("/api/v1/users/profile").by(&ada).json(&change)).await.ok();
    assert_eq!(
        (data["nickname"].as_str(), data["email"].as_str()),
        (Some("A"), Some("A2@example.com"))
    );
    let change = json!({"email": "BOB@example.com"});
    server.call(put("/api/v1/users/profile").by(&ada).json(&change)).await.refused(400, 1002);
    server.call(put("/api/v1/users/profile").by(&bob).raw("")).await.ok();
}

#[tokio::test]
async fn registration_can_be_closed_or_by_invitation() {
    let body = json!({"username": "ada", "email": "a@example.com", "password": "pass123"});
    let server = Server::start_with(|c| c.registration = Registration::Off).await;
    server.call(post("/api/v1/auth/register").json(&body)).await.refused(403, 403);

    let server = Server::start_with(|c| c.registration = Registration::Invite).await;
    server.call(post("/api/v1/auth/register").json(&body)).await.refused(403, 403);
    let code =
        weir_control_api::domain::accounts::create_invitation(&server.app, 3600).await.unwrap();
    let mut invited = body.clone();
    invited["invite"] = code.into();
    server.call(post("/api/v1/auth/register").json(&invited)).await.ok();
    invited["username"] = "eve".into();
    invited["email"] = "e@example.com".into();
    server.call(post("/api/v1/auth/register").json(&invited)).await.refused(403, 403);
}
