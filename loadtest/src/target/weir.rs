//! Weir: an account and its meetings by REST, then everybody comes in by WebSocket as a guest.
//!
//! One account makes the meetings and for each an access token for guests, so that a thousand people need no
//! thousand accounts and the server's rate limits (which do not count WebSockets) stay on.

use super::http::Http;
use super::links::Links;
use super::ws::Socket;
use super::{Presence, Rooms, TargetConfig, bad_sdp, connection, excerpt, late};
use crate::engine::Engine;
use crate::error::LoadError;
use crate::plan::{MediaKind, PersonPlan, SourceKind};
use crate::sdp::{self, Receive};
use rand::RngExt;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::oneshot;

/// The most people of one meeting (contract section 7).
const MOST_PEOPLE: u32 = 1000;

/// A Weir server.
#[derive(Debug)]
pub struct Weir {
    config: TargetConfig,
    url: Url,
    http: Http,
    /// Who made the meetings; `None` where they were there before.
    host: Option<Host>,
    meetings: Vec<Meeting>,
}

#[derive(Debug)]
struct Host {
    token: String,
    /// Made by us, to be removed.
    ours: bool,
}

#[derive(Debug)]
struct Meeting {
    id: String,
    /// What lets people in.
    token: String,
    /// Made by us, to be ended.
    ours: bool,
}

impl Weir {
    pub(super) fn new(config: TargetConfig) -> Result<Self, LoadError> {
        let url = config.url.as_deref().unwrap_or("http://127.0.0.1:8800");
        let url = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| {
                LoadError::Usage(format!(
                    "--url {url:?}: Weir is at an http:// or https:// address"
                ))
            })?;
        if !config.rooms.is_empty() && config.token.is_none() {
            let text = "--room needs a --token that lets people in: an access token of the meeting, or an account's";
            return Err(LoadError::Usage(text.to_owned()));
        }
        let http = Http::new(config.timeout)?;
        Ok(Self { config, url, http, host: None, meetings: Vec::new() })
    }

    pub(super) fn address(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    pub(super) async fn prepare(&mut self, rooms: &Rooms) -> Result<(), LoadError> {
        if let (false, Some(token)) = (self.config.rooms.is_empty(), &self.config.token) {
            let of = |id: &String| Meeting { id: id.clone(), token: token.clone(), ours: false };
            self.meetings = self.config.rooms.iter().map(of).collect();
            return Ok(());
        }
        if rooms.people > MOST_PEOPLE {
            let text = format!(
                "{} people in one meeting: Weir has {MOST_PEOPLE} at most; take more rooms (--rooms) with fewer each",
                rooms.people
            );
            return Err(LoadError::Usage(text));
        }
        let host = match &self.config.token {
            Some(token) => Host { token: token.clone(), ours: false },
            None => Host { token: self.register().await?, ours: true },
        };
        for _ in 0..rooms.count {
            let meeting = self.create(&host.token).await?;
            self.meetings.push(meeting);
        }
        self.host = Some(host);
        Ok(())
    }

    /// An account of a random name; gives its token.
    async fn register(&self) -> Result<String, LoadError> {
        let name = format!("load-{:016x}", rand::rng().random::<u64>());
        let password = format!("{:032x}", rand::rng().random::<u128>());
        let body = json!({
            "username": name, "email": format!("{name}@example.com"), "password": password,
        });
        self.post("api/v1/auth/register", None, &body).await?;
        let body = json!({"username": name, "password": password});
        let login = self.post("api/v1/auth/login", None, &body).await?;
        text(&login, "token", "api/v1/auth/login")
    }

    async fn create(&self, token: &str) -> Result<Meeting, LoadError> {
        let now = OffsetDateTime::now_utc();
        let stamp = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        let body = json!({
            "title": "load test",
            "start_time": stamp(now),
            "end_time": stamp(now + time::Duration::days(1)),
            // Who comes may overlap with who goes.
            "max_participants": MOST_PEOPLE,
            "meeting_type": "video",
        });
        let made = self.post("api/v1/meetings", Some(token), &body).await?;
        let id = made.get("meeting_id").and_then(Value::as_i64).ok_or_else(|| {
            LoadError::Target("POST /api/v1/meetings answered without a meeting_id".to_owned())
        })?;
        let path = format!("api/v1/meetings/{id}/access-tokens");
        let access = self.post(&path, Some(token), &json!({"name": "load"})).await?;
        Ok(Meeting { id: id.to_string(), token: text(&access, "token", &path)?, ours: true })
    }

    async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Value, LoadError> {
        self.http.api(Method::POST, &self.at(path), token, Some(body)).await
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }

    pub(super) async fn clean(&self) {
        let Some(host) = &self.host else { return };
        for meeting in self.meetings.iter().filter(|meeting| meeting.ours) {
            let url = self.at(&format!("api/v1/meetings/{}/end", meeting.id));
            // A rate limit here is not worth waiting for: an empty meeting costs nothing.
            let _ = self.http.send(Method::POST, &url, Some(&host.token), None).await;
        }
        if host.ours {
            let url = self.at("api/v1/users/account");
            let _ = self.http.send(Method::DELETE, &url, Some(&host.token), None).await;
        }
    }

    pub(super) async fn join(
        &self,
        engine: &Engine,
        person: PersonPlan,
    ) -> Result<Presence, LoadError> {
        let begun = Instant::now();
        let timeout = self.config.timeout;
        let meeting = usize::try_from(person.room)
            .ok()
            .and_then(|room| self.meetings.get(room % self.meetings.len().max(1)))
            .ok_or_else(|| LoadError::Usage("there is no room".to_owned()))?;
        let mut url = self.at("ws/signaling");
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        let _ = url.set_scheme(scheme);
        url.query_pairs_mut().append_pair("meeting_id", &meeting.id);
        let bearer = [("authorization", format!("Bearer {}", meeting.token))];
        let mut socket = Socket::connect(url.as_str(), &bearer, timeout).await?;

        let sends = |kind: MediaKind| {
            person.publish.iter().any(|track| {
                track.codec.kind() == kind && !matches!(track.source, SourceKind::Screen)
            })
        };
        socket
            .send(&json!({"type": "join", "data": {
                "batch": true,
                "slots": "speakers",
                "media_state": {
                    "audio": sends(MediaKind::Audio),
                    "video": sends(MediaKind::Video),
                },
            }}))
            .await?;
        let joined = expect(&mut socket, "join", timeout).await?;
        if joined["data"]["status"] != "joined" {
            let status = excerpt(&joined["data"]["status"].to_string());
            return Err(LoadError::Target(format!(
                "the answer to join says {status}, not \"joined\""
            )));
        }
        if person.video_slots > 0 {
            let tile = person.tile;
            socket
                .send(&json!({"type": "view", "data": {
                    "tiles": [],
                    "last_n": person.video_slots,
                    "last_n_width": tile.width,
                    "last_n_height": tile.height,
                    "last_n_fps": tile.fps,
                }}))
                .await?;
        }

        let plan = connection(&person, person.publish.clone(), begun);
        let connection = engine.open(plan).await?;
        let receive = Receive {
            audio: person.audio_slots,
            video: person.video_slots,
            codecs: person.receive_codecs.clone(),
        };
        let offer = sdp::offer(&connection.local, &receive);
        let mids: Vec<String> = offer.track_mids().into_iter().map(str::to_owned).collect();
        let tracks: serde_json::Map<String, Value> = mids
            .iter()
            .zip(&person.publish)
            .map(|(mid, track)| (mid.clone(), json!(track.source.as_str())))
            .collect();
        socket
            .send(&json!({"type": "offer", "data": {
                "type": "offer", "sdp": offer.text, "tracks": tracks,
            }}))
            .await?;
        let answer = expect(&mut socket, "answer", timeout).await?;
        let answer = answer["data"]["sdp"].as_str().unwrap_or_default();
        let negotiated = offer.read_answer(answer).map_err(|error| bad_sdp(&error))?;
        let mut links = Links::default();
        links.connect(connection, negotiated);
        links.connected(timeout).await?;
        Ok(Presence::keep(move |told| stay(socket, links, mids, person, told)))
    }
}

