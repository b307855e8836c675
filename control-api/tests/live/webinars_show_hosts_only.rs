//! `settings.who_may_publish`: enforced in the shard, changed while the meeting runs.

use crate::harness::{CHROMIUM, Server};
use serde_json::json;
use weir_sfu_api::{Command, Rights};

const LISTENER: Rights = Rights { subscribe: true, ..Rights::NONE };

/// Rights of all peers, as joined and as changed since.
fn rights(server: &Server) -> Vec<Rights> {
    server.plane.asked(|command| match command {
        Command::Join { rights, .. } | Command::SetRights { rights, .. } => Some(*rights),
        _ => None,
    })
}

#[tokio::test]
async fn from_the_start() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let settings = json!({"settings": {"who_may_publish": "hosts"}});
    let meeting = server.meeting(&anna, settings).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.connect(&ben, meeting).await;
    ben_s.send(json!({"type": "join"})).await;
    let data = ben_s.expect("join").await["data"].clone();
    assert_eq!(data["settings"]["who_may_publish"], "hosts");
    let none = json!({"publish_audio": false, "publish_video": false, "publish_screen": false,
        "subscribe": true});
    assert_eq!(data["rights"], none);
    assert_eq!(data["media_state"], json!({"audio": false, "video": false, "screen": false}));
    anna_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    anna_s.expect("answer").await;
    ben_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    ben_s.expect("answer").await;
    assert_eq!(rights(&server), [Rights::ALL, LISTENER]);
    ben_s.send(json!({"type": "media-state", "data": {"audio": true}})).await;
    assert_eq!(ben_s.expect("error").await["data"]["code"], 403);
    ben_s.send(json!({"type": "media-state", "data": {"audio": false}})).await;
    ben_s.expect_none("error").await;

    // Who is made a moderator may publish, who is no longer one may not.
    let path = format!("/api/v1/meetings/{meeting}/participants/{}/role", ben.id);
    for (role, expected) in [("moderator", Rights::ALL), ("participant", LISTENER)] {
        let body = json!({"role": role});
        let done = server.json_request("PUT", &path, Some(&anna.token), &body).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let told = ben_s.expect("rights").await["data"].clone();
        assert_eq!(told["role"], role);
        assert_eq!(told["rights"]["publish_video"], expected.publish_video);
        assert_eq!(rights(&server).last(), Some(&expected));
        let news = anna_s.expect("role-changed").await["data"].clone();
        assert_eq!(news, json!({"user_id": ben.id, "role": role}));
    }
}

#[tokio::test]
async fn from_one_moment_to_the_next() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    ben_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    ben_s.expect("answer").await;
    let path = format!("/api/v1/meetings/{meeting}");
    let set = |who: &str| json!({"settings": {"who_may_publish": who}});
    let wrong = server.json_request("PUT", &path, Some(&anna.token), &set("friends")).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let not_his = server.json_request("PUT", &path, Some(&ben.token), &set("hosts")).await;
    assert_eq!(not_his.status, 403);
    server.json_request("PUT", &path, Some(&anna.token), &set("hosts")).await;
    // What he sends is off for everybody, and he is told why.
    let off = anna_s.expect_where("media-state", |m| m["data"]["audio"] == false).await;
    assert_eq!(off["from"], ben.id);
    let settings = ben_s.expect("meeting-updated").await["data"]["settings"].clone();
    assert_eq!(settings["who_may_publish"], "hosts");
    assert_eq!(ben_s.expect("rights").await["data"]["rights"]["publish_audio"], false);
    assert_eq!(rights(&server), [Rights::ALL, LISTENER]);
    server.json_request("PUT", &path, Some(&anna.token), &set("all")).await;
    assert_eq!(ben_s.expect("rights").await["data"]["rights"]["publish_audio"], true);
    assert_eq!(rights(&server).last(), Some(&Rights::ALL));
}
