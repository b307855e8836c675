//! One participant of a VideoRoom.

use super::Janus;
use super::api::Api;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::plan::PersonPlan;
use crate::sdp::{self, Receive};
use crate::target::links::Links;
use crate::target::{bad_sdp, connection, late};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Janus ends sessions that say nothing for 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// How often somebody who only watches looks whether somebody publishes.
const LOOK: Duration = Duration::from_millis(200);

pub(super) struct Person {
    api: Api,
    engine: Engine,
    plan: PersonPlan,
    room: Value,
    timeout: Duration,
    begun: Instant,
    links: Links,
    /// Handle and our connection's number.
    publishing: Option<(u64, usize)>,
    subscribing: Option<(u64, usize)>,
    /// Feeds that are subscribed to.
    feeds: Vec<Value>,
}

impl Person {
    /// Says hello, publishes and subscribes; the media is not connected yet.
    pub(super) async fn new(
        janus: &Janus,
        engine: Engine,
        plan: PersonPlan,
        room: Value,
    ) -> Result<Self, LoadError> {
        let begun = Instant::now();
        let api = janus.api().await?;
        let mut person = Self {
            api,
            engine,
            plan,
            room,
            timeout: janus.config.timeout,
            begun,
            links: Links::default(),
            publishing: None,
            subscribing: None,
            feeds: Vec::new(),
        };
        let wants = person.plan.audio_slots > 0 || person.plan.video_slots > 0;
        if person.plan.publish.is_empty() {
            if wants {
                let feeds = person.look_for_feeds().await?;
                person.subscribe(feeds).await?;
            }
        } else {
            let feeds = person.publish().await?;
            if wants {
                person.subscribe(feeds).await?;
            }
        }
        Ok(person)
    }