/// Does what the server says, until somebody ends it.
async fn stay(
    mut socket: Socket,
    mut links: Links,
    mids: Vec<String>,
    person: PersonPlan,
    mut told: oneshot::Receiver<()>,
) -> String {
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Ok(message) if message["type"] == "layers" => {
                    layers(&links, &mids, &person, &message["data"]);
                }
                Ok(_) => {}
                Err(why) => return why.to_string(),
            },
            why = links.ended() => return why,
            _ = &mut told => {
                let _ = socket.send(&json!({"type": "leave"})).await;
                drop(links);
                let closed = async { while socket.next().await.is_ok() {} };
                let _ = tokio::time::timeout(Duration::from_secs(1), closed).await;
                return "left".to_owned();
            }
        }
    }
}

/// `{mid, layers: [{rid, active}]}`: which layers somebody wants.
fn layers(links: &Links, mids: &[String], person: &PersonPlan, data: &Value) {
    let index = mids.iter().position(|mid| data["mid"] == mid.as_str());
    let (Some(index), Some(connection)) = (index, links.get(0)) else { return };
    let (Some(track), Some(told)) = (person.publish.get(index), data["layers"].as_array()) else {
        return;
    };
    let wanted = track.layers.iter().map(|layer| {
        let about = told.iter().find(|one| one["rid"].as_str() == layer.rid.as_deref());
        about.is_none_or(|one| one["active"] != false)
    });
    connection.set_layers(index, wanted.collect());
}

/// The next message of a type; an `error` is one.
async fn expect(socket: &mut Socket, kind: &str, timeout: Duration) -> Result<Value, LoadError> {
    let waiting = async {
        loop {
            let message = socket.next().await?;
            if message["type"] == kind {
                return Ok(message);
            }
            if message["type"] == "error" {
                let data = &message["data"];
                let text = excerpt(data["message"].as_str().unwrap_or("an error"));
                return Err(LoadError::Target(format!(
                    "the server refused: {} {text}",
                    data["code"]
                )));
            }
        }
    };
    tokio::time::timeout(timeout, waiting)
        .await
        .map_err(|_| late(&format!("no {kind} came over the WebSocket"), timeout))?
}

fn text(data: &Value, key: &str, path: &str) -> Result<String, LoadError> {
    let found = data.get(key).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| LoadError::Target(format!("POST /{path} answered without a {key}")))
}
