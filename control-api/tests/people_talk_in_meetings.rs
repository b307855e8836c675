use crate::common::{Server, get, post};
use serde_json::json;
use weir_control_api::DomainEvent;

#[tokio::test]
async fn messages_are_stored_in_order_and_announced() {
    let server = Server::start().await;
    let (host, ada) = (server.person("host").await, server.person("ada").await);
    let id = server.meeting(&host, json!({})).await;
    server.call(post(&format!("/api/v1/meetings/{id}/join")).by(&ada)).await.ok();
    let path = format!("/api/v1/meetings/{id}/messages");
    let mut events = server.app.subscribe();
    for (who, text) in [(&host, "Hello everyone!"), (&ada, "你好"), (&ada, " kept as it is ")] {
        let data = server.call(post(&path).by(who).json(&json!({"content": text}))).await.ok();
        assert!(data["message_id"].is_i64() && data["timestamp"].is_string());
        match events.recv().await.unwrap() {
            DomainEvent::ChatPosted { message } => assert_eq!(message.content, text),
            other => panic!("{other:?}"),
        }
    }
    for bad in ["", &"x".repeat(1001)] {
        let body = json!({"content": bad});
        server.call(post(&path).by(&ada).json(&body)).await.refused(400, 400);
    }
    let data = server.call(get(&path).by(&ada)).await.ok();
    assert_eq!(data["total"], 3);
    assert_eq!(data["messages"][0]["content"], "Hello everyone!");
    assert_eq!(data["messages"][1]["username"], "ada");
    let newest = format!("{path}?order=desc&page_size=1");
    let data = server.call(get(&newest).by(&ada)).await.ok();
    assert_eq!(data["messages"][0]["content"], " kept as it is ");
    let alias = format!("/api/v1/messages/history/{id}");
    assert_eq!(server.call(get(&alias).by(&host)).await.ok()["total"], 3);
    server.call(post(&format!("/api/v1/meetings/{id}/end")).by(&host)).await.ok();
    server.call(post(&path).by(&ada).json(&json!({"content": "x"}))).await.refused(400, 2002);
    server.call(get(&path).by(&ada)).await.ok();
}

#[tokio::test]
async fn where_chat_is_off_only_leaders_talk() {
    let server = Server::start().await;
    let (host, ada) = (server.person("host").await, server.person("ada").await);
    let id = server.meeting(&host, json!({"settings": {"enable_chat": false}})).await;
    server.call(post(&format!("/api/v1/meetings/{id}/join")).by(&ada)).await.ok();
    let path = format!("/api/v1/meetings/{id}/messages");
    let body = json!({"content": "x"});
    server.call(post(&path).by(&ada).json(&body)).await.refused(403, 403);
    server.call(post(&path).by(&host).json(&body)).await.ok();
    let admin = server.admin().await;
    server.call(post(&path).by(&admin).json(&body)).await.refused(403, 403);
}
