//! A real server on a free port, real sockets, and a fake media plane.
#![allow(dead_code, reason = "each test file uses its part")]

mod answer;
mod http;
mod plane;
mod ws;

pub(crate) use plane::FakePlane;
pub(crate) use ws::Client;

use poem::listener::{Acceptor, Listener, TcpListener};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weir_control_api::{ApiConfig, App, IceServer};

pub(crate) const CHROMIUM: &str = include_str!("../../../sdp/tests/data/offer-chromium.sdp");

/// Chromium's offer turned into slots only.
pub(crate) fn player_offer() -> String {
    let ours = ["a=ssrc:", "a=rid", "a=simulcast", "a=msid:"];
    CHROMIUM
        .replace("a=sendonly", "a=recvonly")
        .lines()
        .filter(|line| !ours.iter().any(|key| line.starts_with(key)))
        .map(|line| format!("{line}\r\n"))
        .collect()
}

/// The server under test.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) app: App,
    pub(crate) plane: Arc<FakePlane>,
    dir: PathBuf,
}

/// An account with its token.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) token: String,
}

static FOLDERS: AtomicU64 = AtomicU64::new(0);

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::start_over(false, change).await
    }

    /// Over a shard that sends no statistics.
    pub(crate) async fn start_mute(change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::start_over(true, change).await
    }

    async fn start_over(silent: bool, change: impl FnOnce(&mut ApiConfig)) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("weir-live-{}-{number}", std::process::id()));
        let mut config = ApiConfig::new(dir.clone());
        config.database_url = "sqlite::memory:".to_owned();
        config.rate_limit_enabled = false;
        config.ice_servers = vec![IceServer {
            urls: "turn:turn.example:3478".to_owned(),
            username: Some("u".to_owned()),
            credential: Some("p\"w".to_owned()),
        }];
        change(&mut config);
        let (plane, events) = FakePlane::new(silent);
        let media: Arc<dyn weir_control_api::MediaPlane> = plane.clone();
        let (app, endpoint) = weir_control_api::build(config, media, events).await.unwrap();
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let addr = *acceptor.local_addr()[0].as_socket_addr().unwrap();
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(endpoint));
        Self { addr, app, plane, dir }
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        let body = json!({
            "username": name,
            "email": format!("{name}@example.com"),
            "password": "secret123",
        });
        let made = self.post("/api/v1/auth/register", None, &body).await;
        assert_eq!(made.status, 200, "{}", made.body);
        let login = json!({"username": name, "password": "secret123"});
        let login = self.post("/api/v1/auth/login", None, &login).await;
        assert_eq!(login.status, 200, "{}", login.body);
        let data = login.json()["data"].clone();
        let id = data["user"]["user_id"].as_i64().or(data["user_id"].as_i64());
        let id = id.or(made.json()["data"]["user_id"].as_i64()).unwrap();
        User { id, name: name.to_owned(), token: data["token"].as_str().unwrap().to_owned() }
    }

    /// A meeting of `host` with changes to the request.
    pub(crate) async fn meeting(&self, host: &User, change: Value) -> i64 {
        let mut body = json!({
            "title": "test",
            "start_time": "2030-01-01T10:00:00Z",
            "end_time": "2030-01-01T11:00:00Z",
            "max_participants": 10,
            "meeting_type": "video",
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let made = self.post("/api/v1/meetings", Some(&host.token), &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["data"]["meeting_id"].as_i64().unwrap()
    }

    /// A connection that has joined.
    pub(crate) async fn joined(&self, user: &User, meeting: i64) -> Client {
        let mut client = self.connect(user, meeting).await;
        client.send(json!({"type": "join"})).await;
        let answer = client.expect("join").await;
        assert_eq!(answer["data"]["status"], "joined", "{answer}");
        client
    }

    /// Waits until `ready` holds, at most 5 s.
    pub(crate) async fn until(&self, what: &str, mut ready: impl FnMut() -> bool) {
        for _ in 0..500 {
            if ready() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("in vain waited until {what}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
