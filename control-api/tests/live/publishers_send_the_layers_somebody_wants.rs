//! `layers`: the shard's demand, told to the publisher alone and again after a break.

use crate::harness::{CHROMIUM, Server};
use serde_json::{Value, json};
use weir_sfu_api::{Event, LayerDemand, Mid, Rid};

fn demand(rid: Option<&str>, active: bool) -> LayerDemand {
    LayerDemand { rid: rid.map(|rid| Rid::new(rid).unwrap()), active }
}

#[tokio::test]
async fn as_soon_as_that_changes() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.connect(&anna, meeting).await;
    anna_s.send(json!({"type": "join"})).await;
    let resume = anna_s.expect("join").await["data"]["resume_token"].clone();
    anna_s.send(json!({"type": "offer", "sdp": CHROMIUM})).await;
    anna_s.expect("answer").await;
    let mut ben_s = server.joined(&ben, meeting).await;
    let peer = server.plane.peers()[0];
    let mid = Mid::new("1").unwrap();
    let tell = |layers| server.plane.tell(Event::LayerDemand { peer, mid, layers });
    tell(vec![demand(Some("q"), true), demand(Some("h"), false), demand(Some("f"), false)]);
    let data: Value = anna_s.expect("layers").await["data"].clone();
    let wanted = json!({"mid": "1", "layers": [
        {"rid": "q", "active": true}, {"rid": "h", "active": false}, {"rid": "f", "active": false},
    ]});
    assert_eq!(data, wanted);
    ben_s.expect_none("layers").await;

    // While the publisher is away the demand changes; it learns the last word on its return.
    drop(anna_s);
    server
        .until("anna is away", || {
            server.app.live.all().iter().any(|session| {
                session.status == weir_control_api::domain::live::SessionStatus::Disconnected
            })
        })
        .await;
    tell(vec![demand(None, false)]);
    tell(vec![demand(None, true)]);
    let mut back = server.connect(&anna, meeting).await;
    back.send(json!({"type": "join", "data": {"resume_token": resume}})).await;
    assert_eq!(back.expect("join").await["data"]["resumed"], true);
    let data = back.expect("layers").await["data"].clone();
    assert_eq!(data, json!({"mid": "1", "layers": [{"rid": null, "active": true}]}));
}
