use crate::common::{Server, delete, get, post, put};
use serde_json::{Value, json};
use weir_control_api::DomainEvent;

fn ids(data: &Value) -> Vec<i64> {
    data["meetings"].as_array().unwrap().iter().map(|m| m["meeting_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_meeting_lives_from_scheduled_to_ended() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let id = server.meeting(&ada, json!({"settings": {"mute_on_join": true}})).await;
    assert!((1_000_000_000..1_000_000_000_000).contains(&id));
    let path = format!("/api/v1/meetings/{id}");
    let data = server.call(get(&path).by(&ada)).await.ok();
    assert_eq!(data["status"], "scheduled");
    assert_eq!(data["creator_id"], ada.user_id);
    assert_eq!(data["has_password"], false);
    assert_eq!(
        data["settings"],
        json!({"enable_recording": false, "enable_chat": true, "enable_screen_share": true,
               "enable_waiting_room": false, "mute_on_join": true, "who_may_publish": "all"})
    );
    let change = json!({"title": "Renamed", "settings": {"enable_chat": false}});
    assert_eq!(server.call(put(&path).by(&ada).json(&change)).await.ok(), json!({}));
    let data = server.call(get(&path).by(&ada)).await.ok();
    assert_eq!(
        (data["title"].as_str(), &data["settings"]["mute_on_join"]),
        (Some("Renamed"), &json!(true))
    );

    let mut events = server.app.subscribe();
    let start = format!("{path}/start");
    for _ in 0..2 {
        let data = server.call(post(&start).by(&ada).header("host", "h.example:8800")).await.ok();
        assert_eq!(data["status"], "ongoing");
        let url = data["room_url"].as_str().unwrap();
        let plain = format!(
            "ws://h.example:8800/ws/signaling?meeting_id={id}&user_id={}&ticket=",
            ada.user_id
        );
        assert!(url.starts_with(&plain), "{url}");
    }
    let end = format!("{path}/end");
    server.call(post(&end).by(&ada)).await.ok();
    assert!(
        matches!(events.recv().await, Ok(DomainEvent::MeetingStarted { meeting_id }) if meeting_id == id)
    );
    assert!(
        matches!(events.recv().await, Ok(DomainEvent::MeetingEnded { meeting_id }) if meeting_id == id)
    );
    for path in [&end, &start, &format!("{path}/join")] {
        server.call(post(path).by(&ada)).await.refused(400, 2002);
    }
    server.call(put(&path).by(&ada).json(&json!({"title": "X"}))).await.refused(400, 2002);
    server.call(post(&format!("{path}/leave")).by(&ada)).await.ok();
    let data = server.call(get(&path).by(&ada)).await.ok();
    assert!(data["ended_at"].is_string() && data["started_at"].is_string());

    server.call(delete(&path).by(&ada)).await.ok();
    server.call(get(&path).by(&ada)).await.refused(404, 2001);
    server.call(delete(&path).by(&ada)).await.refused(404, 2001);
}

#[tokio::test]
async fn a_scheduled_meeting_can_be_cancelled_and_a_running_one_cannot() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let cancel = json!({"status": "cancelled"});
    let path = format!("/api/v1/meetings/{}", server.meeting(&ada, json!({})).await);
    server.call(put(&path).by(&ada).json(&json!({"status": "ended"}))).await.refused(400, 400);
    server.call(put(&path).by(&ada).json(&cancel)).await.ok();
    server.call(post(&format!("{path}/join")).by(&ada)).await.refused(400, 2002);
    let path = format!("/api/v1/meetings/{}", server.meeting(&ada, json!({})).await);
    server.call(post(&format!("{path}/start")).by(&ada)).await.ok();
    server.call(put(&path).by(&ada).json(&cancel)).await.refused(400, 400);
}

#[tokio::test]
async fn lists_hold_what_one_belongs_to_and_find_by_word() {
    let server = Server::start().await;
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let future = json!({"title": "100% Überblick", "start_time": "2999-01-01T00:00:00Z", "end_time": "2999-01-02T00:00:00Z"});
    let ahead = server.meeting(&ada, future).await;
    server.app.clock.advance(1);
    let past = server.meeting(&ada, json!({"description": "about a_b"})).await;
    server.app.clock.advance(1);
    let over = server.meeting(&ada, json!({"title": "Over"})).await;
    server.call(post(&format!("/api/v1/meetings/{over}/end")).by(&ada)).await.ok();
    server.call(post(&format!("/api/v1/meetings/{past}/join")).by(&bob)).await.ok();

    let list = async |who, path: &str| ids(&server.call(get(path).by(who)).await.ok());
    assert_eq!(list(&ada, "/api/v1/meetings").await, [over, past, ahead]);
    assert_eq!(list(&bob, "/api/v1/meetings").await, [past]);
    assert_eq!(list(&ada, "/api/v1/meetings?page=2&page_size=2").await, [ahead]);
    assert_eq!(list(&ada, "/api/v1/meetings?status=ended").await, [over]);
    assert_eq!(list(&ada, "/api/v1/meetings?keyword=%C3%BCBERBLICK").await, [ahead]);
    assert_eq!(list(&ada, "/api/v1/meetings?keyword=0%25").await, [ahead]);
    assert_eq!(list(&ada, "/api/v1/meetings?keyword=a_b").await, [past]);
    assert_eq!(list(&ada, "/api/v1/meetings?keyword=___").await, Vec::<i64>::new());
    assert_eq!(list(&ada, "/api/v1/my/meetings").await.first(), Some(&ahead));
    assert_eq!(list(&ada, "/api/v1/my/meetings/upcoming").await, [ahead]);
    let mut history = list(&ada, "/api/v1/my/meetings/history").await;
    history.sort_unstable();
    let mut expected = [past, over];
    expected.sort_unstable();
    assert_eq!(history, expected);
    let admin = server.admin().await;
    assert_eq!(list(&admin, "/api/v1/meetings").await.len(), 3);
    assert!(list(&admin, "/api/v1/my/meetings").await.is_empty());
    let data = server.call(get("/api/v1/my/meetings").by(&bob)).await.ok();
    assert_eq!(data["meetings"][0]["role"], "participant");
    assert_eq!(data["meetings"][0]["participant_count"], 2);
}
