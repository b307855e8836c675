//! Frames that break RFC 6455, messages that break the contract, and too many of good ones.

use crate::harness::ws::{Said, Ws};
use crate::harness::{Call, Server, until};
use std::io::Write as _;
use tokio_tungstenite::tungstenite::Message;

#[test]
fn and_are_answered_where_somebody_listens() {
    let server = Server::start();
    let call = Call::start(&server);
    let eve = server.user("eve");
    let meeting = server.meeting(&eve);

    // What is text but no message is answered, and the connection stays.
    let mut ws = Ws::join(&server, &eve, meeting);
    let deep = "[".repeat(5_000);
    for text in ["", "no JSON", "{", "null", "7", "[]", "{}", r#"{"type":7}"#, "\u{0}", &deep] {
        ws.send_raw(Message::text(text));
        let error = ws.expect("error");
        assert_eq!(error["data"]["code"], 400, "{text:.40}: {error}");
    }
    ws.send_raw(Message::binary(vec![0, 1, 2]));
    assert_eq!(ws.closed(), 1003);

    let mut ws = Ws::join(&server, &eve, meeting);
    ws.send_raw(Message::text("x".repeat(70 * 1024)));
    assert_eq!(ws.closed(), 1009);

    let mut ws = Ws::join(&server, &eve, meeting);
    for _ in 0..120 {
        ws.try_send_raw(Message::text(r#"{"type":"media-state","data":{"audio":true}}"#));
    }
    assert_eq!(ws.closed(), 4429);

    // Frames no client may send. Masks of zero leave the payload as it is.
    let long_ping = [&[0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0][..], &[0; 256]].concat();
    let frames: [&[u8]; 9] = [
        // Not masked.
        &[0x81, 0x02, b'{', b'}'],
        // Reserved bits.
        &[0xf1, 0x80, 0, 0, 0, 0],
        // Reserved data and control opcodes.
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x8f, 0x80, 0, 0, 0, 0],
        // A ping above 125 bytes, a ping in fragments.
        &long_ping,
        &[0x09, 0x80, 0, 0, 0, 0],
        // A continuation of nothing.
        &[0x80, 0x80, 0, 0, 0, 0],
        // Eight exbibytes to come.
        &[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        // Text that is not UTF-8.
        &[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
    ];
    for frame in frames {
        let mut ws = Ws::join(&server, &eve, meeting);
        ws.stream().write_all(frame).unwrap();
        until(&format!("{frame:x?} ends the connection"), || match ws.next() {
            Some(Said::Closed(_) | Said::Broken(_)) => Some(()),
            _ => None,
        });
    }
    // A half frame and then nothing, a half handshake and then nothing.
    let mut half = Ws::join(&server, &eve, meeting);
    half.stream().write_all(&[0x81, 0xfe, 0x10]).unwrap();
    let mut tcp = std::net::TcpStream::connect(server.process.authority()).unwrap();
    tcp.write_all(b"GET /ws/signaling HTTP/1.1\r\nUpgr").unwrap();

    call.was_undisturbed();
    drop((half, tcp));
    // And she is still welcome.
    Ws::join(&server, &eve, meeting);
    assert!(!server.process.log().contains("panicked"), "{}", server.process.log());
}
