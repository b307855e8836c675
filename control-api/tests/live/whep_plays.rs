//! WHEP (draft-ietf-wish-whep): the client offers to receive.

use crate::harness::{CHROMIUM, Server, player_offer};
use serde_json::json;
use weir_sfu_api::{Command, Rights, SlotPolicy};

#[tokio::test]
async fn one_audio_and_one_video_line_get_the_dominant_speaker() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let bearer = format!("Bearer {}", anna.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/sdp")];
    let path = format!("/whep/{meeting}");

    let made = server.request("POST", &path, &headers, &player_offer()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(made.body.contains("a=sendonly\r\n") && made.body.contains("a=ssrc:7000 cname:fake"));
    let location = made.header("location").unwrap();
    assert!(location.starts_with(&format!("/whep/{meeting}/")));

    let video = player_offer().split_once("m=video").unwrap().1.to_owned();
    let more = format!("{}m=video{}", player_offer(), video.replace("a=mid:1", "a=mid:2"))
        .replace("BUNDLE 0 1", "BUNDLE 0 1 2");
    let made = server.request("POST", &path, &headers, &more).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let joined = server.plane.asked(|command| match command {
        Command::Join { slots, rights, .. } => Some((*slots, *rights)),
        _ => None,
    });
    let listener = Rights { subscribe: true, ..Rights::NONE };
    assert_eq!(joined, [(SlotPolicy::Dominant, listener), (SlotPolicy::JoinOrder, listener)]);

    let publishing = server.request("POST", &path, &headers, CHROMIUM).await;
    assert_eq!(publishing.status, 422, "{}", publishing.body);
    assert_eq!(server.request("DELETE", location, &headers, "").await.status, 200);
    server.until("one is left", || server.plane.peers().len() == 1).await;
    // A WHIP URL does not reach a WHEP session.
    let crossed = location.replace("/whep/", "/whip/");
    assert_eq!(server.request("DELETE", &crossed, &headers, "").await.status, 404);
}
