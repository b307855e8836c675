//! Whether a scenario makes sense.

use super::{Publish, Role, Scenario, Source};
use crate::plan::{Codec, MediaKind};

/// Rooms and people of one run: each person is a socket, a WebSocket and some 100 KiB here.
const MOST_PEOPLE: u64 = 100_000;

impl Scenario {
    /// Looks for what cannot be.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.rooms == 0 {
            return Err("rooms = 0: there must be one".to_owned());
        }
        if self.roles.is_empty() || self.stages.is_empty() {
            return Err("there must be a role and a stage".to_owned());
        }
        for (name, role) in &self.roles {
            role.check().map_err(|error| format!("roles.{name}{error}"))?;
        }
        for stage in &self.stages {
            let at = |error: String| format!("stages.{}{error}", stage.name);
            let factor = stage.factor.unwrap_or(1.0);
            if !(0.0..=1000.0).contains(&factor) {
                return Err(at(format!(".factor = {factor}: from 0 to 1000")));
            }
            let named = stage.people.keys().chain(stage.churn.keys());
            if let Some(name) = named.into_iter().find(|name| !self.roles.contains_key(*name)) {
                let names: Vec<&str> = self.roles.keys().map(String::as_str).collect();
                return Err(at(format!(": no role {name:?}, there are {}", names.join(", "))));
            }
            if stage.churn.values().any(|rate| !(0.0..=10_000.0).contains(rate)) {
                return Err(at(".churn: from 0 to 10000 a second".to_owned()));
            }
        }
        let most: u64 = self.roles.keys().map(|name| u64::from(self.most(name))).sum();
        let people = most.saturating_mul(u64::from(self.rooms));
        if people == 0 {
            return Err("nobody ever comes: all counts or factors are 0".to_owned());
        }
        if people > MOST_PEOPLE {
            return Err(format!("{people} people are more than {MOST_PEOPLE}"));
        }
        Ok(())
    }
}

impl Role {
    fn check(&self) -> Result<(), String> {
        for (index, track) in self.publish.iter().enumerate() {
            track.check().map_err(|error| format!(".publish[{index}]{error}"))?;
            let twice = |other: &Publish| other.source == track.source;
            if self.publish.iter().take(index).any(twice) {
                return Err(format!(".publish[{index}]: its source is there already"));
            }
        }
        if !(0.0..=1.0).contains(&self.network.loss.0) {
            return Err(".network.loss: from 0 to 100%".to_owned());
        }
        if self.publish.is_empty() && self.receive.audio == 0 && self.receive.video == 0 {
            return Err(": it neither publishes nor receives".to_owned());
        }
        Ok(())
    }
}

impl Publish {
    fn check(&self) -> Result<(), String> {
        let codec = self.codec();
        let wanted = self.source.kind();
        if codec.kind() != wanted {
            return Err(format!(
                ".codec: {} is for {}, the source is {}",
                codec.name(),
                codec.kind().as_str(),
                wanted.as_str()
            ));
        }
        let video = wanted == MediaKind::Video;
        let single = self.size.is_some() || self.bitrate.is_some() || self.fps.is_some();
        if !self.layers.is_empty() && (single || !video) {
            return Err(".layers: for video only, and instead of size, bitrate and fps".to_owned());
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let good = (1..=16).contains(&layer.rid.len())
                && layer.rid.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let twice = self.layers.iter().take(index).any(|other| other.rid == layer.rid);
            if !good || twice {
                return Err(format!(
                    ".layers[{index}].rid = {:?}: 1 to 16 letters and digits, each once",
                    layer.rid
                ));
            }
        }
        if self.layers.len() > 4 {
            return Err(".layers: at most 4".to_owned());
        }
        if !(1..=3).contains(&self.temporal_layers.unwrap_or(1)) {
            return Err(".temporal_layers: 1 to 3".to_owned());
        }
        for layer in self.layer_plans() {
            if !(1.0..=240.0).contains(&layer.fps) {
                return Err(format!(".fps = {}: from 1 to 240", layer.fps));
            }
            if !(1_000..=1_000_000_000).contains(&layer.bitrate_bps) {
                return Err(format!(".bitrate = {}: from 1k to 1000M", layer.bitrate_bps));
            }
            if video && (layer.width == 0 || layer.height == 0) {
                return Err(".size: from 1x1".to_owned());
            }
        }
        if video && self.talk.is_some() {
            return Err(".talk: only what is heard speaks".to_owned());
        }
        if self.talk.is_some_and(|talk| talk.turn.0.is_zero()) {
            return Err(".talk.turn: longer than 0".to_owned());
        }
        Ok(())
    }

    /// What it is sent in.
    pub(super) fn codec(&self) -> Codec {
        self.codec.unwrap_or(match self.source.kind() {
            MediaKind::Audio => Codec::Opus,
            MediaKind::Video => Codec::Vp8,
        })
    }
}

impl Source {
    /// Audio or video.
    pub(super) fn kind(self) -> MediaKind {
        match self {
            Self::Microphone | Self::ScreenAudio => MediaKind::Audio,
            Self::Camera | Self::Screen => MediaKind::Video,
        }
    }
}
