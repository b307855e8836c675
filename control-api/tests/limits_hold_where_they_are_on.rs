use crate::common::{Server, get, post};
use serde_json::json;

async fn limited() -> Server {
    Server::start_with(|c| c.rate_limit_enabled = true).await
}

#[tokio::test]
async fn logins_count_by_name() {
    let server = limited().await;
    let body = json!({"username": "nobody", "password": "whatever"});
    for left in (0..5).rev() {
        let answer = server.call(post("/api/v1/auth/login").json(&body)).await;
        answer.refused(401, 1004);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("5"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
        assert!(answer.header("x-ratelimit-reset").is_some());
    }
    let answer = server.call(post("/api/v1/auth/login").json(&body)).await;
    answer.refused(429, 429);
    let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait));
    let other = json!({"username": "somebody", "password": "whatever"});
    server.call(post("/api/v1/auth/login").json(&other)).await.refused(401, 1004);
    server.app.clock.advance(wait);
    server.call(post("/api/v1/auth/login").json(&body)).await.refused(401, 1004);
}

#[tokio::test]
async fn refresh_counts_by_address_and_health_never() {
    let server = limited().await;
    let body = json!({"refresh_token": "x.y.z"});
    for _ in 0..10 {
        server.call(post("/api/v1/auth/refresh").json(&body)).await.refused(401, 401);
    }
    server.call(post("/api/v1/auth/refresh").json(&body)).await.refused(429, 429);
    for _ in 0..150 {
        server.call(get("/health")).await.ok();
    }
}

#[tokio::test]
async fn guessing_meeting_numbers_is_slowed_down() {
    let server = limited().await;
    let (host, eve) = (server.person("host").await, server.person("eve").await);
    let id = server.meeting(&host, json!({})).await;
    let own = server.meeting(&eve, json!({})).await;
    let path = format!("/api/v1/meetings/{id}");
    server.call(get(&path).by(&eve)).await.ok();
    for guess in 0..20 {
        server.call(get(&format!("/api/v1/meetings/{guess}")).by(&eve)).await.refused(404, 2001);
    }
    // From now on a hit looks like a miss.
    server.call(get("/api/v1/meetings/77")).await.refused(401, 401);
    server.call(get("/api/v1/meetings/77").by(&eve)).await.refused(429, 429);
    server.call(get(&path).by(&eve)).await.refused(429, 429);
    server.call(get(&format!("/api/v1/meetings/{own}")).by(&eve)).await.ok();
    server.call(get(&path).by(&host)).await.ok();
    server.app.clock.advance(61);
    server.call(get(&path).by(&eve)).await.ok();
}
