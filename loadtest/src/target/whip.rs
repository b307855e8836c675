//! WHIP (RFC 9725) to publish, WHEP (draft-ietf-wish-whep) to play: one HTTP request each.

use super::http::Http;
use super::links::Links;
use super::{Presence, Rooms, TargetConfig, bad_sdp, connection, late};
use crate::engine::Engine;
use crate::error::LoadError;
use crate::plan::{PersonPlan, TrackPlan};
use crate::sdp::{self, Receive};
use reqwest::{Method, StatusCode, Url};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody who wants to play looks whether somebody publishes.
const LOOK: Duration = Duration::from_millis(100);

/// Any server with WHIP and WHEP.
#[derive(Debug)]
pub struct Whip {
    config: TargetConfig,
    http: Http,
    rooms: Vec<String>,
    /// Who publishes now, by room.
    streams: Arc<Mutex<BTreeMap<u32, Vec<String>>>>,
}

impl Whip {
    pub(super) fn new(config: TargetConfig) -> Result<Self, LoadError> {
        if config.publish_url.is_none() && config.play_url.is_none() {
            let text = "--target whip needs --publish-url, --play-url or both, for example \
                        --publish-url http://127.0.0.1:8889/{stream}/whip";
            return Err(LoadError::Usage(text.to_owned()));
        }
        for (name, url) in
            [("--publish-url", &config.publish_url), ("--play-url", &config.play_url)]
        {
            let Some(url) = url else { continue };
            let filled = fill(url, "room", "stream");
            if !matches!(filled.as_ref().map(Url::scheme), Ok("http" | "https")) {
                let text = format!("{name} {url:?} is no http:// or https:// URL");
                return Err(LoadError::Usage(text));
            }
        }
        let http = Http::new(config.timeout)?;
        let rooms = config.rooms.clone();
        Ok(Self { config, http, rooms, streams: Arc::default() })
    }

    pub(super) fn address(&self) -> String {
        let urls = [&self.config.publish_url, &self.config.play_url];
        urls.into_iter().flatten().next().cloned().unwrap_or_default()
    }

    pub(super) fn prepare(&mut self, rooms: &Rooms) {
        if self.rooms.is_empty() {
            self.rooms = (0..rooms.count).map(|number| format!("load-{number}")).collect();
        }
    }

    pub(super) async fn join(
        &self,
        engine: &Engine,
        person: PersonPlan,
    ) -> Result<Presence, LoadError> {
        let begun = Instant::now();
        let mut begun_all = Begun { whip: self, links: Links::default(), resources: Vec::new() };
        match begun_all.join(engine, &person, begun).await {
            Ok(published) => {
                let Begun { links, resources, .. } = begun_all;
                let (http, token) = (self.http.clone(), self.config.token.clone());
                Ok(Presence::keep(move |mut told| async move {
                    let mut links = links;
                    let why = tokio::select! {
                        why = links.ended() => why,
                        _ = &mut told => "left".to_owned(),
                    };
                    drop((published, links));
                    delete(&http, token.as_deref(), &resources).await;
                    why
                }))
            }
            Err(error) => {
                delete(&self.http, self.config.token.as_deref(), &begun_all.resources).await;
                Err(error)
            }
        }
    }

    fn room(&self, person: &PersonPlan) -> &str {
        let room = usize::try_from(person.room).unwrap_or_default();
        self.rooms.get(room % self.rooms.len().max(1)).map_or("load-0", String::as_str)
    }

