use crate::common::{Server, get, post};
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_only_so_many_get_in() {
    let server = Server::start().await;
    let host = server.person("host").await;
    let id = server.meeting(&host, json!({"max_participants": 3})).await;
    let mut people = Vec::new();
    for number in 0..8 {
        people.push(server.person(&format!("person{number}")).await);
    }
    let path = format!("/api/v1/meetings/{id}/join");
    let answers = join_all(people.iter().map(|p| server.call(post(&path).by(p)))).await;
    let inside = answers.iter().filter(|a| a.status.is_success()).count();
    assert_eq!(inside, 3);
    for answer in answers.iter().filter(|a| !a.status.is_success()) {
        answer.refused(400, 2003);
    }
    server.call(post(&path).by(&host)).await.refused(400, 2003);

    // Who is in may join again; who leaves makes room.
    let (first, _) = people.iter().zip(&answers).find(|(_, a)| a.status.is_success()).unwrap();
    let one = server.call(post(&path).by(first)).await.ok();
    let two = server.call(post(&path).by(first)).await.ok();
    assert_eq!(one["participant_id"], two["participant_id"]);
    let leave = format!("/api/v1/meetings/{id}/leave");
    server.call(post(&leave).by(first)).await.ok();
    server.call(post(&leave).by(first)).await.ok();
    let data = server.call(post(&path).by(&host)).await.ok();
    assert_eq!((data["status"].as_str(), data["role"].as_str()), (Some("online"), Some("host")));
    let list = format!("/api/v1/meetings/{id}/participants");
    let data = server.call(get(&list).by(&host)).await.ok();
    let online = data["participants"].as_array().unwrap().iter();
    assert_eq!(online.filter(|p| p["status"] == "online").count(), 3);
    assert_eq!(data["total"], 4);
}

#[tokio::test]
async fn passwords_keep_strangers_out() {
    let server = Server::start().await;
    let (host, ada) = (server.person("host").await, server.person("ada").await);
    let bob = server.person("bob").await;
    let id = server.meeting(&host, json!({"password": "letmein"})).await;
    let path = format!("/api/v1/meetings/{id}/join");
    let word = |word: &str| json!({"password": word});
    server.call(post(&path).by(&ada)).await.refused(403, 2004);
    server.call(post(&path).by(&ada).json(&word("wrong"))).await.refused(403, 2004);
    server.call(post(&path).by(&ada).json(&word("letmein"))).await.ok();
    server.call(post(&path).by(&ada)).await.ok();
    server.call(post(&path).by(&host)).await.ok();
    let add = format!("/api/v1/meetings/{id}/participants");
    let body = json!({"user_id": bob.user_id});
    server.call(post(&add).by(&host).json(&body)).await.ok();
    server.call(post(&path).by(&bob)).await.ok();

    // A new password holds for who left before.
    server.call(post(&format!("/api/v1/meetings/{id}/leave")).by(&ada)).await.ok();
    server.call(post(&path).by(&ada)).await.ok();
    server.call(post(&format!("/api/v1/meetings/{id}/leave")).by(&ada)).await.ok();
    let meeting = format!("/api/v1/meetings/{id}");
    let change = crate::common::put(&meeting).by(&host).json(&word("changed"));
    server.call(change).await.ok();
    server.call(post(&path).by(&ada)).await.refused(403, 2004);
    server.call(post(&path).by(&ada).json(&word("changed"))).await.ok();
    let data = server.call(get(&meeting).by(&ada)).await;
    assert_eq!(data.ok()["has_password"], true);
    assert!(!data.json.to_string().contains("argon2"));
}
