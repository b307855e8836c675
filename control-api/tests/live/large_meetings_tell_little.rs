//! Above 100 people: a short list, the rest in pages, and changes in batches.

use crate::harness::{Client, Server, User};
use serde_json::{Value, json};

/// Lets `count` guests in, over one token.
async fn guests(server: &Server, host: &User, meeting: i64, count: usize) -> Vec<Client> {
    let path = format!("/api/v1/meetings/{meeting}/access-tokens");
    let made = server.post(&path, Some(&host.token), &json!({"name": "Guest"})).await;
    let token = made.json()["data"]["token"].as_str().unwrap().to_owned();
    let query = format!("meeting_id={meeting}&token={token}");
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = server.open(&query, &[]).await.unwrap();
        client.send(json!({"type": "join"})).await;
        let answer = client.expect("join").await;
        assert_eq!(answer["data"]["status"], "joined", "{answer}");
        clients.push(client);
    }
    clients
}

async fn list(server: &Server, host: &User, meeting: i64, query: &str) -> Value {
    let path = format!("/api/v1/meetings/{meeting}/participants?{query}");
    let answer = server.json_request("GET", &path, Some(&host.token), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["data"].clone()
}

#[tokio::test]
async fn newcomers_get_fifty_people_and_the_rest_in_pages() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({"max_participants": 300})).await;
    let mut clients = guests(&server, &anna, meeting, 104).await;
    // The first 20 leave again: they are no news for who comes now.
    for client in clients.drain(..20) {
        let mut client = client;
        client.send(json!({"type": "leave"})).await;
        assert_eq!(client.closed().await, 1000);
    }
    server.until("they are gone", || server.app.live.count() == 84).await;
    let mut late = server.connect(&ben, meeting).await;
    late.send(json!({"type": "join", "data": {"batch": true}})).await;
    let data = late.expect("join").await["data"].clone();
    let people = data["participants"].as_array().unwrap();
    assert_eq!(people.len(), 50);
    assert!(people.iter().all(|person| person["status"] == "online"));
    assert_eq!(data["participants_total"], 106);
    assert_eq!(data["online_total"], 85);

    // With the creator, who never came, and all who left.
    assert_eq!(list(&server, &anna, meeting, "page_size=1").await["total"], 106);
    let mut found = std::collections::BTreeSet::new();
    for page in 1..=3 {
        let data =
            list(&server, &anna, meeting, &format!("status=online&page={page}&page_size=40")).await;
        assert_eq!((&data["total"], &data["page"]), (&json!(85), &json!(page)));
        for person in data["participants"].as_array().unwrap() {
            assert!(person["media_state"]["audio"].is_boolean(), "{person}");
            found.insert(person["user_id"].as_i64().unwrap());
        }
    }
    assert_eq!(found.len(), 85);
}

#[tokio::test]
async fn a_batch_has_the_last_word_on_everybody() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({"max_participants": 100})).await;
    let mut watcher = server.connect(&anna, meeting).await;
    watcher.send(json!({"type": "join", "data": {"batch": true}})).await;
    watcher.expect("join").await;
    // Everybody comes, half of them go at once.
    let mut clients = guests(&server, &anna, meeting, 12).await;
    let stay = clients.split_off(6);
    for mut client in clients {
        client.send(json!({"type": "leave"})).await;
        client.closed().await;
    }
    let mut here = std::collections::BTreeSet::new();
    loop {
        let change = watcher.expect("participants-changed").await["data"].clone();
        let ids = |key: &str| -> Vec<i64> {
            let list = change[key].as_array().unwrap();
            list.iter().map(|person| person["user_id"].as_i64().unwrap()).collect()
        };
        let (joined, left) = (ids("joined"), ids("left"));
        assert!(joined.iter().all(|id| !left.contains(id)), "{change}");
        here.extend(joined);
        here.retain(|id| !left.contains(id));
        if change["total"] == 7 {
            break;
        }
    }
    assert_eq!(here.len(), stay.len());
}

#[tokio::test]
async fn hidden_guests_are_not_counted() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let path = format!("/api/v1/meetings/{meeting}/access-tokens");
    let body = json!({"name": "Recorder", "hidden": true});
    let made = server.post(&path, Some(&anna.token), &body).await.json();
    let query = format!("meeting_id={meeting}&token={}", made["data"]["token"].as_str().unwrap());
    let mut hidden = server.open(&query, &[]).await.unwrap();
    hidden.send(json!({"type": "join"})).await;
    assert_eq!(hidden.expect("join").await["data"]["online_total"], 0);
    let mut ben_s = server.connect(&ben, meeting).await;
    ben_s.send(json!({"type": "join", "data": {"media_state": {"video": false}}})).await;
    assert_eq!(ben_s.expect("join").await["data"]["online_total"], 1);
    let news = hidden.expect("user-joined").await["data"].clone();
    assert_eq!((&news["user_id"], &news["media_state"]["video"]), (&json!(ben.id), &json!(false)));
    ben_s.send(json!({"type": "join", "data": {"media_state": {"video": "no"}}})).await;
    assert_eq!(ben_s.expect("error").await["data"]["code"], 400);
}
