//! A server in this process with a store of its own, and people who call it.

use poem::http::{HeaderMap, Method, StatusCode};
use poem::test::TestClient;
use poem::{EndpointExt, Response};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use weir_control_api::{ApiConfig, App, MediaPlane};
use weir_sfu_api::{Command, Event, ShardId};

type Boxed = poem::endpoint::BoxEndpoint<'static, Response>;

/// Shards that do nothing.
pub struct NoMedia;

impl MediaPlane for NoMedia {
    fn shard_count(&self) -> u16 {
        1
    }

    fn send(&self, _shard: ShardId, _command: Command) {}
}

/// A running server.
pub struct Server {
    pub app: App,
    client: TestClient<Boxed>,
    pub dir: PathBuf,
    _events: mpsc::Sender<(ShardId, Event)>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A fresh directory.
pub fn temp_dir() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("weir-api-{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

impl Server {
    /// With the defaults, but without rate limits.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With changed settings.
    pub async fn start_with(change: impl FnOnce(&mut ApiConfig)) -> Self {
        let dir = temp_dir();
        let mut config = ApiConfig::new(dir.clone());
        config.rate_limit_enabled = false;
        change(&mut config);
        let (sender, events) = mpsc::channel(16);
        let stats = sender.clone();
        tokio::spawn(async move {
            while stats.send((ShardId(0), Event::Stats(Box::default()))).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let media = Arc::new(NoMedia);
        let (app, endpoint) = weir_control_api::build(config, media, events).await.unwrap();
        let client = TestClient::new(endpoint.map_to_response().boxed());
        Self { app, client, dir, _events: sender }
    }

    /// Any call.
    pub async fn call(&self, call: Call<'_>) -> Answer {
        let mut request = self.client.request(call.method, call.path);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let response = request.send().await.0;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().into_bytes().await.unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status, headers, body: body.to_vec(), json }
    }

    /// Registers and logs in.
    pub async fn person(&self, name: &str) -> Person {
        let email = format!("{name}@example.com");
        let body = json!({"username": name, "email": email, "password": "pass123"});
        self.call(post("/api/v1/auth/register").json(&body)).await.ok();
        self.login(name, "pass123").await
    }

    /// Logs in.
    pub async fn login(&self, name: &str, password: &str) -> Person {
        let body = json!({"username": name, "password": password});
        let answer = self.call(post("/api/v1/auth/login").json(&body)).await;
        let data = answer.ok();
        let text = |key: &str| data[key].as_str().unwrap().to_owned();
        Person {
            user_id: data["user"]["user_id"].as_i64().unwrap(),
            token: text("token"),
            refresh_token: text("refresh_token"),
            cookies: answer.cookies(),
        }
    }

    /// An administrator made by command.
    pub async fn admin(&self) -> Person {
        use weir_control_api::domain::accounts;
        accounts::create_admin(&self.app, "root", "root@example.com", "secret1").await.unwrap();
        self.login("root", "secret1").await
    }

    /// Makes a meeting; `change` is laid over a plain one.
    pub async fn meeting(&self, host: &Person, change: Value) -> i64 {
        let mut body = json!({
            "title": "Team Meeting", "start_time": "2025-10-03T10:00:00Z",
            "end_time": "2025-10-03T11:00:00Z", "max_participants": 10, "meeting_type": "video",
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let answer = self.call(post("/api/v1/meetings").by(host).json(&body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.json);
        answer.json["data"]["meeting_id"].as_i64().unwrap()
    }
}

/// A logged-in person.
#[derive(Debug, Clone)]
pub struct Person {
    pub user_id: i64,
    pub token: String,
    pub refresh_token: String,
    /// `name=value` pairs of the login's cookies.
    pub cookies: Vec<String>,
}

/// A call to be made.
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

macro_rules! verb {
    ($name:ident, $method:ident) => {
        pub fn $name(path: &str) -> Call<'_> {
            Call { method: Method::$method, path, headers: Vec::new(), body: None }
        }
    };
}

verb!(get, GET);
verb!(head, HEAD);
verb!(post, POST);
verb!(put, PUT);
verb!(delete, DELETE);
verb!(options, OPTIONS);

impl Call<'_> {
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn by(self, person: &Person) -> Self {
        self.bearer(&person.token)
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    pub fn raw(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub json: Value,
}

impl Answer {
    /// The data of a good answer.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.json);
        assert_eq!(self.json["code"], self.status.as_u16());
        self.envelope();
        self.json["data"].clone()
    }

    /// Asserts a refusal.
    #[track_caller]
    pub fn refused(&self, status: u16, code: u16) {
        let got = (self.status.as_u16(), self.json["code"].as_u64());
        assert_eq!(got, (status, Some(code.into())), "{}", self.json);
        assert!(self.json.get("data").is_none(), "{}", self.json);
        self.envelope();
    }

    #[track_caller]
    fn envelope(&self) {
        let text = |key: &str| self.json[key].as_str().unwrap_or_else(|| panic!("{}", self.json));
        assert!(!text("message").is_empty());
        assert!(text("timestamp").ends_with('Z') && text("timestamp").len() == 20);
        assert_eq!(text("request_id"), self.header("x-request-id").unwrap());
        assert_eq!(self.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `name=value` pairs of `Set-Cookie`.
    pub fn cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.filter_map(|l| Some(l.to_str().ok()?.split(';').next()?.to_owned())).collect()
    }

    /// The fields that `details` names.
    pub fn fields(&self) -> Vec<String> {
        let details = self.json["details"].as_array().cloned().unwrap_or_default();
        details.iter().map(|d| d["field"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
