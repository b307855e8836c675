use crate::harness::Server;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// `/health` until it answers with this status.
async fn health(server: &Server, wanted: impl Fn(u16, &Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..500 {
        let answer = server.request("GET", "/health", &[], "").await;
        last = answer.json();
        if wanted(answer.status, &last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("in vain waited for another health: {last}");
}

fn all_well(status: u16, body: &Value) -> bool {
    let services = &body["data"]["services"];
    status == 200
        && ["user", "meeting", "signaling", "media"].iter().all(|name| services[name] == "healthy")
}

#[tokio::test]
async fn a_media_plane_that_stops_sending_stats_is_unhealthy() {
    let silence = Duration::from_millis(1500);
    let server = Server::start_with(|config| config.shard_silence = silence).await;
    health(&server, all_well).await;
    server.plane.silent.store(true, Ordering::Relaxed);
    let sick = health(&server, |status, _| status == 503).await;
    assert_eq!(sick["code"], 503, "{sick}");
    assert_eq!(sick["details"][0]["field"], "media", "{sick}");
    assert_eq!(sick["details"].as_array().unwrap().len(), 1, "{sick}");
    assert!(sick.get("data").is_none(), "{sick}");
    server.plane.silent.store(false, Ordering::Relaxed);
    health(&server, all_well).await;
}

#[tokio::test]
async fn a_media_plane_never_heard_of_is_starting_and_then_unhealthy() {
    let silence = Duration::from_secs(4);
    let server = Server::start_mute(|config| config.shard_silence = silence).await;
    let young = health(&server, |status, _| status == 200 || status == 503).await;
    if young["code"] == 200 {
        assert_eq!(young["data"]["services"]["media"], "starting", "{young}");
        assert_eq!(young["data"]["status"], "degraded", "{young}");
    }
    health(&server, |status, body| status == 503 && body["details"][0]["field"] == "media").await;
}

#[tokio::test]
async fn a_closed_database_makes_users_and_meetings_unhealthy() {
    let server = Server::start().await;
    health(&server, all_well).await;
    server.app.db.close().await;
    let sick = health(&server, |status, _| status == 503).await;
    let fields: Vec<_> = sick["details"].as_array().unwrap().iter().map(|d| &d["field"]).collect();
    assert_eq!(fields, ["user", "meeting"], "{sick}");
}
