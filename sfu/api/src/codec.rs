//! Codecs and payload types as negotiated for one media section.

/// What a payload type carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodecKind {
    /// Opus (RFC 7587).
    Opus,
    /// Redundant audio data (RFC 2198), forwarded as it is.
    Red,
    /// VP8 (RFC 7741).
    Vp8,
    /// VP9 (RFC 9628).
    Vp9,
    /// H.264 (RFC 6184).
    H264,
    /// AV1 (AOM "RTP Payload Format For AV1").
    Av1,
}

impl CodecKind {
    /// RTP clock rate in Hz.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus | Self::Red => 48_000,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => 90_000,
        }
    }

    /// The encoding name as registered for SDP `rtpmap`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Red => "red",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::Av1 => "AV1",
        }
    }

    /// Whether this is a video codec.
    #[must_use]
    pub fn is_video(self) -> bool {
        !matches!(self, Self::Opus | Self::Red)
    }
}

/// A codec with the parameters that decide whether two ends understand each other.
///
/// Two peers' payload types carry the same codec when `kind` and `profile` are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Codec {
    /// The format.
    pub kind: CodecKind,
    /// What distinguishes incompatible flavours of one format, normalised: `profile-id` for VP9,
    /// `profile` for AV1, `packetization-mode` and the profile part (profile_idc + profile-iop)
    /// of `profile-level-id` for H264 as `mode << 16 | profile`. 0 where there is only one.
    pub profile: u32,
}

/// RTCP feedback both ends agreed on (RFC 4585, RFC 5104).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedbackSet {
    /// `nack`.
    pub nack: bool,
    /// `nack pli`.
    pub pli: bool,
    /// `ccm fir`.
    pub fir: bool,
    /// `transport-cc`.
    pub transport_cc: bool,
    /// `goog-remb`.
    pub remb: bool,
}

/// One negotiated payload type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadType {
    /// The number on the wire, 0 to 127.
    pub number: u8,
    /// The RTX payload type (RFC 4588) whose `apt` is `number`, where negotiated.
    pub rtx: Option<u8>,
    /// What it carries.
    pub codec: Codec,
    /// Feedback for it.
    pub feedback: FeedbackSet,
    /// The format parameters to write in an answer, for example `minptime=10;useinbandfec=1`.
    pub fmtp: Option<String>,
}