    /// Streams to play: as many as somebody wants to see or hear, of others, at least one.
    async fn streams(&self, person: &PersonPlan) -> Result<Vec<String>, LoadError> {
        let most = usize::from(person.video_slots.max(person.audio_slots));
        let begun = Instant::now();
        loop {
            let found: Vec<String> = {
                let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
                let all = streams.get(&person.room).into_iter().flatten();
                all.filter(|name| **name != person.name).take(most).cloned().collect()
            };
            // Who publishes may be the first in the room, who only plays needs somebody.
            if !found.is_empty() || !person.publish.is_empty() {
                return Ok(found);
            }
            if begun.elapsed() > self.config.timeout {
                return Err(late("nobody published in this room", self.config.timeout));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A join under way.
struct Begun<'a> {
    whip: &'a Whip,
    links: Links,
    /// Where to DELETE.
    resources: Vec<Url>,
}

/// In the list of streams until dropped.
struct Published {
    streams: Arc<Mutex<BTreeMap<u32, Vec<String>>>>,
    room: u32,
    name: String,
}

impl Drop for Published {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = streams.get_mut(&self.room) {
            names.retain(|name| *name != self.name);
        }
    }
}

impl Begun<'_> {
    async fn join(
        &mut self,
        engine: &Engine,
        person: &PersonPlan,
        begun: Instant,
    ) -> Result<Option<Published>, LoadError> {
        let (config, room) = (&self.whip.config, self.whip.room(person));
        let mut published = None;
        if !person.publish.is_empty() {
            let template = config.publish_url.as_deref().ok_or_else(|| {
                LoadError::Usage(format!("{} publishes: give --publish-url", person.role))
            })?;
            let url = fill(template, room, &person.name)?;
            let tracks = person.publish.clone();
            self.open(engine, person, tracks, &Receive::default(), &url, begun).await?;
        }
        if person.audio_slots > 0 || person.video_slots > 0 {
            let template = config.play_url.as_deref().ok_or_else(|| {
                LoadError::Usage(format!("{} plays: give --play-url", person.role))
            })?;
            let codecs = person.receive_codecs.clone();
            if template.contains("{stream}") {
                let receive = Receive {
                    audio: person.audio_slots.min(1),
                    video: person.video_slots.min(1),
                    codecs,
                };
                for stream in self.whip.streams(person).await? {
                    let url = fill(template, room, &stream)?;
                    self.open(engine, person, Vec::new(), &receive, &url, begun).await?;
                }
            } else {
                let (audio, video) = (person.audio_slots, person.video_slots);
                let receive = Receive { audio, video, codecs };
                let url = fill(template, room, &person.name)?;
                self.open(engine, person, Vec::new(), &receive, &url, begun).await?;
            }
        }
        self.links.connected(config.timeout).await?;
        if !person.publish.is_empty() {
            let streams = Arc::clone(&self.whip.streams);
            let (room, name) = (person.room, person.name.clone());
            let mut all = streams.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(room).or_default().push(name.clone());
            drop(all);
            published = Some(Published { streams, room, name });
        }
        Ok(published)
    }

    async fn open(
        &mut self,
        engine: &Engine,
        person: &PersonPlan,
        publish: Vec<TrackPlan>,
        receive: &Receive,
        url: &Url,
        begun: Instant,
    ) -> Result<(), LoadError> {
        let connection = engine.open(connection(person, publish, begun)).await?;
        let offer = sdp::offer(&connection.local, receive);
        let content = Some(("application/sdp", offer.text.clone()));
        let token = self.whip.config.token.as_deref();
        let answer = self.whip.http.send(Method::POST, url, token, content).await?;
        if answer.status != StatusCode::CREATED {
            return Err(answer.refusal());
        }
        self.resources.extend(answer.location());
        let negotiated = offer.read_answer(&answer.body).map_err(|error| bad_sdp(&error))?;
        self.links.connect(connection, negotiated);
        Ok(())
    }
}

async fn delete(http: &Http, token: Option<&str>, resources: &[Url]) {
    for url in resources {
        let _ = http.send(Method::DELETE, url, token, None).await;
    }
}

/// A URL with its placeholders filled.
fn fill(template: &str, room: &str, stream: &str) -> Result<Url, LoadError> {
    let filled = template.replace("{room}", room).replace("{stream}", stream);
    Url::parse(&filled).map_err(|error| LoadError::Usage(format!("{filled:?} is no URL: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled() {
        let url = fill("https://a.example/{room}/whip/{stream}?x=1", "r1", "s-2").unwrap();
        assert_eq!(url.as_str(), "https://a.example/r1/whip/s-2?x=1");
        assert!(fill("not a url", "", "").is_err());
    }
}
