//! Small servers, and the tool run against them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Output};

/// What the tool said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) error: String,
}

/// Runs one speaker with these words behind `--target`, waiting a second at most for each step.
pub(crate) fn run(words: &[&str]) -> Ran {
    let Output { status, stderr, .. } = Command::new(env!("CARGO_BIN_EXE_weir-load"))
        .args(["run", "one_to_many", "--quiet", "--timeout", "1s", "--receivers", "1", "--target"])
        .args(words)
        .output()
        .unwrap();
    Ran { code: status.code().unwrap(), error: String::from_utf8(stderr).unwrap() }
}

/// A request of HTTP/1.1 with the body of its Content-Length.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Answers each request by `answer`, which gives a status line's rest, headers and body.
pub(crate) fn http(
    answer: impl Fn(&Request) -> (&'static str, String, String) + Send + Sync + 'static,
) -> SocketAddr {
    serve(move |mut stream| {
        while let Some(request) = read(&mut stream) {
            let (status, headers, body) = answer(&request);
            let length = body.len();
            let text =
                format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// Takes connections and gives each to `each` in a thread. They end with the process.
pub(crate) fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let each = std::sync::Arc::new(each);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let each = std::sync::Arc::clone(&each);
            std::thread::spawn(move || each(stream));
        }
    });
    address
}

/// Takes connections and says nothing, ever.
pub(crate) fn silent() -> SocketAddr {
    serve(|mut stream| {
        // Until the other end closes.
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8(body).ok()? })
}

/// A WHIP server that takes every offer and sends media to a port; its answer is changed by `change`.
pub(crate) fn whip(
    media: SocketAddr,
    change: impl Fn(String) -> String + Send + Sync + 'static,
) -> SocketAddr {
    http(move |request| {
        if !request.head.starts_with("POST") {
            return ("200 OK", String::new(), String::new());
        }
        let headers = "Content-Type: application/sdp\r\nLocation: /resource/1\r\n".to_owned();
        ("201 Created", headers, change(accept(&request.body, media)))
    })
}

/// An answer that takes all of an offer.
pub(crate) fn accept(offer: &str, media: SocketAddr) -> String {
    let mut text = String::new();
    let mut candidates = 0;
    for line in offer.lines() {
        let line = if line.starts_with("a=candidate:") {
            candidates += 1;
            if candidates > 1 {
                continue;
            }
            format!("a=candidate:1 1 udp 1 {} {} typ host", media.ip(), media.port())
        } else {
            line.replace("sendonly", "recvonly").replace("setup:actpass", "setup:passive")
        };
        text.push_str(&line);
        text.push_str("\r\n");
    }
    text
}

/// A port that takes datagrams and never answers.
pub(crate) fn deaf() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
