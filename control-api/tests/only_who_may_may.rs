use crate::common::{Server, delete, get, post, put};
use serde_json::json;
use weir_control_api::DomainEvent;

#[tokio::test]
async fn everything_protected_wants_a_token() {
    let server = Server::start().await;
    let document: serde_json::Value =
        serde_json::from_str(&weir_control_api::rest::openapi_document(&server.app)).unwrap();
    let mut protected = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let secured = operation["security"].as_array().is_some_and(|s| s.len() == 1);
            if !secured {
                continue;
            }
            protected += 1;
            let path = path.replace("{id}", "1").replace("{meeting_id}", "1");
            let path = path.replace("{user_id}", "1").replace("{token_id}", "1");
            let call = match method.as_str() {
                "get" => get(&path),
                "post" => post(&path),
                "put" => put(&path),
                _ => delete(&path),
            };
            let answer = server.call(call).await;
            answer.refused(401, 401);
            assert_eq!(answer.json["message"], "unauthorized", "{method} {path}");
        }
    }
    assert!(protected > 25, "{protected}");
}

#[tokio::test]
async fn outsiders_see_the_meeting_and_nothing_inside() {
    let server = Server::start().await;
    let (host, eve) = (server.person("host").await, server.person("eve").await);
    let id = server.meeting(&host, json!({})).await;
    let path = format!("/api/v1/meetings/{id}");
    server.call(get(&path).by(&eve)).await.ok();
    for inside in ["participants", "messages"] {
        server.call(get(&format!("{path}/{inside}")).by(&eve)).await.refused(403, 403);
    }
    server.call(get(&format!("/api/v1/messages/history/{id}")).by(&eve)).await.refused(403, 403);
    server.call(get(&format!("/api/v1/sessions/room/{id}")).by(&eve)).await.refused(403, 403);
    let say = json!({"content": "hi"});
    server.call(post(&format!("{path}/messages")).by(&eve).json(&say)).await.refused(403, 403);
    server.call(put(&path).by(&eve).json(&json!({"title": "X"}))).await.refused(403, 403);
    server.call(delete(&path).by(&eve)).await.refused(403, 403);
    for action in ["start", "end"] {
        server.call(post(&format!("{path}/{action}")).by(&eve)).await.refused(403, 403);
    }
    let add = json!({"user_id": eve.user_id});
    let people = format!("{path}/participants");
    server.call(post(&people).by(&eve).json(&add)).await.refused(403, 403);
    let admin = server.admin().await;
    server.call(get(&people).by(&admin)).await.ok();
    server.call(post(&format!("{path}/end")).by(&admin)).await.ok();
}

#[tokio::test]
async fn roles_give_rights_and_the_creator_keeps_his() {
    let server = Server::start().await;
    let (host, moderator) = (server.person("host").await, server.person("mod").await);
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let id = server.meeting(&host, json!({})).await;
    let people = format!("/api/v1/meetings/{id}/participants");
    let one = |who: i64| format!("{people}/{who}");
    let role_of = |who: i64| format!("{people}/{who}/role");
    let role = |role: &str| json!({"role": role});
    let add = json!({"user_id": moderator.user_id, "role": "moderator"});
    server.call(post(&people).by(&host).json(&add)).await.ok();
    server.call(post(&people).by(&host).json(&add)).await.ok();
    let add = json!({"user_id": ada.user_id});
    server.call(post(&people).by(&moderator).json(&add)).await.ok();
    server.call(post(&people).by(&ada).json(&add)).await.refused(403, 403);
    let add = json!({"user_id": 987_654});
    server.call(post(&people).by(&host).json(&add)).await.refused(404, 1003);
    let add = json!({"user_id": bob.user_id, "role": "host"});
    server.call(post(&people).by(&moderator).json(&add)).await.refused(403, 403);

    let mut events = server.app.subscribe();
    let path = role_of(ada.user_id);
    server.call(put(&path).by(&moderator).json(&role("moderator"))).await.ok();
    let event = events.recv().await.unwrap();
    assert!(matches!(event, DomainEvent::RoleChanged { user_id, .. } if user_id == ada.user_id));
    server.call(put(&path).by(&moderator).json(&role("host"))).await.refused(403, 403);
    server.call(put(&path).by(&host).json(&role("host"))).await.ok();
    server.call(put(&path).by(&moderator).json(&role("participant"))).await.refused(403, 403);
    server.call(put(&role_of(bob.user_id)).by(&host).json(&role("host"))).await.refused(404, 1003);
    let creator = role_of(host.user_id);
    server.call(put(&creator).by(&ada).json(&role("participant"))).await.refused(403, 403);
    server.call(delete(&one(host.user_id)).by(&ada)).await.refused(403, 403);
    server.call(delete(&one(ada.user_id)).by(&moderator)).await.refused(403, 403);
    server.call(put(&path).by(&host).json(&role("nonsense"))).await.refused(400, 400);

    server.call(delete(&one(moderator.user_id)).by(&ada)).await.ok();
    server.call(delete(&one(moderator.user_id)).by(&ada)).await.refused(404, 1003);
    server.call(delete(&one(ada.user_id)).by(&ada)).await.ok();
    server.call(get(&people).by(&ada)).await.refused(403, 403);
    let data = server.call(get(&people).by(&host)).await.ok();
    assert_eq!(data["total"], 1);
    assert_eq!(data["participants"][0]["role"], "host");
    assert_eq!(data["participants"][0]["status"], "offline");
    assert_eq!(data["participants"][0]["meeting_id"], id);
}
