//! Scenarios: who comes when, and sends and receives what. TOML files; some are built in.

mod check;
mod overrides;
mod people;
mod values;

pub use overrides::Override;
pub use people::Crowd;
pub use values::{Bitrate, Share, Size, Time};

use crate::error::LoadError;
use crate::plan::{Codec, Pacing, Verify};
use crate::report::Threshold;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Names and texts of those that come with the tool.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("one_to_many", include_str!("../../scenarios/one_to_many.toml")),
    ("meeting", include_str!("../../scenarios/meeting.toml")),
    ("large_meeting", include_str!("../../scenarios/large_meeting.toml")),
    ("webinar", include_str!("../../scenarios/webinar.toml")),
    ("churn", include_str!("../../scenarios/churn.toml")),
    ("lossy", include_str!("../../scenarios/lossy.toml")),
    ("simulcast_squeeze", include_str!("../../scenarios/simulcast_squeeze.toml")),
];

/// A scenario as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// In one sentence.
    #[serde(default)]
    pub about: String,
    /// How many rooms, each with all the roles.
    #[serde(default = "one")]
    pub rooms: u32,
    /// How long after a change of people nothing counts yet.
    #[serde(default)]
    pub warm_up: Time,
    /// How received packets are looked at, unless the command line says it.
    #[serde(default)]
    pub verify: Option<Verify>,
    /// What the run is judged by.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Who there is.
    pub roles: BTreeMap<String, Role>,
    /// What happens, one after the other.
    pub stages: Vec<Stage>,
}

fn one() -> u32 {
    1
}

/// People who do the same.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// How many in each room.
    pub count: u32,
    /// What each sends.
    #[serde(default)]
    pub publish: Vec<Publish>,
    /// What each receives; nothing without.
    #[serde(default)]
    pub receive: Receive,
    /// What their network does to their packets.
    #[serde(default)]
    pub network: Network,
}

/// One track that is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// What it shows.
    pub source: Source,
    /// Opus for what is heard, VP8 for what is seen, unless it says another.
    #[serde(default)]
    pub codec: Option<Codec>,
    /// Of the only stream.
    #[serde(default)]
    pub bitrate: Option<Bitrate>,
    /// Of the only stream.
    #[serde(default)]
    pub fps: Option<f64>,
    /// Of the only stream.
    #[serde(default)]
    pub size: Option<Size>,
    /// Simulcast instead of the three above, the smallest first.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// 1 to 3.
    #[serde(default)]
    pub temporal_layers: Option<u8>,
    /// A key frame at least this often.
    #[serde(default)]
    pub key_frame_interval: Option<Time>,
    /// `"burst"`, `"paced"` (2.5, as libwebrtc), or a number.
    #[serde(default, deserialize_with = "values::pacing")]
    pub pacing: Option<Pacing>,
    /// Taking turns in speaking.
    #[serde(default)]
    pub talk: Option<Talk>,
    /// Recorded media instead of synthetic.
    #[serde(default)]
    pub file: Option<PathBuf>,
}

/// A simulcast layer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Its name (RFC 8851).
    pub rid: String,
    /// Pixels.
    pub size: Size,
    /// Bits a second.
    pub bitrate: Bitrate,
    /// Frames a second; 30 without.
    #[serde(default)]
    pub fps: Option<f64>,
}

/// Turns of speaking: one after the other in each room.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// How long a turn lasts.
    pub turn: Time,
    /// Silence after each turn.
    #[serde(default)]
    pub pause: Time,
    /// When the first turn begins, from the start of the run.
    #[serde(default)]
    pub start: Time,
    /// From one's turn to one's next; as long as it takes for all to have had theirs without.
    #[serde(default)]
    pub cycle: Option<Time>,
    /// How many of the role in a room ever speak; all without.
    #[serde(default)]
    pub speakers: Option<u32>,
    /// Silence is sent as DTX: one packet each 400 ms.
    #[serde(default)]
    pub dtx: bool,
}

/// What somebody receives.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    /// Voices.
    #[serde(default)]
    pub audio: u16,
    /// Pictures.
    #[serde(default)]
    pub video: u16,
    /// How large each picture is shown; no limit without.
    #[serde(default)]
    pub size: Option<Size>,
    /// Frames a second that are wanted; no limit without.
    #[serde(default)]
    pub fps: u16,
}

/// What a network does, in both directions.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Share of packets that get lost.
    #[serde(default)]
    pub loss: Share,
    /// One way.
    #[serde(default)]
    pub delay: Time,
    /// Up to so much more.
    #[serde(default)]
    pub jitter: Time,
    /// Bits a second towards them; no limit without.
    #[serde(default)]
    pub down: Option<Bitrate>,
}

/// One part of the run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// How long it lasts.
    pub duration: Time,
    /// Towards this share of each role's count, linearly over the stage; 1 without.
    #[serde(default)]
    pub factor: Option<f64>,
    /// Towards so many of a role in each room instead.
    #[serde(default)]
    pub people: BTreeMap<String, u32>,
    /// So many of a role leave each second, in all rooms together, and as many others come.
    #[serde(default)]
    pub churn: BTreeMap<String, f64>,
}

/// What a track shows, as in [`crate::plan::SourceKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
    /// A screen.
    Screen,
    /// Its sound.
    ScreenAudio,
}

impl Scenario {
    /// Reads a text, changes it, and looks whether it makes sense.
    ///
    /// # Errors
    /// [`LoadError::Usage`] with the line of what is unknown or cannot be, or with the name of the change.
    pub fn parse(name: &str, text: &str, overrides: &[Override]) -> Result<Self, LoadError> {
        let usage = |error: String| LoadError::Usage(error);
        let mut scenario: Self = toml::from_str(text)
            .map_err(|error| usage(format!("scenario {name}: {}", error.to_string().trim_end())))?;
        if !overrides.is_empty() {
            let mut table: toml::Table =
                text.parse().map_err(|error| usage(format!("scenario {name}: {error}")))?;
            for one in overrides {
                scenario = one.apply(&mut table).map_err(usage)?;
            }
        }
        scenario.check().map_err(|error| usage(format!("scenario {name}: {error}")))?;
        Ok(scenario)
    }

    /// A built-in one by name, else a file.
    ///
    /// # Errors
    /// [`LoadError::Usage`] when there is neither, or as [`Self::parse`].
    pub fn load(name: &str, overrides: &[Override]) -> Result<Self, LoadError> {
        let text = text_of(name)?;
        Self::parse(name, &text, overrides)
    }
}

/// The TOML of a built-in scenario or of a file.
///
/// # Errors
/// [`LoadError::Usage`] when there is neither.
pub fn text_of(name: &str) -> Result<String, LoadError> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Ok((*text).to_owned());
    }
    std::fs::read_to_string(name).map_err(|error| {
        let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        LoadError::Usage(format!(
            "scenario {name}: {error}; built in are {}, anything else is a file",
            names.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests;
