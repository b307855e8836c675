use crate::common::{Person, Server, post};
use serde_json::json;
use weir_control_api::Error;
use weir_control_api::domain::identity;

async fn ticket(server: &Server, person: &Person, id: i64) -> String {
    let path = format!("/api/v1/meetings/{id}/join");
    let data = server.call(post(&path).by(person)).await.ok();
    let url = data["room_url"].as_str().unwrap();
    url.split_once("&ticket=").unwrap().1.to_owned()
}

async fn enter(server: &Server, ticket: &str, id: i64) -> Option<i64> {
    match identity::from_ticket(&server.app, ticket, id).await {
        Ok(who) => Some(who.user_id),
        Err(Error::Unauthorized) => None,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn for_a_minute_and_one_meeting_and_while_the_session_holds() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let (id, other) =
        (server.meeting(&ada, json!({})).await, server.meeting(&ada, json!({})).await);
    let good = ticket(&server, &ada, id).await;
    assert_eq!(enter(&server, &good, id).await, Some(ada.user_id));
    assert_eq!(enter(&server, &good, id).await, None);
    assert_eq!(enter(&server, "nonsense", id).await, None);

    let elsewhere = ticket(&server, &ada, id).await;
    assert_eq!(enter(&server, &elsewhere, other).await, None);

    let late = ticket(&server, &ada, id).await;
    server.app.clock.advance(60);
    assert_eq!(enter(&server, &late, id).await, None);

    let orphan = ticket(&server, &ada, id).await;
    server.call(post("/api/v1/auth/logout").by(&ada)).await.ok();
    assert_eq!(enter(&server, &orphan, id).await, None);
}

#[tokio::test]
async fn the_newest_three_count() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    let id = server.meeting(&ada, json!({})).await;
    let mut tickets = Vec::new();
    for _ in 0..4 {
        tickets.push(ticket(&server, &ada, id).await);
    }
    let mut good = Vec::new();
    for ticket in &tickets {
        good.push(enter(&server, ticket, id).await.is_some());
    }
    assert_eq!(good.iter().filter(|good| **good).count(), 3);
    assert_eq!(good.last(), Some(&true));
}