    /// Keeps it there: `ready` is told once, when all is connected or when that failed.
    pub(super) async fn stay(
        mut self,
        ready: oneshot::Sender<Result<(), LoadError>>,
        mut told: oneshot::Receiver<()>,
    ) -> String {
        let mut ready = Some(ready);
        let deadline = tokio::time::sleep(self.timeout);
        tokio::pin!(deadline);
        let mut beat = tokio::time::interval(KEEP_ALIVE);
        let result = loop {
            if ready.is_some()
                && self.links.is_connected()
                && let Some(ready) = ready.take()
                && ready.send(Ok(())).is_err()
            {
                break Err(LoadError::Target("nobody waits for it any more".to_owned()));
            }
            tokio::select! {
                changed = self.links.next() => {
                    if let Err(why) = changed {
                        break Err(LoadError::Target(why));
                    }
                }
                message = self.api.next() => {
                    let handled = match message {
                        Ok(message) => self.handle(&message).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = handled {
                        break Err(error);
                    }
                }
                _ = beat.tick() => {
                    if let Err(error) = self.api.keep_alive().await {
                        break Err(error);
                    }
                }
                () = &mut deadline, if ready.is_some() => break Err(self.links.late(self.timeout)),
                // A handle that is dropped before it was ready means the same.
                _ = &mut told => break Ok(()),
            }
        };
        drop(self.links);
        let closing = self.api.close();
        let _ = tokio::time::timeout(Duration::from_secs(1), closing).await;
        match result {
            Ok(()) => "left".to_owned(),
            Err(error) => {
                let why = error.to_string();
                if let Some(ready) = ready {
                    let _ = ready.send(Err(error));
                }
                why
            }
        }
    }

    /// What comes by itself: candidates, new publishers, new offers, the end.
    async fn handle(&mut self, message: &Value) -> Result<(), LoadError> {
        let sender = message["sender"].as_u64();
        match message["janus"].as_str() {
            Some("trickle") => {
                let text = message["candidate"]["candidate"].as_str().unwrap_or_default();
                let link = [self.publishing, self.subscribing]
                    .into_iter()
                    .flatten()
                    .find(|(handle, _)| Some(*handle) == sender);
                if let (Some(address), Some((_, number))) = (sdp::candidate(text), link)
                    && let Some(connection) = self.links.get(number)
                {
                    connection.add_candidate(address);
                }
            }
            Some("hangup") => {
                let reason = message["reason"].as_str().unwrap_or("without a reason");
                return Err(LoadError::Target(format!("Janus hung up: {reason}")));
            }
            Some("timeout") => {
                return Err(LoadError::Target("Janus let the session time out".to_owned()));
            }
            Some("event") => {
                if let (Some(offer), Some((handle, number))) =
                    (message["jsep"]["sdp"].as_str(), self.subscribing)
                    && Some(handle) == sender
                {
                    return self.take_offer(handle, number, offer).await;
                }
                let data = &message["plugindata"]["data"];
                let wants = self.plan.audio_slots > 0 || self.plan.video_slots > 0;
                if wants && let Some(list) = data["publishers"].as_array() {
                    let feeds: Vec<Value> = list.iter().map(|one| one["id"].clone()).collect();
                    // Whoever was alone until now has not been joining all the while.
                    self.begun = Instant::now();
                    self.subscribe(feeds).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Joins as a participant and publishes; gives who is there.
    async fn publish(&mut self) -> Result<Vec<Value>, LoadError> {
        let handle = self.api.attach().await?;
        let body = json!({
            "request": "join", "ptype": "publisher", "room": self.room, "display": self.plan.name,
        });
        let (joined, _) = self.api.ask(handle, body, None).await?;
        let plan = connection(&self.plan, self.plan.publish.clone(), self.begun);
        let connection = self.engine.open(plan).await?;
        let offer = sdp::offer(&connection.local, &Receive::default());
        let jsep = json!({"type": "offer", "sdp": offer.text});
        let (_, answer) = self.api.ask(handle, json!({"request": "publish"}), Some(jsep)).await?;
        self.api.candidates_complete(handle).await?;
        let answer = answer.ok_or_else(|| no_description("publish"))?;
        let negotiated = offer.read_answer(&answer).map_err(|error| bad_sdp(&error))?;
        let number = self.links.connect(connection, negotiated);
        self.publishing = Some((handle, number));
        let list = joined["publishers"].as_array().into_iter().flatten();
        Ok(list.map(|one| one["id"].clone()).collect())
    }

    /// Waits until somebody publishes.
    async fn look_for_feeds(&mut self) -> Result<Vec<Value>, LoadError> {
        let handle = self.api.attach().await?;
        // Kept for the subscription.
        self.subscribing = Some((handle, usize::MAX));
        loop {
            let body = json!({"request": "listparticipants", "room": self.room});
            let (data, _) = self.api.ask(handle, body, None).await?;
            let list = data["participants"].as_array().into_iter().flatten();
            let feeds: Vec<Value> =
                list.filter(|one| one["publisher"] == true).map(|one| one["id"].clone()).collect();
            if !feeds.is_empty() {
                return Ok(feeds);
            }
            if self.begun.elapsed() > self.timeout {
                return Err(late("nobody published in this room", self.timeout));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Subscribes to those of `feeds` for which there is room.
    async fn subscribe(&mut self, feeds: Vec<Value>) -> Result<(), LoadError> {
        let most = usize::from(self.plan.video_slots.max(self.plan.audio_slots));
        let free = most.saturating_sub(self.feeds.len());
        let known = std::mem::take(&mut self.feeds);
        let new: Vec<Value> =
            feeds.into_iter().filter(|feed| !known.contains(feed)).take(free).collect();
        self.feeds = known;
        if new.is_empty() {
            return Ok(());
        }
        let streams: Vec<Value> = new.iter().map(|feed| self.stream(feed)).collect();
        self.feeds.extend(new);
        match self.subscribing {
            Some((handle, number)) if number != usize::MAX => {
                let body = json!({"request": "subscribe", "streams": streams});
                let (_, offer) = self.api.ask(handle, body, None).await?;
                // Without one, the next event brings it.
                match offer {
                    Some(offer) => self.take_offer(handle, number, &offer).await,
                    None => Ok(()),
                }
            }
            other => {
                let handle = match other {
                    Some((handle, _)) => handle,
                    None => self.api.attach().await?,
                };
                let body = json!({
                    "request": "join", "ptype": "subscriber", "room": self.room, "streams": streams,
                });
                let (_, offer) = self.api.ask(handle, body, None).await?;
                let offer = offer.ok_or_else(|| no_description("join as a subscriber"))?;
                let plan = connection(&self.plan, Vec::new(), self.begun);
                let connection = self.engine.open(plan).await?;
                let wanted = &self.plan.receive_codecs;
                let (answer, negotiated) = sdp::answer(&connection.local, &offer, wanted)
                    .map_err(|error| bad_sdp(&error))?;
                self.start(handle, answer).await?;
                let number = self.links.connect(connection, negotiated);
                self.subscribing = Some((handle, number));
                Ok(())
            }
        }
    }

    /// What is asked for of a feed: all of it, in the substream that fits the tile.
    fn stream(&self, feed: &Value) -> Value {
        let mut stream = json!({"feed": feed});
        let height = self.plan.tile.height;
        if height != 0 {
            // libwebrtc's three layers of 720p are 180, 360 and 720 lines high.
            let substream = if height <= 180 { 0 } else { u8::from(height > 360) + 1 };
            stream["substream"] = json!(substream);
        }
        stream
    }

    /// A subscription's new offer.
    async fn take_offer(
        &mut self,
        handle: u64,
        number: usize,
        offer: &str,
    ) -> Result<(), LoadError> {
        let Some(connection) = self.links.get(number) else { return Ok(()) };
        let wanted = &self.plan.receive_codecs;
        match sdp::answer(&connection.local, offer, wanted) {
            Ok((answer, negotiated)) => {
                connection.connect(negotiated);
                self.start(handle, answer).await
            }
            Err(error) => Err(bad_sdp(&error)),
        }
    }

    async fn start(&mut self, handle: u64, answer: String) -> Result<(), LoadError> {
        let jsep = json!({"type": "answer", "sdp": answer});
        self.api.ask(handle, json!({"request": "start"}), Some(jsep)).await?;
        self.api.candidates_complete(handle).await
    }
}

fn no_description(what: &str) -> LoadError {
    LoadError::Target(format!("Janus answered {what} without a session description"))
}
