//! `view`, and `slots` in the data of `join`: what the shard is asked for.

use crate::harness::{CHROMIUM, Client, Server, player_offer};
use serde_json::{Value, json};
use weir_sfu_api::{Command, PeerId, SlotPolicy, SourceKind, View};

fn offer(sdp: &str) -> Value {
    json!({"type": "offer", "sdp": sdp})
}

fn views(server: &Server) -> Vec<(PeerId, View)> {
    server.plane.asked(|command| match command {
        Command::SetView { peer, view } => Some((*peer, (**view).clone())),
        _ => None,
    })
}

async fn negotiate(client: &mut Client, sdp: &str) {
    client.send(offer(sdp)).await;
    client.expect("answer").await;
}

#[tokio::test]
async fn tiles_reach_the_shard_by_peer() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    negotiate(&mut anna_s, CHROMIUM).await;
    let mut ben_s = server.connect(&ben, meeting).await;
    ben_s.send(json!({"type": "join", "data": {"slots": "speakers"}})).await;
    let answer = ben_s.expect("join").await;
    let annas_peer_id = answer["data"]["participants"][0]["peer_id"].clone();
    negotiate(&mut ben_s, &player_offer()).await;
    let policy = server.plane.asked(|command| match command {
        Command::Join { slots, .. } => Some(*slots),
        _ => None,
    });
    assert_eq!(policy, [SlotPolicy::JoinOrder, SlotPolicy::Speakers]);
    let peers = server.plane.peers();
    let view = json!({"tiles": [
        {"user_id": anna.id, "width": 639.2, "height": 360, "fps": 30, "pinned": true},
        {"peer_id": annas_peer_id, "source": "screen", "paused": true},
        {"user_id": 987_654},
        {"peer_id": "peer_of_nobody"},
    ], "last_n": 4, "last_n_width": 160, "last_n_height": 90, "last_n_fps": 15});
    ben_s.send(json!({"type": "view", "data": view})).await;
    ben_s.expect_none("error").await;
    let seen = views(&server);
    assert_eq!(seen.len(), 1);
    let (peer, view) = &seen[0];
    assert_eq!(*peer, peers[1]);
    let last = (view.last_n, view.last_n_width, view.last_n_height, view.last_n_fps);
    assert_eq!(last, (4, 160, 90, 15));
    // Who is not there has no tile.
    assert_eq!(view.tiles.len(), 2);
    let first = view.tiles[0];
    assert_eq!((first.peer, first.source), (peers[0], SourceKind::Camera));
    assert_eq!((first.width, first.height, first.max_fps), (640, 360, 30));
    assert!(first.pinned && !first.paused);
    let second = view.tiles[1];
    assert_eq!((second.peer, second.source), (peers[0], SourceKind::Screen));
    assert_eq!((second.width, second.pinned, second.paused), (0, false, true));
}

#[tokio::test]
async fn a_view_holds_for_who_comes_later_and_for_a_new_connection() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut ben_s = server.joined(&ben, meeting).await;
    // Before there is any media.
    ben_s.send(json!({"type": "view", "data": {"tiles": [{"user_id": anna.id}]}})).await;
    negotiate(&mut ben_s, &player_offer()).await;
    assert_eq!(views(&server).last().unwrap().1.tiles, []);
    let mut anna_s = server.joined(&anna, meeting).await;
    negotiate(&mut anna_s, CHROMIUM).await;
    let peers = server.plane.peers();
    server
        .until("anna is in ben's view", || {
            views(&server).last().is_some_and(|(peer, view)| {
                *peer == peers[0] && view.tiles.first().is_some_and(|tile| tile.peer == peers[1])
            })
        })
        .await;

    // A new certificate is a new peer: it is told the same view.
    let other = player_offer().replacen("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:", 1);
    let other: String = other
        .lines()
        .map(|line| match line.strip_prefix("a=fingerprint:sha-256 00:") {
            Some(rest) => format!("a=fingerprint:sha-256 00:{}\r\n", &rest[3..]),
            None => format!("{line}\r\n"),
        })
        .collect();
    let before = views(&server).len();
    negotiate(&mut ben_s, &other).await;
    let seen = views(&server);
    assert_eq!(seen.len(), before + 1);
    let (peer, view) = seen.last().unwrap();
    assert!(!peers.contains(peer));
    assert_eq!(view.tiles[0].peer, peers[1]);
}

#[tokio::test]
async fn nonsense_is_refused_by_name_and_changes_nothing() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut client = server.joined(&anna, meeting).await;
    negotiate(&mut client, &player_offer()).await;
    let many: Vec<Value> = (0..101).map(|n| json!({"user_id": n})).collect();
    for (data, field) in [
        (json!({"tiles": {}}), "tiles "),
        (json!({"tiles": many}), "tiles "),
        (json!({"tiles": [7]}), "tiles[0] "),
        (json!({"tiles": [{"user_id": 1}, {}]}), "tiles[1].user_id "),
        (json!({"tiles": [{"user_id": "ben"}]}), "tiles[0].user_id "),
        (json!({"tiles": [{"peer_id": 5}]}), "tiles[0].peer_id "),
        (json!({"tiles": [{"peer_id": "x".repeat(65)}]}), "tiles[0].peer_id "),
        (json!({"tiles": [{"user_id": 1, "source": "microphone"}]}), "tiles[0].source "),
        (json!({"tiles": [{"user_id": 1, "width": -1}]}), "tiles[0].width "),
        (json!({"tiles": [{"user_id": 1, "height": 16_385}]}), "tiles[0].height "),
        (json!({"tiles": [{"user_id": 1, "height": 1e300}]}), "tiles[0].height "),
        (json!({"tiles": [{"user_id": 1, "fps": "30"}]}), "tiles[0].fps "),
        (json!({"tiles": [{"user_id": 1, "pinned": 1}]}), "tiles[0].pinned "),
        (json!({"last_n": 65_536}), "last_n "),
        (json!({"last_n_fps": 121}), "last_n_fps "),
    ] {
        client.send(json!({"type": "view", "data": data})).await;
        let error = client.expect("error").await["data"].clone();
        assert_eq!((&error["code"], &error["ref_type"]), (&json!(400), &json!("view")));
        let text = error["message"].as_str().unwrap();
        assert!(text.starts_with(field), "{field}: {text}");
    }
    assert_eq!(views(&server), []);
    for slots in [json!("loudest"), json!(1)] {
        client.send(json!({"type": "join", "data": {"slots": slots}})).await;
        assert_eq!(client.expect("error").await["data"]["code"], 400);
    }
}
