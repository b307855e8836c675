use crate::common::temp_dir;
use poem::listener::{Acceptor, Listener, TcpListener};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use weir_control_api::ApiConfig;

const FORWARDED: &str = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: meet.example\r\n\
     X-Forwarded-For: 203.0.113.9\r\n";

/// A request over a real socket; the answer's head and body.
async fn call(port: u16, method: &str, path: &str, headers: &str, body: &Value) -> (String, Value) {
    let body = body.to_string();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

/// `room_url` and the head of the login's answer, both behind forwarded headers.
async fn room_url(trusted: bool) -> (String, String) {
    let dir = temp_dir();
    let mut config = ApiConfig::new(dir.clone());
    if trusted {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    }
    let (_sender, events) = mpsc::channel(1);
    let media = Arc::new(crate::common::NoMedia);
    let (_app, endpoint) = weir_control_api::build(config, media, events).await.unwrap();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let port = acceptor.local_addr()[0].as_socket_addr().unwrap().port();
    let server = tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(endpoint));

    let ada = json!({"username": "ada", "email": "ada@example.com", "password": "pass123"});
    call(port, "POST", "/api/v1/auth/register", FORWARDED, &ada).await;
    let (head, login) = call(port, "POST", "/api/v1/auth/login", FORWARDED, &ada).await;
    let token = login["data"]["token"].as_str().unwrap();
    let headers = format!("{FORWARDED}Authorization: Bearer {token}\r\n");
    let meeting = json!({
        "title": "T", "start_time": "2025-10-03T10:00:00Z", "end_time": "2025-10-03T11:00:00Z",
        "max_participants": 2, "meeting_type": "video",
    });
    let (_, made) = call(port, "POST", "/api/v1/meetings/", &headers, &meeting).await;
    let id = made["data"]["meeting_id"].as_i64().unwrap();
    let path = format!("/api/v1/meetings/{id}/join");
    let (_, joined) = call(port, "POST", &path, &headers, &json!({})).await;
    server.abort();
    let _ = std::fs::remove_dir_all(dir);
    (joined["data"]["room_url"].as_str().unwrap().replace(&port.to_string(), "PORT"), head)
}

#[tokio::test]
async fn room_url_and_cookies_follow_the_proxy() {
    let (url, head) = room_url(true).await;
    assert!(url.starts_with("wss://meet.example/ws/signaling?meeting_id="), "{url}");
    assert!(head.contains("; secure"), "{head}");
}

#[tokio::test]
async fn what_others_forward_is_ignored() {
    let (url, head) = room_url(false).await;
    assert!(url.starts_with("ws://localhost:PORT/ws/signaling?meeting_id="), "{url}");
    assert!(!head.contains("; secure"), "{head}");
}
