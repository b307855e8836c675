use crate::common::{Server, delete, get, post, put};
use serde_json::json;
use weir_control_api::DomainEvent;

#[tokio::test]
async fn who_waits_sees_nothing_until_admitted() {
    let server = Server::start().await;
    let (host, ada) = (server.person("host").await, server.person("ada").await);
    let (bob, eve) = (server.person("bob").await, server.person("eve").await);
    let settings = json!({"settings": {"enable_waiting_room": true}});
    let id = server.meeting(&host, settings).await;
    let path = format!("/api/v1/meetings/{id}");
    let (join, people) = (format!("{path}/join"), format!("{path}/participants"));
    assert_eq!(server.call(post(&join).by(&host)).await.ok()["status"], "online");
    for person in [&ada, &ada, &bob, &eve] {
        let data = server.call(post(&join).by(person)).await.ok();
        assert_eq!(data["status"], "waiting");
        assert!(data["room_url"].is_string());
    }
    server.call(get(&people).by(&ada)).await.refused(403, 403);
    let say = json!({"content": "hi"});
    server.call(post(&format!("{path}/messages")).by(&ada).json(&say)).await.refused(403, 403);

    // Any role admits, and so does adding.
    let mut events = server.app.subscribe();
    let role = json!({"role": "participant"});
    let of_ada = format!("{people}/{}/role", ada.user_id);
    server.call(put(&of_ada).by(&host).json(&role)).await.ok();
    match events.recv().await.unwrap() {
        DomainEvent::Admitted { participant } => assert_eq!(participant.user_id, ada.user_id),
        other => panic!("{other:?}"),
    }
    server.call(get(&people).by(&ada)).await.ok();
    let add = json!({"user_id": bob.user_id});
    server.call(post(&people).by(&host).json(&add)).await.ok();
    assert!(matches!(events.recv().await, Ok(DomainEvent::Admitted { .. })));
    assert_eq!(server.call(post(&join).by(&bob)).await.ok()["status"], "online");

    // Turned away: the next try waits again.
    server.call(delete(&format!("{people}/{}", eve.user_id)).by(&host)).await.ok();
    assert_eq!(server.call(post(&join).by(&eve)).await.ok()["status"], "waiting");
    // Once admitted, one may come back.
    server.call(post(&format!("{path}/leave")).by(&ada)).await.ok();
    assert_eq!(server.call(post(&join).by(&ada)).await.ok()["status"], "online");
}
