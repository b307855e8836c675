//! 300 kB of SDP, by WebSocket and by WHIP, and other offers nobody makes by mistake.

use crate::harness::client::Client;
use crate::harness::ws::Ws;
use crate::harness::{Call, Kind, Rtc, Server, Source};
use serde_json::json;
use std::time::Instant;
use tokio_tungstenite::tungstenite::Message;

const HUGE_BYTES: usize = 300 * 1024;

/// A good offer of a stack that is never connected.
fn good_offer() -> String {
    let client = Client::start(Rtc::default());
    client.with(|stack, _| {
        stack.publish(Source::Microphone);
        stack.slot(Kind::Video);
        stack.offer(Instant::now())
    })
}

#[test]
fn by_websocket_and_by_whip() {
    let server = Server::start();
    let call = Call::start(&server);
    let eve = server.user("eve");
    let meeting = server.meeting(&eve);
    let good = good_offer();
    let padded = |bytes: usize| {
        let line = "a=candidate:1 1 udp 2130706431 192.0.2.1 9 typ host\r\n";
        format!("{good}{}", line.repeat(bytes / line.len()))
    };
    let huge = padded(HUGE_BYTES);
    let refused = server.whip(meeting, &eve.token, &huge);
    assert_eq!(refused.status, 413, "{refused:?}");
    let mut ws = Ws::join(&server, &eve, meeting);
    let offer = |sdp: &str| json!({"type": "offer", "data": {"type": "offer", "sdp": sdp}});
    // What is no message any more ends the connection (contract 8.1).
    ws.try_send_raw(Message::text(offer(&huge).to_string()));
    assert_eq!(ws.closed(), 1009);

    // Within the size, but of too many m-lines, or of nonsense.
    let (session, lines) = good.split_once("m=").unwrap();
    let line = format!("m={}", lines.split("m=").next().unwrap());
    // The first has the transport of all.
    let short = |n| {
        format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:{n}\r\na=recvonly\r\n\
             a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
        )
    };
    let many: String = (1..150).map(short).collect();
    let mids: Vec<String> = (0..150).map(|mid| mid.to_string()).collect();
    let session = session.replace("BUNDLE 0 1", &format!("BUNDLE {}", mids.join(" ")));
    let offers = [
        format!("{session}{line}{many}"),
        "v=0\r\n".repeat(1000),
        good.replace("a=ice-ufrag:", "a=nothing:"),
        good.replace("a=fingerprint:sha-256", "a=fingerprint:md5"),
        "\0\u{ffff}\r\n=".repeat(500),
        String::new(),
    ];
    let mut ws = Ws::join(&server, &eve, meeting);
    for offer in offers {
        let refused = server.whip(meeting, &eve.token, &offer);
        assert!((400..500).contains(&refused.status), "{} to {offer:.1000}", refused.status);
        ws.send(json!({"type": "offer", "data": {"type": "offer", "sdp": offer}}));
        let error = ws.expect("error");
        assert_eq!(error["data"]["ref_type"], "offer", "{error}");
    }
    // The connection still serves: nothing of that stuck.
    let answer = ws.offer(&good, json!({}));
    assert!(answer.contains("a=ice-lite"), "{answer}");
    call.was_undisturbed();
    assert!(!server.process.log().contains("panicked"), "{}", server.process.log());
}
