//! Negotiated media: what one PeerConnection sends and receives.

use crate::{PayloadType, PeerId, TrackId, TransportDescription};
use std::fmt;

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// `m=audio`.
    Audio,
    /// `m=video`.
    Video,
}

impl MediaKind {
    /// `audio` or `video`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// What a publisher's track shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// Audio from a microphone.
    Microphone,
    /// Video from a camera.
    Camera,
    /// Video of a screen or window.
    Screen,
    /// Audio that belongs to a screen share.
    ScreenAudio,
}

impl SourceKind {
    /// The spelling used in signalling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Screen => "screen",
            Self::ScreenAudio => "screen_audio",
        }
    }
}

macro_rules! short_name {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            len: u8,
            bytes: [u8; $max],
        }

        impl $name {
            /// The longest accepted name in bytes.
            pub const MAX: usize = $max;

            /// Takes 1 to [`Self::MAX`] bytes of visible ASCII; `None` for anything else.
            #[must_use]
            pub fn new(name: &str) -> Option<Self> {
                Self::from_bytes(name.as_bytes())
            }

            /// As [`Self::new`], from a header extension's bytes.
            #[must_use]
            pub fn from_bytes(name: &[u8]) -> Option<Self> {
                if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                    return None;
                }
                let mut bytes = [0; $max];
                bytes.get_mut(..name.len())?.copy_from_slice(name);
                Some(Self { len: u8::try_from(name.len()).ok()?, bytes })
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(self.as_bytes()).unwrap_or_default()
            }

            /// The name's bytes, as in a header extension.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.bytes.get(..usize::from(self.len)).unwrap_or_default()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

short_name!(
    /// Media identification of an m-line (RFC 8843, RFC 5888).
    Mid, 32
);
short_name!(
    /// RTP stream id of a simulcast layer (RFC 8851, RFC 8852).
    Rid, 16
);

/// Direction of an m-line **as the client offered it**.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The client publishes here.
    SendOnly,
    /// A slot: the server sends here.
    RecvOnly,
    /// Both: published track and slot in one m-line.
    SendRecv,
    /// Neither, for now.
    Inactive,
}

impl Direction {
    /// Whether the client sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendOnly | Self::SendRecv)
    }

    /// Whether the client receives, so that the m-line is a slot.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::RecvOnly | Self::SendRecv)
    }
}

/// Header extensions Weir knows (RFC 8285).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExtensionKind {
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    AudioLevel,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`.
    AbsSendTime,
    /// `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`.
    TransportCc,
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 8843).
    Mid,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    Rid,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852).
    RepairedRid,
    /// `urn:3gpp:video-orientation`.
    VideoOrientation,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`.
    PlayoutDelay,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/video-content-type`.
    VideoContentType,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/color-space`.
    ColorSpace,
    /// `https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension`.
    DependencyDescriptor,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00`.
    VideoLayersAllocation,
}

impl ExtensionKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 12] = [
        Self::AudioLevel,
        Self::AbsSendTime,
        Self::TransportCc,
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::VideoOrientation,
        Self::PlayoutDelay,
        Self::VideoContentType,
        Self::ColorSpace,
        Self::DependencyDescriptor,
        Self::VideoLayersAllocation,
    ];

    /// The URI in SDP `extmap`.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportCc => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::VideoContentType => {
                "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
            }
            Self::ColorSpace => "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
            Self::VideoLayersAllocation => {
                "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
            }
        }
    }

    /// The kind for a URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }
}

/// Header extension ids of one media section: kind to id (1 to 255) and back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtensionMap {
    ids: [u8; ExtensionKind::ALL.len()],
}

impl ExtensionMap {
    /// Maps `kind` to `id`; id 0 removes it.
    pub fn set(&mut self, kind: ExtensionKind, id: u8) {
        if let Some(slot) = self.ids.get_mut(kind as usize) {
            *slot = id;
        }
    }

    /// The id of `kind`.
    #[must_use]
    pub fn id(&self, kind: ExtensionKind) -> Option<u8> {
        self.ids.get(kind as usize).copied().filter(|id| *id != 0)
    }

    /// The kind with `id`.
    #[must_use]
    pub fn kind(&self, id: u8) -> Option<ExtensionKind> {
        if id == 0 {
            return None;
        }
        ExtensionKind::ALL.into_iter().find(|kind| self.id(*kind) == Some(id))
    }

    /// All pairs, in order of [`ExtensionKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (ExtensionKind, u8)> + '_ {
        ExtensionKind::ALL.into_iter().filter_map(|kind| Some((kind, self.id(kind)?)))
    }
}

/// SSRCs a client announced in SDP (RFC 5576): a media SSRC and its RTX SSRC (`ssrc-group:FID`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SsrcGroup {
    /// The media SSRC.
    pub media: u32,
    /// The RTX SSRC.
    pub rtx: Option<u32>,
}

/// One simulcast layer the client sends (RFC 8853), in the order of `a=simulcast`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulcastLayer {
    /// Its rid.
    pub rid: Rid,
    /// Announced as paused (`~rid`).
    pub paused: bool,
}

/// One m-line after negotiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaSection {
    /// Position in the SDP, from 0.
    pub index: u16,
    /// Its mid.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// As the client offered.
    pub direction: Direction,
    /// What the published track shows; meaningless for a pure slot.
    pub source: SourceKind,
    /// Both ends' payload types, the server's preference first.
    pub payload_types: Vec<PayloadType>,
    /// Both ends' header extensions.
    pub extensions: ExtensionMap,
    /// Layers, empty without simulcast.
    pub simulcast: Vec<SimulcastLayer>,
    /// SSRCs announced by the client, empty where it relies on mid and rid.
    pub ssrcs: Vec<SsrcGroup>,
}

/// All that a shard needs of one offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDescription {
    /// ICE and DTLS parameters of the client.
    pub transport: TransportDescription,
    /// The accepted audio and video m-lines. Rejected and application m-lines are absent.
    pub sections: Vec<MediaSection>,
}

/// What the server sends in one slot, fixed for the PeerConnection's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionAnswer {
    /// The m-line.
    pub mid: Mid,
    /// SSRC and RTX SSRC of the slot; `None` when the m-line is not a slot.
    pub ssrcs: Option<SsrcGroup>,
    /// RTCP canonical name (RFC 3550 6.5.1).
    pub cname: String,
    /// Media stream id (RFC 8830).
    pub stream_id: String,
    /// Media stream track id (RFC 8830).
    pub track_id: String,
}

/// The shard's part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaAnswer {
    /// One entry for each section of the [`MediaDescription`], same order.
    pub sections: Vec<SectionAnswer>,
}

/// A published track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackInfo {
    /// Its id.
    pub id: TrackId,
    /// Who publishes it.
    pub peer: PeerId,
    /// In which m-line of the publisher.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// What it shows.
    pub source: SourceKind,
}
