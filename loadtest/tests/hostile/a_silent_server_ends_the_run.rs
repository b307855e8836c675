use super::harness::{run, serve, silent};
use tokio_tungstenite::tungstenite;

#[test]
fn http_that_is_accepted_and_never_answered() {
    let url = format!("http://{}", silent());
    let ran = run(&["weir", "--url", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains("did not answer within 1 s"), "{ran:?}");
    assert!(ran.error.contains(&url), "{ran:?}");
}

#[test]
fn a_websocket_that_is_never_opened() {
    let url = format!("ws://{}", silent());
    let ran = run(&["janus", "--url", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains("did not open a WebSocket within 1 s"), "{ran:?}");
}

#[test]
fn a_websocket_that_says_nothing() {
    let address = serve(|stream| {
        if let Ok(mut socket) = tungstenite::accept_hdr(stream, protocol) {
            while socket.read().is_ok() {}
        }
    });
    let ran = run(&["janus", "--url", &format!("ws://{address}")]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains("Janus did not answer create within 1 s"), "{ran:?}");
}

/// Agrees to Janus' subprotocol.
#[allow(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the callback's type")]
fn protocol(
    _: &tungstenite::handshake::server::Request,
    mut response: tungstenite::handshake::server::Response,
) -> Result<tungstenite::handshake::server::Response, tungstenite::handshake::server::ErrorResponse>
{
    let agreed = "janus-protocol".parse().unwrap();
    response.headers_mut().insert("sec-websocket-protocol", agreed);
    Ok(response)
}
