//! Payload types, format parameters and header extensions as we offer them.

use crate::plan::Codec;
use weir_sfu_api::{ExtensionKind, MediaKind};

/// A format of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) codec: Codec,
    pub(super) number: u8,
    /// Payload type of its retransmissions (RFC 4588).
    pub(super) rtx: Option<u8>,
    pub(super) fmtp: &'static str,
}

/// The numbers that libwebrtc uses, so that traces look familiar.
const FORMATS: [Format; 5] = [
    Format { codec: Codec::Opus, number: 111, rtx: None, fmtp: "minptime=10;useinbandfec=1" },
    Format { codec: Codec::Vp8, number: 96, rtx: Some(97), fmtp: "" },
    Format { codec: Codec::Vp9, number: 98, rtx: Some(99), fmtp: "profile-id=0" },
    Format {
        codec: Codec::H264,
        number: 102,
        rtx: Some(103),
        fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    },
    Format { codec: Codec::Av1, number: 45, rtx: Some(46), fmtp: "level-idx=5;profile=0;tier=0" },
];

/// The feedback that is offered for video; audio has `transport-cc` alone.
const VIDEO_FEEDBACK: [&str; 4] = ["transport-cc", "ccm fir", "nack", "nack pli"];

/// Ours of one kind, best first: those in `wanted`, all when it is empty.
pub(super) fn of(kind: MediaKind, wanted: &[Codec]) -> Vec<Format> {
    let all = FORMATS.iter().filter(|format| format.codec.kind() == kind);
    all.filter(|format| wanted.is_empty() || wanted.contains(&format.codec)).copied().collect()
}

/// Our number of a codec.
pub(super) fn of_codec(codec: Codec) -> Option<Format> {
    FORMATS.iter().find(|format| format.codec == codec).copied()
}

/// The feedback that we offer for this kind, as in `a=rtcp-fb`.
pub(super) fn feedback(kind: MediaKind) -> &'static [&'static str] {
    if kind == MediaKind::Audio { &VIDEO_FEEDBACK[..1] } else { &VIDEO_FEEDBACK }
}

/// The codec of an `a=rtpmap` value's second word, `VP8/90000`.
pub(super) fn from_rtpmap(encoding: &str) -> Option<Codec> {
    let name = encoding.split('/').next()?;
    FORMATS.iter().map(|format| format.codec).find(|codec| codec.name().eq_ignore_ascii_case(name))
}

/// Extensions with our numbers for an m-line.
pub(super) fn extensions(
    kind: MediaKind,
    simulcast: bool,
    codecs: &[Format],
) -> Vec<(ExtensionKind, u8)> {
    let mut all = vec![
        (ExtensionKind::AbsSendTime, 2),
        (ExtensionKind::TransportCc, 3),
        (ExtensionKind::Mid, 4),
    ];
    if kind == MediaKind::Audio {
        all.insert(0, (ExtensionKind::AudioLevel, 1));
    }
    if simulcast {
        all.extend([(ExtensionKind::Rid, 10), (ExtensionKind::RepairedRid, 11)]);
    }
    if codecs.iter().any(|format| format.codec == Codec::Av1) {
        all.push((ExtensionKind::DependencyDescriptor, 12));
    }
    all
}
