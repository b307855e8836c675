//! WHIP (RFC 9725): POST, PATCH, DELETE, OPTIONS and everything that can go wrong.

use crate::harness::{CHROMIUM, Server, player_offer};
use serde_json::json;
use weir_sfu_api::{Command, Rights};

const SDP: (&str, &str) = ("Content-Type", "application/sdp");
const FRAGMENT: (&str, &str) = ("Content-Type", "application/trickle-ice-sdpfrag");

/// Method, path, headers, body; status and part of the text that comes back.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

fn fragment(ufrag: &str) -> String {
    format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:ha7iuJF6p2L2q6o3iZbpTlrn\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
         a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.9 5000 typ host\r\n"
    )
}

#[tokio::test]
async fn a_session_from_post_to_delete() {
    let server = Server::start().await;
    let (anna, ben) = (server.user("anna").await, server.user("ben").await);
    let meeting = server.meeting(&anna, json!({})).await;
    let mut watcher = server.joined(&ben, meeting).await;
    let bearer = format!("Bearer {}", anna.token);
    let auth = ("Authorization", bearer.as_str());
    let path = format!("/whip/{meeting}");
    let made = server.request("POST", &path, &[auth, SDP], CHROMIUM).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("content-type"), Some("application/sdp"));
    assert_eq!(made.header("access-control-allow-origin"), Some("*"));
    assert!(made.header("access-control-expose-headers").unwrap().contains("Location"));
    assert_eq!(
        made.header("link"),
        Some(
            "<turn:turn.example:3478>; rel=\"ice-server\"; username=\"u\"; \
             credential=\"p\\\"w\"; credential-type=\"password\""
        )
    );
    assert!(made.body.contains("a=recvonly\r\n") && made.body.contains("a=ice-lite\r\n"));
    let location = made.header("location").unwrap().to_owned();
    let etag = made.header("etag").unwrap().to_owned();
    assert!(location.starts_with(&format!("/whip/{meeting}/")), "{location}");
    assert_eq!(watcher.expect("user-joined").await["data"]["user_id"], anna.id);
    let rights = server.plane.asked(|command| match command {
        Command::Join { rights, .. } => Some(*rights),
        _ => None,
    });
    assert_eq!(rights, [Rights { subscribe: false, ..Rights::ALL }]);

    let patch = async |headers: &[(&str, &str)], ufrag: &str| {
        let mut all = vec![auth, FRAGMENT];
        all.extend(headers);
        server.request("PATCH", &location, &all, &fragment(ufrag)).await
    };
    assert_eq!(patch(&[("If-Match", &etag)], "SsOJ").await.status, 204);
    assert_eq!(patch(&[], "SsOJ").await.status, 428);
    assert_eq!(patch(&[("If-Match", "\"other\"")], "SsOJ").await.status, 412);
    let restarted = patch(&[("If-Match", "*")], "newu").await;
    assert_eq!(restarted.status, 200, "{}", restarted.body);
    assert_eq!(restarted.header("content-type"), Some("application/trickle-ice-sdpfrag"));
    assert!(restarted.body.contains("a=ice-ufrag:") && restarted.body.contains("a=candidate:"));
    let second = restarted.header("etag").unwrap();
    assert_ne!(second, etag);
    assert_eq!(patch(&[("If-Match", &etag)], "newu").await.status, 412);
    let wrong = server.request("PATCH", &location, &[auth, SDP, ("If-Match", "*")], "").await;
    assert_eq!(wrong.status, 415);

    let others = format!("Bearer {}", ben.token);
    let foreign = server.request("DELETE", &location, &[("Authorization", &others)], "").await;
    assert_eq!(foreign.status, 403);
    assert_eq!(server.request("DELETE", &location, &[], "").await.status, 401);
    assert_eq!(server.request("DELETE", &location, &[auth], "").await.status, 200);
    server.until("the peer has left", || server.plane.peers().is_empty()).await;
    assert_eq!(watcher.expect("user-left").await["data"]["reason"], "left");
    assert_eq!(server.request("DELETE", &location, &[auth], "").await.status, 404);
}

