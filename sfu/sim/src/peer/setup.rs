//! What a peer is made from.

use std::time::Duration;
use weir_sfu_api::{CodecKind, Rights, SlotPolicy, SourceKind};

/// What a peer publishes in one m-line.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it shows.
    pub kind: SourceKind,
    /// Its codec.
    pub codec: CodecKind,
    /// Three rids q, h and f instead of one layer.
    pub simulcast: bool,
    /// Of the only layer.
    pub bitrate_bps: u64,
    /// Frames per second of video; audio has 50.
    pub fps: u32,
    /// First sequence number, random without.
    pub first_seq: Option<u16>,
}

impl Source {
    /// Opus.
    #[must_use]
    pub fn microphone() -> Self {
        Self {
            kind: SourceKind::Microphone,
            codec: CodecKind::Opus,
            simulcast: false,
            bitrate_bps: 40_000,
            fps: 50,
            first_seq: None,
        }
    }

    /// VP8 at 800 kbit/s and 25 frames per second.
    #[must_use]
    pub fn camera() -> Self {
        Self {
            kind: SourceKind::Camera,
            codec: CodecKind::Vp8,
            bitrate_bps: 800_000,
            fps: 25,
            ..Self::microphone()
        }
    }

    /// Three layers.
    #[must_use]
    pub fn simulcast_camera() -> Self {
        Self { simulcast: true, ..Self::camera() }
    }

    /// With another codec.
    #[must_use]
    pub fn with_codec(self, codec: CodecKind) -> Self {
        Self { codec, ..self }
    }
}

/// What a peer is made from.
#[derive(Debug, Clone)]
pub struct PeerSetup {
    /// Its id; also the source id in its media.
    pub id: u64,
    /// Its room.
    pub room: u64,
    /// What it may do.
    pub rights: Rights,
    /// How its slots are filled.
    pub policy: SlotPolicy,
    /// What it publishes.
    pub publish: Vec<Source>,
    /// Receiving m-lines for audio.
    pub audio_slots: usize,
    /// Receiving m-lines for video.
    pub video_slots: usize,
    /// Which payload types and extension ids it uses: 0 or 1.
    pub dialect: u8,
    /// Transport-wide feedback, else REMB.
    pub transport_cc: bool,
    /// Video codecs it cannot receive.
    pub without: Vec<CodecKind>,
    /// How far its clock is ahead of the server's.
    pub clock_ahead: Duration,
    /// A real DTLS handshake instead of given keys: takes true randomness.
    pub handshake: bool,
}

impl PeerSetup {
    /// Receives three of each kind, publishes nothing.
    #[must_use]
    pub fn new(id: u64, room: u64) -> Self {
        Self {
            id,
            room,
            rights: Rights::ALL,
            policy: SlotPolicy::JoinOrder,
            publish: Vec::new(),
            audio_slots: 3,
            video_slots: 3,
            dialect: (id % 2) as u8,
            transport_cc: true,
            without: Vec::new(),
            clock_ahead: Duration::from_secs(3_600 * (id % 5)),
            handshake: false,
        }
    }

    /// Publishes this too.
    #[must_use]
    pub fn publish(mut self, source: Source) -> Self {
        self.publish.push(source);
        self
    }

    /// Publishes microphone and camera.
    #[must_use]
    pub fn talking(self) -> Self {
        self.publish(Source::microphone()).publish(Source::camera())
    }

    /// Has so many slots.
    #[must_use]
    pub fn slots(self, audio_slots: usize, video_slots: usize) -> Self {
        Self { audio_slots, video_slots, ..self }
    }
}
