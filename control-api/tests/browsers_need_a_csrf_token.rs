use crate::common::{Person, Server, get, post, put};
use serde_json::{Value, json};

const PROFILE: &str = "/api/v1/users/profile";

/// A CSRF token for the session of a cookie, and both cookies for the next request.
async fn token(server: &Server, cookie: &str) -> (String, String) {
    let answer = server.call(get("/api/v1/csrf-token").header("cookie", cookie)).await;
    let data = answer.ok();
    assert_eq!(data["expires_in"], 3600);
    let jar = format!("{cookie}; {}", answer.cookies().join("; "));
    (data["csrf_token"].as_str().unwrap().to_owned(), jar)
}

fn cookie(person: &Person) -> &str {
    person.cookies.iter().find(|c| c.starts_with("access_token=")).unwrap()
}

fn change() -> Value {
    json!({"nickname": "N"})
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let server = Server::start().await;
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let (own, jar) = token(&server, cookie(&ada)).await;
    let put_with = |jar: &str, csrf: &str| {
        put(PROFILE).header("cookie", jar).header("x-csrf-token", csrf).json(&change())
    };
    let bare = put(PROFILE).header("cookie", cookie(&ada)).json(&change());
    let answer = server.call(bare).await;
    answer.refused(403, 403);
    assert_eq!(answer.json["message"], "invalid csrf token");
    server.call(get(PROFILE).header("cookie", cookie(&ada))).await.ok();
    server.call(put_with(&jar, &own)).await.ok();
    server.call(put_with(&jar, &own)).await.ok();
    server.call(put_with(cookie(&ada), &own)).await.refused(403, 403);

    // Somebody else's token, planted as a cookie, is good for somebody else only.
    let (foreign, _) = token(&server, cookie(&eve)).await;
    let planted = format!("{}; csrf_token={foreign}", cookie(&ada));
    server.call(put_with(&planted, &foreign)).await.refused(403, 403);
    let answer = server.call(get("/api/v1/csrf-token")).await;
    let nobody = answer.ok()["csrf_token"].as_str().unwrap().to_owned();
    let planted = format!("{}; csrf_token={nobody}", cookie(&ada));
    server.call(put_with(&planted, &nobody)).await.refused(403, 403);

    server.app.clock.advance(3600);
    server.call(put_with(&jar, &own)).await.refused(403, 403);
}

#[tokio::test]
async fn beside_a_bearer_token_it_is_ignored_unless_strict() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    server.call(put(PROFILE).by(&ada).json(&change())).await.ok();
    let junk = put(PROFILE).by(&ada).header("x-csrf-token", "junk").json(&change());
    server.call(junk).await.ok();

    let server = Server::start_with(|c| c.csrf_strict = true).await;
    let ada = server.person("ada").await;
    server.call(put(PROFILE).by(&ada).json(&change())).await.refused(403, 403);
    let (own, jar) = token(&server, cookie(&ada)).await;
    let strict = put(PROFILE).by(&ada).header("cookie", jar).header("x-csrf-token", own);
    server.call(strict.json(&change())).await.ok();
    server.call(post("/api/v1/meetings").by(&ada)).await.refused(400, 400);
}

#[tokio::test]
async fn the_cookie_can_be_switched_off() {
    let server = Server::start_with(|c| c.cookie.enabled = false).await;
    let ada = server.person("ada").await;
    assert!(ada.cookies.is_empty());
    let forged = get(PROFILE).header("cookie", format!("access_token={}", ada.token));
    server.call(forged).await.refused(401, 401);
}