#[tokio::test]
async fn refusals_are_clear() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let bearer = format!("Bearer {}", anna.token);
    let auth = ("Authorization", bearer.as_str());
    let path = format!("/whip/{meeting}");
    let huge = "x".repeat(300 * 1024);
    let no_codec = CHROMIUM.replace("rtpmap", "x");
    let cases: [Case<'_>; 13] = [
        ("POST", &path, &[SDP], CHROMIUM, 401, "Bearer token"),
        ("POST", &path, &[("Authorization", "Bearer x"), SDP], CHROMIUM, 401, "unauthorized"),
        ("POST", &path, &[auth], CHROMIUM, 415, "application/sdp"),
        ("POST", &path, &[auth, FRAGMENT], CHROMIUM, 415, "application/sdp"),
        ("POST", &path, &[auth, SDP, ("Accept", "text/html")], CHROMIUM, 406, "Accept"),
        ("POST", &path, &[auth, SDP], "hello", 400, "not a session description"),
        ("POST", &path, &[auth, SDP], "", 400, "not a session description"),
        ("POST", &path, &[auth, SDP], &no_codec, 422, "no codec in common"),
        ("POST", &path, &[auth, SDP], &huge, 413, "262144"),
        ("POST", "/whip/1234567890", &[auth, SDP], CHROMIUM, 404, "meeting"),
        ("GET", &path, &[auth], "", 405, "POST"),
        ("PUT", &path, &[auth], "", 405, "POST"),
        ("PATCH", &format!("{path}/none"), &[auth, FRAGMENT], "", 404, "session"),
    ];
    for (method, path, headers, body, status, text) in cases {
        let answer = server.request(method, path, headers, body).await;
        assert_eq!(answer.status, status, "{method} {path} {headers:?}: {}", answer.body);
        assert!(answer.body.contains(text), "{method} {path} {headers:?}: {}", answer.body);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let slots = server.request("POST", &path, &[auth, SDP], &player_offer()).await;
    assert_eq!(slots.status, 422, "{}", slots.body);
    *server.plane.full.lock().unwrap() = true;
    let full = server.request("POST", &path, &[auth, SDP], CHROMIUM).await;
    assert_eq!((full.status, full.header("retry-after")), (503, Some("5")));
    server.until("nothing is left behind", || server.app.live.count() == 0).await;
    assert!(server.plane.peers().is_empty());
}

#[tokio::test]
async fn any_page_may_ask() {
    let server = Server::start().await;
    let page = ("Origin", "https://studio.example");
    for (path, header, value) in [
        ("/whip/1234567890", "accept-post", "application/sdp"),
        ("/whip/1234567890/x", "accept-patch", "application/trickle-ice-sdpfrag"),
    ] {
        let asked = ("Access-Control-Request-Method", "POST");
        let answer = server.request("OPTIONS", path, &[page, asked], "").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header(header), Some(value));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let allowed = answer.header("access-control-allow-headers").unwrap();
        assert!(allowed.contains("Authorization") && allowed.contains("If-Match"));
    }
}

#[tokio::test]
async fn an_access_token_makes_a_guest_and_its_end_ends_it() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let tokens = format!("/api/v1/meetings/{meeting}/access-tokens");
    let wish =
        json!({"name": "encoder", "can_publish": true, "can_subscribe": false, "max_uses": 1});
    let made = server.post(&tokens, Some(&anna.token), &wish).await;
    assert!(made.status == 200 || made.status == 201, "{}", made.body);
    let data = made.json()["data"].clone();
    let bearer = format!("Bearer {}", data["token"].as_str().unwrap());
    let auth = ("Authorization", bearer.as_str());
    let whep = format!("/whep/{meeting}");
    let refused = server.request("POST", &whep, &[auth, SDP], &player_offer()).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let path = format!("/whip/{meeting}");
    let made = server.request("POST", &path, &[auth, SDP], CHROMIUM).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let again = server.request("POST", &path, &[auth, SDP], CHROMIUM).await;
    assert_eq!(again.status, 401, "used up");
    // The used-up token still commands its own session.
    let location = made.header("location").unwrap();
    let etag = ("If-Match", made.header("etag").unwrap());
    let trickled =
        server.request("PATCH", location, &[auth, FRAGMENT, etag], &fragment("SsOJ")).await;
    assert_eq!(trickled.status, 204, "{}", trickled.body);
    let revoke = format!("{tokens}/{}", data["token_id"].as_str().unwrap());
    server.json_request("DELETE", &revoke, Some(&anna.token), &json!({})).await;
    server.until("the peer has left", || server.plane.peers().is_empty()).await;
}
