//! Malformed, oversized and too many frames; the meeting goes on.

use crate::harness::Server;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn malformed_messages_get_an_error_and_the_connection_stays() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut client = server.joined(&anna, meeting).await;
    for text in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"nonsense"}"#,
        r#"{"type":"join","data":7}"#,
        r#"{"type":"chat","to":"x","content":"y"}"#,
        r#"{"type":"chat","meeting_id":1,"content":"y"}"#,
        "{\"type\":\"\u{0}\"}",
    ] {
        client.send_raw(Message::text(text)).await;
        assert_eq!(client.expect("error").await["data"]["code"], 400, "{text:?}");
    }
    client.send(json!({"type": "chat", "content": "still here"})).await;
    client.expect("chat").await;
}

#[tokio::test]
async fn too_large_too_many_and_binary_frames_close() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    for (size, code) in [(64 * 1024 + 1, 1009), (1024 * 1024, 1009)] {
        let mut client = server.joined(&anna, meeting).await;
        client.send_raw(Message::text("x".repeat(size))).await;
        assert_eq!(client.closed().await, code, "{size}");
    }
    let mut client = server.joined(&anna, meeting).await;
    client.send(json!({"type": "chat", "content": "x".repeat(65 * 1024)})).await;
    assert_eq!(client.closed().await, 1009);
    // Offers are no exception. What is just below is read, and answered.
    let offer = |bytes: usize| {
        let empty = json!({"type": "offer", "data": {"type": "offer", "sdp": ""}});
        let sdp = "x".repeat(bytes - empty.to_string().len());
        json!({"type": "offer", "data": {"type": "offer", "sdp": sdp}})
    };
    let mut client = server.joined(&anna, meeting).await;
    client.send(offer(64 * 1024)).await;
    assert_eq!(client.expect("error").await["data"]["ref_type"], "offer");
    client.send(offer(64 * 1024 + 1)).await;
    assert_eq!(client.closed().await, 1009);
    let mut client = server.joined(&anna, meeting).await;
    client.send_raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.closed().await, 1003);

    let mut client = server.joined(&anna, meeting).await;
    let mut other = server.joined(&server.user("ben").await, meeting).await;
    for _ in 0..200 {
        client.send(json!({"type": "reaction", "reaction": "x"})).await;
    }
    assert_eq!(client.closed().await, 4429);
    other.send(json!({"type": "chat", "content": "undisturbed"})).await;
    other.expect("chat").await;
}

#[tokio::test]
async fn malformed_frames_end_the_session_at_once() {
    let server = Server::start().await;
    let anna = server.user("anna").await;
    let meeting = server.meeting(&anna, json!({})).await;
    let mut host = server.joined(&anna, meeting).await;
    let ben = server.user("ben").await;
    let frames: [(&[u8], u16); 4] = [
        // Not masked, reserved bits, an opcode nobody knows, text that is not UTF-8.
        (&[0x81, 0x02, b'{', b'}'], 1002),
        (&[0xf1, 0x80, 0, 0, 0, 0], 1002),
        (&[0x83, 0x80, 0, 0, 0, 0], 1002),
        (&[0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007),
    ];
    for (frame, code) in frames {
        let mut client = server.joined(&ben, meeting).await;
        let MaybeTlsStream::Plain(stream) = client.socket.get_mut() else { panic!("no TLS here") };
        stream.write_all(frame).await.unwrap();
        assert_eq!(client.closed().await, code, "{frame:x?}");
        assert_eq!(host.expect("user-left").await["data"]["user_id"], ben.id);
    }
}
