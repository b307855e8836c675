//! Raised hands are state; reactions are not, and both have their measure.

use crate::harness::Server;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn until_lowered_or_gone() {
    let server =
        Server::start_with(|config| config.ws.timers.resume = Duration::from_millis(50)).await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let cleo = server.user("cleo").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    ben_s.send(json!({"type": "raise-hand"})).await;
    let raised = anna_s.expect("raise-hand").await["data"].clone();
    assert_eq!((&raised["user_id"], &raised["username"]), (&json!(ben.id), &json!("ben")));
    // A second time is no news.
    ben_s.send(json!({"type": "raise-hand"})).await;
    ben_s.expect_none("error").await;
    anna_s.expect_none("raise-hand").await;

    let mut cleo_s = server.connect(&cleo, meeting).await;
    cleo_s.send(json!({"type": "join"})).await;
    let data = cleo_s.expect("join").await["data"].clone();
    let hand = |user: i64| {
        let people = data["participants"].as_array().unwrap();
        people.iter().find(|person| person["user_id"] == user).unwrap()["hand_raised"].clone()
    };
    assert_eq!((hand(ben.id), hand(anna.id)), (json!(true), json!(false)));
    assert_eq!(data["hands"], json!([{"user_id": ben.id, "raised_at": raised["raised_at"]}]));
    let path = format!("/api/v1/meetings/{meeting}/participants");
    let list = server.json_request("GET", &path, Some(&anna.token), &json!({})).await.json();
    assert_eq!(list["data"]["participants"][1]["hand_raised"], true);

    // Only who leads lowers another's.
    cleo_s.send(json!({"type": "lower-hand", "data": {"user_id": ben.id}})).await;
    assert_eq!(cleo_s.expect("error").await["data"]["code"], 403);
    anna_s.send(json!({"type": "lower-hand", "data": {"user_id": ben.id}})).await;
    assert_eq!(ben_s.expect("lower-hand").await["data"]["user_id"], ben.id);
    assert_eq!(server.app.live.hands(meeting), []);

    // A hand goes with its person.
    cleo_s.send(json!({"type": "raise-hand"})).await;
    anna_s.expect("raise-hand").await;
    drop(cleo_s);
    anna_s.expect("user-left").await;
    assert_eq!(server.app.live.hands(meeting), []);
}

#[tokio::test]
async fn reactions_are_few_from_one_and_bounded_from_all() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    for _ in 0..20 {
        ben_s.send(json!({"type": "reaction", "data": {"reaction": "\u{1F389}"}})).await;
    }
    assert_eq!(ben_s.expect("error").await["data"]["code"], 429);
    let mut heard = 0;
    anna_s.send(json!({"type": "reaction", "data": {"reaction": "end"}})).await;
    while anna_s.expect("reaction").await["data"]["reaction"] != "end" {
        heard += 1;
    }
    // Five in two seconds, and five more where the machine was so slow that two seconds passed.
    assert!((1..20).contains(&heard), "{heard}");
    for reaction in [json!(""), json!("x".repeat(33)), json!(5)] {
        ben_s.send(json!({"type": "reaction", "data": {"reaction": reaction}})).await;
        ben_s.expect_where("error", |error| error["data"]["code"] == 400).await;
    }
}
