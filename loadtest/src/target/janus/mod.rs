//! Janus' VideoRoom (multistream, 1.0 and later) over its WebSocket API.
//!
//! A publisher has a handle of its own, everything received comes over a second one. Somebody who publishes
//! hears of others who come and subscribes to them; somebody who only watches takes who is there.

mod api;
mod person;

use super::{Presence, Rooms, TargetConfig};
use crate::engine::Engine;
use crate::error::LoadError;
use crate::plan::{Codec, MediaKind, PersonPlan};
use api::Api;
use person::Person;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A Janus server.
#[derive(Debug)]
pub struct Janus {
    config: TargetConfig,
    url: String,
    rooms: Vec<Room>,
}

#[derive(Debug, Clone)]
struct Room {
    id: Value,
    secret: String,
    /// Made by us, to be destroyed.
    ours: bool,
}

impl Janus {
    pub(super) fn new(config: TargetConfig) -> Result<Self, LoadError> {
        let url = config.url.clone().unwrap_or_else(|| "ws://127.0.0.1:8188".to_owned());
        if !url.starts_with("ws://") && !url.starts_with("wss://") {
            let text = format!("--url {url:?}: Janus' API is tested over ws:// or wss://");
            return Err(LoadError::Usage(text));
        }
        Ok(Self { config, url, rooms: Vec::new() })
    }

    pub(super) fn address(&self) -> &str {
        &self.url
    }

    async fn api(&self) -> Result<Api, LoadError> {
        let mut api =
            Api::connect(&self.url, self.config.token.clone(), self.config.timeout).await?;
        api.begin().await?;
        Ok(api)
    }

    pub(super) async fn prepare(&mut self, rooms: &Rooms) -> Result<(), LoadError> {
        if !self.config.rooms.is_empty() {
            // Numbers by default; strings where `string_ids` is set.
            let id =
                |name: &String| name.parse::<u64>().map_or_else(|_| json!(name), |id| json!(id));
            let of = |name| Room { id: id(name), secret: String::new(), ours: false };
            self.rooms = self.config.rooms.iter().map(of).collect();
            return Ok(());
        }
        let mut api = self.api().await?;
        let handle = api.attach().await?;
        let base: u64 = rand::rng().random_range(1 << 40..1 << 50);
        for number in 0..u64::from(rooms.count) {
            let secret = format!("{:032x}", rand::rng().random::<u128>());
            let id = json!(base + number);
            let list = |kind| {
                let of_kind = rooms.codecs.iter().filter(|codec| codec.kind() == kind);
                let mut names: Vec<String> = of_kind.map(|codec| lower(*codec)).collect();
                names.dedup();
                names.join(",")
            };
            let mut body = json!({
                "request": "create",
                "room": id,
                "description": "load test",
                "is_private": true,
                "secret": secret,
                "publishers": rooms.publishers.max(1),
                "bitrate": 0,
                "permanent": false,
            });
            for (key, kind) in [("videocodec", MediaKind::Video), ("audiocodec", MediaKind::Audio)]
            {
                let names = list(kind);
                if !names.is_empty() {
                    body[key] = json!(names);
                }
            }
            api.ask(handle, body, None).await?;
            self.rooms.push(Room { id, secret, ours: true });
        }
        api.close().await;
        Ok(())
    }

    pub(super) async fn clean(&self) {
        let removing = async {
            let mut api = self.api().await?;
            let handle = api.attach().await?;
            for room in self.rooms.iter().filter(|room| room.ours) {
                let body = json!({"request": "destroy", "room": room.id, "secret": room.secret});
                api.ask(handle, body, None).await?;
            }
            api.close().await;
            Ok::<(), LoadError>(())
        };
        // A server that is gone has no rooms either.
        let _ = removing.await;
    }

    pub(super) async fn join(
        &self,
        engine: &Engine,
        person: PersonPlan,
    ) -> Result<Presence, LoadError> {
        let room = usize::try_from(person.room)
            .ok()
            .and_then(|room| self.rooms.get(room % self.rooms.len().max(1)))
            .ok_or_else(|| LoadError::Usage("there is no room".to_owned()))?;
        let here = Person::new(self, engine.clone(), person, room.id.clone()).await?;
        let (ready, connected) = oneshot::channel();
        let presence = Presence::keep(move |told| async move { here.stay(ready, told).await });
        match connected.await {
            Ok(Ok(())) => Ok(presence),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LoadError::Target("the person's task ended".to_owned())),
        }
    }
}

fn lower(codec: Codec) -> String {
    codec.name().to_ascii_lowercase()
}
