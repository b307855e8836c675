//! `offer`, `answer`, `slots`, `speakers`, `renegotiate`.

use crate::harness::{CHROMIUM, Server, player_offer};
use serde_json::{Value, json};
use std::time::Duration;
use weir_sfu_api::{
    Command, Event, GoneReason, MediaKind, Mid, PausedBy, PeerId, RoomId, SlotState, SourceKind,
    SpeakerState, TrackId, TrackInfo,
};

fn offer(sdp: &str) -> Value {
    json!({"type": "offer", "to": 0, "data": {"type": "offer", "sdp": sdp}})
}

fn sources(server: &Server) -> Vec<Vec<SourceKind>> {
    server.plane.asked(|command| match command {
        Command::Offer { description, .. } => {
            Some(description.sections.iter().map(|section| section.source).collect())
        }
        _ => None,
    })
}

#[tokio::test]
async fn and_later_ones_renegotiate_the_same_peer() {
    let server =
        Server::start_with(|config| config.ws.timers.resume = Duration::from_millis(50)).await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut client = server.connect(&anna, meeting).await;
    // No join before: it is done by itself.
    client.send(offer(CHROMIUM)).await;
    client.expect("join").await;
    let answer = client.expect("answer").await;
    assert_eq!(answer["from"], 0);
    assert_eq!(answer["data"]["type"], "answer");
    let sdp = answer["data"]["sdp"].as_str().unwrap();
    assert!(sdp.contains("a=ice-lite\r\n") && sdp.contains("a=simulcast:recv q;h;f\r\n"), "{sdp}");
    let version = |sdp: &str| {
        let line = sdp.lines().find(|line| line.starts_with("o=")).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        (words[1].to_owned(), words[2].parse::<u64>().unwrap())
    };
    let first = version(sdp);

    let mut again = offer(CHROMIUM);
    again["data"]["tracks"] = json!({"1": "screen"});
    client.send(again).await;
    let answer = client.expect("answer").await;
    let second = version(answer["data"]["sdp"].as_str().unwrap());
    assert_eq!((first.0, first.1 + 1), second);
    assert_eq!(server.plane.joins().len(), 1);
    let expected = vec![
        vec![SourceKind::Microphone, SourceKind::Camera],
        vec![SourceKind::Microphone, SourceKind::Screen],
    ];
    assert_eq!(sources(&server), expected);

    // Another certificate is another PeerConnection.
    client.send(offer(&CHROMIUM.replace("1C:45:13", "00:00:00"))).await;
    client.expect("answer").await;
    assert_eq!(server.plane.joins().len(), 2);
    assert_eq!(server.plane.peers().len(), 1);
    drop(client);
    server.until("the peer has left", || server.plane.peers().is_empty()).await;
}

#[tokio::test]
async fn or_says_why_not() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut client = server.joined(&anna, meeting).await;
    for (message, code, text) in [
        (json!({"type": "offer"}), 400, "sdp"),
        (offer("hello"), 400, "not a session description"),
        (offer(&CHROMIUM.replace("a=rtcp-mux", "a=x")), 400, "a=rtcp-mux is missing"),
        (json!({"type": "offer", "sdp": 1}), 400, "must be a string"),
        (json!({"type": "offer", "sdp": CHROMIUM, "tracks": {"0": "cat"}}), 400, "tracks"),
        (json!({"type": "answer", "sdp": CHROMIUM}), 400, "no offer"),
    ] {
        client.send(message).await;
        let error = client.expect("error").await;
        assert_eq!(error["data"]["code"], code);
        assert!(error["data"]["message"].as_str().unwrap().contains(text), "{error}");
    }
    *server.plane.full.lock().unwrap() = true;
    client.send(offer(CHROMIUM)).await;
    assert_eq!(client.expect("error").await["data"]["code"], 503);
    *server.plane.full.lock().unwrap() = false;
    client.send(offer(CHROMIUM)).await;
    client.expect("answer").await;
    // Candidates for an ICE-lite server never fail.
    client.send(json!({"type": "ice-candidate", "data": {"candidate": "x"}})).await;
    client.send(json!({"type": "candidate"})).await;
    client.expect_none("answer").await;
}

/// Of an m-line in a bundle.
fn is_needed(line: &str) -> bool {
    let Some((name, value)) = line.strip_prefix("a=").and_then(|line| line.split_once(':')) else {
        return line.starts_with("a=") || line.starts_with("c=");
    };
    match name {
        "rtpmap" | "fmtp" | "rtcp-fb" => {
            ["96 ", "97 ", "45 ", "46 "].iter().any(|format| value.starts_with(format))
        }
        "ice-ufrag" | "ice-pwd" | "ice-options" | "fingerprint" | "setup" | "rtcp" => false,
        _ => true,
    }
}

