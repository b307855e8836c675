//! Contract 14.7: statistics, the list of sessions, and removing idle ones.

use crate::harness::{Server, User};
use serde_json::{Value, json};
use weir_control_api::AdminBootstrap;

async fn get(server: &Server, path: &str, who: &User) -> (u16, Value) {
    let answer = server.json_request("GET", path, Some(&who.token), &json!({})).await;
    (answer.status, answer.json()["data"].clone())
}

#[tokio::test]
async fn see_what_is_there() {
    let server = Server::start_with(|config| {
        config.admin = Some(AdminBootstrap {
            username: "root".to_owned(),
            email: "root@example.com".to_owned(),
            password: "secret123".to_owned(),
        });
    })
    .await;
    let login = json!({"username": "root", "password": "secret123"});
    let login = server.post("/api/v1/auth/login", None, &login).await.json();
    let token = login["data"]["token"].as_str().unwrap().to_owned();
    let root = User { id: 0, name: "root".to_owned(), token };
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let (one, two) =
        (server.meeting(&anna, json!({})).await, server.meeting(&ben, json!({})).await);
    let mut anna_s = server.joined(&anna, one).await;
    let _ben_s = server.joined(&ben, one).await;
    let _ben_too = server.joined(&ben, two).await;
    anna_s.send(json!({"type": "chat", "content": "hello"})).await;
    anna_s.expect("chat").await;

    let (_, data) = get(&server, "/api/v1/stats/overview", &anna).await;
    for (key, number) in [
        ("active_rooms", 2),
        ("active_sessions", 3),
        ("online_users", 2),
        ("total_meetings", 2),
        ("total_users", 3),
        ("total_messages", 1),
    ] {
        assert_eq!(data[key], number, "{key}: {data}");
    }
    let (_, data) = get(&server, "/api/v1/stats/rooms", &anna).await;
    assert_eq!(data["total"], 1);
    let room = &data["rooms"][0];
    assert_eq!(room["room_id"], format!("room_{one}"));
    assert_eq!((&room["session_count"], &room["message_count"]), (&json!(2), &json!(1)));
    assert_eq!(get(&server, "/api/v1/stats/rooms", &root).await.1["total"], 2);

    assert_eq!(get(&server, "/admin/sessions", &anna).await.0, 403);
    let (_, data) = get(&server, "/admin/sessions?page_size=2", &root).await;
    assert_eq!((&data["total"], data["sessions"].as_array().unwrap().len()), (&json!(3), 2));
    let path = format!("/admin/sessions?meeting_id={one}&user_id={}", ben.id);
    assert_eq!(get(&server, &path, &root).await.1["total"], 1);

    let refused = server.post("/admin/cleanup/sessions", Some(&anna.token), &json!({})).await;
    assert_eq!(refused.status, 403);
    let done = server.post("/admin/cleanup/sessions", Some(&root.token), &json!({})).await.json();
    assert_eq!(done["data"], json!({"removed": 0, "remaining": 3}));
    server.app.clock.advance(301);
    anna_s.send(json!({"type": "join"})).await;
    anna_s.expect("join").await;
    let done = server.post("/admin/cleanup/sessions", Some(&root.token), &json!({})).await.json();
    assert_eq!(done["data"], json!({"removed": 2, "remaining": 1}));
    server.until("the idle ones are gone", || server.app.live.count() == 1).await;
}
