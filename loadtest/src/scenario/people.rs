//! The people of a scenario: how many at each moment, and what each does.

use super::{Publish, Role, Scenario, Size, Source, Stage, Talk};
use crate::plan::{
    Codec, Impairment, LayerPlan, MediaKind, Pacing, PersonPlan, SourceKind, TalkPlan, TilePlan,
    TrackPlan, Verify,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many of each role are to be there, in all rooms together.
pub type Crowd = BTreeMap<String, u32>;

const AUDIO_BPS: u64 = 40_000;
const VIDEO_BPS: u64 = 1_500_000;
const AUDIO_FPS: f64 = 50.0;
const VIDEO_FPS: f64 = 30.0;
const VIDEO_SIZE: Size = Size { width: 1280, height: 720 };
const KEY_FRAME_INTERVAL: Duration = Duration::from_secs(10);
/// Never within a run.
const NEVER: Duration = Duration::from_secs(1 << 32);

impl Scenario {
    /// Roles in the order in which they come: who publishes first, then by name.
    #[must_use]
    pub fn order(&self) -> Vec<&str> {
        let mut names: Vec<(&str, bool)> = self
            .roles
            .iter()
            .map(|(name, role)| (name.as_str(), role.publish.is_empty()))
            .collect();
        names.sort_by_key(|(name, watches)| (*watches, *name));
        names.into_iter().map(|(name, _)| name).collect()
    }

    /// How many are to be there at the end of a stage.
    #[must_use]
    pub fn crowd(&self, stage: &Stage) -> Crowd {
        let of = |(name, role): (&String, &Role)| (name.clone(), self.each(stage, name, role));
        self.roles
            .iter()
            .map(of)
            .map(|(name, each)| (name, each.saturating_mul(self.rooms)))
            .collect()
    }

    /// Of one role in one room at the end of a stage.
    fn each(&self, stage: &Stage, name: &str, role: &Role) -> u32 {
        if let Some(count) = stage.people.get(name) {
            return *count;
        }
        let scaled = (f64::from(role.count) * stage.factor.unwrap_or(1.0)).round();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked: casts saturate"
        )]
        let scaled = scaled as u32;
        scaled
    }

    /// The most of a role that are ever in one room.
    #[must_use]
    pub fn most(&self, name: &str) -> u32 {
        let Some(role) = self.roles.get(name) else { return 0 };
        self.stages.iter().map(|stage| self.each(stage, name, role)).max().unwrap_or(0)
    }

    /// Everything that anybody sends.
    #[must_use]
    pub fn codecs(&self) -> Vec<Codec> {
        let mut all: Vec<Codec> =
            self.roles.values().flat_map(|role| role.publish.iter().map(Publish::codec)).collect();
        all.dedup();
        let mut unique = Vec::new();
        for codec in all {
            if !unique.contains(&codec) {
                unique.push(codec);
            }
        }
        unique
    }

    /// Whether nobody comes or goes by plan in a stage, given who was there before.
    #[must_use]
    pub fn is_steady(&self, before: &Crowd, stage: &Stage) -> bool {
        let after = self.crowd(stage);
        after.iter().all(|(name, count)| before.get(name).copied().unwrap_or(0) == *count)
    }

    /// The `number`th of a role to come, from 0; rooms take them in turn.
    #[must_use]
    pub fn person(&self, role: &str, number: u32, verify: Verify) -> Option<PersonPlan> {
        let plan = self.roles.get(role)?;
        let rooms = self.rooms.max(1);
        let (room, place) = (number % rooms, number / rooms);
        let size = plan.receive.size;
        let network = plan.network;
        Some(PersonPlan {
            name: format!("{role}-{number}"),
            role: role.to_owned(),
            room,
            publish: plan
                .publish
                .iter()
                .map(|track| track.plan(place % plan.count.max(1), plan.count))
                .collect(),
            audio_slots: plan.receive.audio,
            video_slots: plan.receive.video,
            tile: TilePlan {
                width: size.map_or(0, |size| size.width),
                height: size.map_or(0, |size| size.height),
                fps: plan.receive.fps,
            },
            receive_codecs: self.codecs(),
            verify,
            waits: false,
            impairment: Impairment {
                loss: network.loss.0,
                delay: network.delay.0,
                jitter: network.jitter.0,
                down_bps: network.down.map(|bitrate| bitrate.0),
            },
        })
    }
}

impl Publish {
    /// The layers, or the only stream.
    pub(super) fn layer_plans(&self) -> Vec<LayerPlan> {
        let video = self.source.kind() == MediaKind::Video;
        if self.layers.is_empty() {
            let size = self.size.unwrap_or(VIDEO_SIZE);
            return vec![LayerPlan {
                rid: None,
                bitrate_bps: self
                    .bitrate
                    .map_or(if video { VIDEO_BPS } else { AUDIO_BPS }, |b| b.0),
                fps: self.fps.unwrap_or(if video { VIDEO_FPS } else { AUDIO_FPS }),
                width: if video { size.width } else { 0 },
                height: if video { size.height } else { 0 },
            }];
        }
        let of = |layer: &super::Layer| LayerPlan {
            rid: Some(layer.rid.clone()),
            bitrate_bps: layer.bitrate.0,
            fps: layer.fps.unwrap_or(VIDEO_FPS),
            width: layer.size.width,
            height: layer.size.height,
        };
        self.layers.iter().map(of).collect()
    }

    /// Of the `place`th of `count` in a room.
    fn plan(&self, place: u32, count: u32) -> TrackPlan {
        TrackPlan {
            source: match self.source {
                Source::Microphone => SourceKind::Microphone,
                Source::Camera => SourceKind::Camera,
                Source::Screen => SourceKind::Screen,
                Source::ScreenAudio => SourceKind::ScreenAudio,
            },
            codec: self.codec(),
            layers: self.layer_plans(),
            temporal_layers: self.temporal_layers.unwrap_or(1),
            key_frame_interval: self.key_frame_interval.map_or(KEY_FRAME_INTERVAL, |time| time.0),
            pacing: self.pacing.unwrap_or(Pacing::Paced(2.5)),
            talk: self.talk.map(|talk| talk.plan(place, count)),
            file: self.file.clone(),
        }
    }
}

impl Talk {
    fn plan(self, place: u32, count: u32) -> TalkPlan {
        let speakers = self.speakers.unwrap_or(count).min(count);
        let step = self.turn.0 + self.pause.0;
        let cycle = self.cycle.map_or(step * speakers, |cycle| cycle.0);
        let (offset, cycle) =
            if place < speakers { (self.start.0 + step * place, cycle) } else { (NEVER, NEVER) };
        TalkPlan { offset, spurt: self.turn.0, cycle, dtx: self.dtx }
    }
}