#[tokio::test]
async fn of_a_large_meeting_s_many_slots() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut client = server.joined(&anna, meeting).await;
    let (head, video) =
        player_offer().split_once("m=video").map(|(h, v)| (h.to_owned(), v.to_owned())).unwrap();
    // As our client sends them: what the bundle's first m-line says is not repeated, and codecs
    // that are not forwarded are left out.
    let video: String = video
        .lines()
        .filter(|line| is_needed(line))
        .fold(" 9 UDP/TLS/RTP/SAVPF 96 97 45 46\r\n".to_owned(), |all, line| {
            format!("{all}{line}\r\n")
        });
    let mids: Vec<String> = (1..=37).map(|mid| mid.to_string()).collect();
    let mut sdp = head.replace("BUNDLE 0 1", &format!("BUNDLE 0 {}", mids.join(" ")));
    for mid in &mids {
        sdp.push_str(&format!("m=video{}", video.replace("a=mid:1", &format!("a=mid:{mid}"))));
    }
    assert!((32 * 1024..60 * 1024).contains(&sdp.len()), "{}", sdp.len());
    client.send(offer(&sdp)).await;
    let answer = client.expect("answer").await;
    assert_eq!(answer["data"]["sdp"].as_str().unwrap().matches("a=sendonly").count(), 38);
}

#[tokio::test]
async fn who_sits_in_which_slot_is_told_by_user() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut anna_s = server.joined(&anna, meeting).await;
    anna_s.send(offer(CHROMIUM)).await;
    anna_s.expect("answer").await;
    let mut ben_s = server.joined(&ben, meeting).await;
    ben_s.send(offer(&player_offer())).await;
    let answer = ben_s.expect("answer").await;
    assert!(answer["data"]["sdp"].as_str().unwrap().contains("a=ssrc-group:FID 7001 8001"));
    let peers = server.plane.peers();
    let (publisher, player) = (peers[0], peers[1]);

    let mid = Mid::new("1").unwrap();
    let track = TrackInfo {
        id: TrackId(5),
        peer: publisher,
        mid,
        kind: MediaKind::Video,
        source: SourceKind::Camera,
    };
    let slot = |mid: &str, track: Option<TrackInfo>| SlotState {
        mid: Mid::new(mid).unwrap(),
        kind: MediaKind::Video,
        track,
        rid: None,
        unavailable: false,
        muted: true,
        paused_by: None,
    };
    let paused = |mid: &str, reason| SlotState { paused_by: Some(reason), ..slot(mid, None) };
    let slots = vec![
        slot("1", Some(track)),
        slot("2", None),
        paused("3", PausedBy::Bandwidth),
        paused("4", PausedBy::View),
    ];
    server.plane.tell(Event::Slots { peer: player, slots });
    let slots = ben_s.expect("slots").await["data"]["slots"].clone();
    assert_eq!(slots[0]["user_id"], anna.id);
    assert_eq!(slots[0]["username"], "anna");
    assert_eq!((&slots[0]["mid"], &slots[0]["kind"]), (&json!("1"), &json!("video")));
    assert_eq!((&slots[0]["source"], &slots[0]["muted"]), (&json!("camera"), &json!(true)));
    assert!(slots[1]["user_id"].is_null());
    assert!(slots[1].get("paused_by").is_none());
    assert_eq!(
        (&slots[2]["paused_by"], &slots[3]["paused_by"]),
        (&json!("bandwidth"), &json!("view"))
    );

    let room = RoomId(u64::try_from(meeting).unwrap());
    let speakers = vec![SpeakerState { peer: publisher, level: 30 }];
    server.plane.tell(Event::Speakers { room, speakers });
    let speakers = ben_s.expect("speakers").await["data"]["speakers"].clone();
    assert_eq!(speakers[0]["user_id"], anna.id);
    assert_eq!(speakers[0]["level"], 30);

    server.plane.tell(Event::Renegotiate { peer: player, ice_restart: true, reason: "moved" });
    let data = ben_s.expect("renegotiate").await["data"].clone();
    assert_eq!((&data["reason"], &data["ice_restart"]), (&json!("moved"), &json!(true)));
    gone(&server, &mut ben_s, player, room).await;
}

/// A lost peer asks for a new PeerConnection, which gets a new peer.
async fn gone(server: &Server, client: &mut crate::harness::Client, peer: PeerId, room: RoomId) {
    server.plane.tell(Event::Gone { peer, room, reason: GoneReason::ConsentExpired });
    let data = client.expect("renegotiate").await["data"].clone();
    assert_eq!(data["new_connection"], true);
    client.send(offer(&player_offer())).await;
    client.expect("answer").await;
    assert_eq!(server.plane.joins().len(), 3);
}
