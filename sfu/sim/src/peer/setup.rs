//! What a peer is made from.

use crate::content::shape::Scalability;
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
    /// Layers within each stream.
    pub scalability: Scalability,
    /// VP9: descriptors list references.
    pub flexible: bool,
    /// The dependency descriptor on codecs other than AV1, too (AV1 always has it).
    pub descriptor: bool,
    /// Payloads are random behind their descriptors.
    pub encrypted: bool,
    /// Pixels of the best layer.
    pub resolution: (u16, u16),
    /// How many times as large as others a key frame is.
    pub key_factor: u64,
    /// How many times as large as others each tenth frame is: slides that change.
    pub burst_factor: u64,
    /// A frame's packets leave at this many times the stream's rate, as libwebrtc's pacer does (with
    /// 2.5); all at once without.
    pub pace: Option<f64>,
    /// When the microphone hears something; always without.
    pub talk: Option<Talk>,
}

/// Talk spurts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Talk {
    /// Mean length of a spurt.
    pub spurt: Duration,
    /// Mean length of a pause.
    pub pause: Duration,
    /// In a pause only each 400 ms a packet, else silence goes on in packets.
    pub dtx: bool,
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
            scalability: Scalability::L1T1,
            flexible: false,
            descriptor: false,
            encrypted: false,
            resolution: (640, 360),
            key_factor: 4,
            burst_factor: 1,
            pace: None,
            talk: None,
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

    /// Three layers of 180p, 360p and 720p with 150, 500 and 1,700 kbit/s, each in three temporal
    /// layers, as Chromium sends VP8.
    #[must_use]
    pub fn meeting_camera() -> Self {
        Self {
            simulcast: true,
            fps: 30,
            scalability: Scalability::L1T3,
            pace: Some(2.5),
            ..Self::camera()
        }
    }

    /// One stream of 1.5 Mbit/s with layers inside: VP9 or AV1.
    #[must_use]
    pub fn layered_camera(codec: CodecKind, scalability: Scalability) -> Self {
        Self {
            codec,
            scalability,
            bitrate_bps: 1_500_000,
            resolution: (1280, 720),
            pace: Some(2.5),
            ..Self::camera()
        }
    }

    /// 1080p at 5 frames per second, each tenth of them large, in three temporal layers.
    #[must_use]
    pub fn screen() -> Self {
        Self {
            kind: SourceKind::Screen,
            bitrate_bps: 800_000,
            fps: 5,
            scalability: Scalability::L1T3,
            resolution: (1920, 1080),
            burst_factor: 4,
            ..Self::camera()
        }
    }

    /// With layers within each stream.
    #[must_use]
    pub fn layered(self, scalability: Scalability) -> Self {
        Self { scalability, ..self }
    }

    /// Encrypted end to end: layers show in the dependency descriptor only.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { encrypted: true, descriptor: true, ..self }
    }

    /// Heard now and then.
    #[must_use]
    pub fn talking(self, talk: Talk) -> Self {
        Self { talk: Some(talk), ..self }
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
    /// Switches layers off and on as the server demands.
    pub obliging: bool,
    /// Reads only headers of what it receives: for crowds.
    pub skims: bool,
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
            obliging: true,
            skims: false,
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

    /// Reads only headers.
    #[must_use]
    pub fn skimming(self) -> Self {
        Self { skims: true, ..self }
    }

    /// Has so many slots.
    #[must_use]
    pub fn slots(self, audio_slots: usize, video_slots: usize) -> Self {
        Self { audio_slots, video_slots, ..self }
    }
}
