//! What one connection sends and receives: made by [`crate::run`] from the scenario, read by
//! [`crate::target`] (which makes SDP of it) and by [`crate::engine`] (which does it).

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
pub use weir_sfu_api::{MediaKind, SourceKind};

/// A codec that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184, packetization mode 1.
    H264,
    /// The RTP payload format of AOMedia.
    Av1,
}

impl Codec {
    /// As in SDP's `rtpmap`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::Av1 => "AV1",
        }
    }

    /// Ticks a second.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        if self == Self::Opus { 48_000 } else { 90_000 }
    }

    /// Audio or video.
    #[must_use]
    pub fn kind(self) -> MediaKind {
        if self == Self::Opus { MediaKind::Audio } else { MediaKind::Video }
    }
}

/// One simulcast layer, or the only stream.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPlan {
    /// Its rid (RFC 8851); `None` for the only stream.
    pub rid: Option<String>,
    /// Bits of payload a second.
    pub bitrate_bps: u64,
    /// Frames a second; Opus has 50.
    pub fps: f64,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
}

/// How a frame's packets leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pacing {
    /// All at once.
    Burst,
    /// At this many times the stream's rate in 5 ms steps, as libwebrtc's pacer (2.5).
    Paced(f64),
}

/// When a microphone hears something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TalkPlan {
    /// Seconds from the start of the run after which this one begins to speak, again in each `cycle`.
    pub offset: Duration,
    /// How long it speaks.
    pub spurt: Duration,
    /// From the beginning of one turn to the beginning of its next.
    pub cycle: Duration,
    /// Silent: one packet each 400 ms instead of 50 a second.
    pub dtx: bool,
}

/// One published track.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackPlan {
    /// What it is.
    pub source: SourceKind,
    /// In which codec.
    pub codec: Codec,
    /// Smallest first; one without a rid is no simulcast.
    pub layers: Vec<LayerPlan>,
    /// Temporal layers in each stream, 1 to 3.
    pub temporal_layers: u8,
    /// A key frame at least this often, asked for or not.
    pub key_frame_interval: Duration,
    /// How frames leave.
    pub pacing: Pacing,
    /// Always, without.
    pub talk: Option<TalkPlan>,
    /// Recorded media (.ivf, .h264, .ogg) instead of synthetic.
    pub file: Option<PathBuf>,
}

/// How received packets are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Each packet is authenticated, decrypted, and compared with what was sent.
    All,
    /// About one in sixteen.
    Sample,
    /// None: headers are counted. No delay is measured.
    Count,
}

/// What the way of a connection does to its packets, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Impairment {
    /// 0 to 1.
    pub loss: f64,
    /// One way.
    pub delay: Duration,
    /// Each packet waits up to this long more.
    pub jitter: Duration,
    /// Bits a second towards the client; a queue of 200 ms before it.
    pub down_bps: Option<u64>,
}

/// What is asked of the server for one m-line that receives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TilePlan {
    /// Pixels; 0: no limit.
    pub width: u16,
    /// Pixels; 0: no limit.
    pub height: u16,
    /// Frames a second; 0: no limit.
    pub fps: u16,
}

/// What one participant does.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonPlan {
    /// Unique in the run: `speaker-3`.
    pub name: String,
    /// The role's name in the scenario.
    pub role: String,
    /// Number of the room, from 0.
    pub room: u32,
    /// What it sends.
    pub publish: Vec<TrackPlan>,
    /// How many audio m-lines it receives in.
    pub audio_slots: u16,
    /// How many video m-lines it receives in.
    pub video_slots: u16,
    /// How large each video is shown.
    pub tile: TilePlan,
    /// Codecs it can receive; all without.
    pub receive_codecs: Vec<Codec>,
    /// How it looks at what comes.
    pub verify: Verify,
    /// Nobody published in its room when it came: how long it waits for media tells nothing of the server.
    pub waits: bool,
    /// Its network.
    pub impairment: Impairment,
}
