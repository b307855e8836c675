//! Payload formats: what a client offers and what of it we forward.

use crate::line::Line;
use weir_sfu_api::{Codec, CodecKind, FeedbackSet, MediaKind, PayloadType, SourceKind};

/// One payload type as offered.
#[derive(Debug, Clone)]
pub(crate) struct Format {
    pub(crate) number: u8,
    /// Encoding name in lower case; empty without `a=rtpmap`.
    name: String,
    clock_rate: u32,
    channels: u8,
    fmtp: Option<String>,
    feedback: FeedbackSet,
}

/// The formats of an m-line in offered order. Numbers outside 0 to 127 are left out.
pub(crate) fn from_m_line(words: &[String]) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for number in words.iter().filter_map(|word| word.parse::<u8>().ok()) {
        if number < 128 && formats.iter().all(|known| known.number != number) {
            formats.push(Format {
                number,
                name: String::new(),
                clock_rate: 0,
                channels: 1,
                fmtp: None,
                feedback: FeedbackSet::default(),
            });
        }
    }
    formats
}

/// Takes `a=rtpmap`, `a=fmtp` or `a=rtcp-fb`. Lines about formats not in the m-line do nothing.
pub(crate) fn take(formats: &mut [Format], key: &str, value: &str) {
    let Some((number, rest)) = value.split_once(' ') else { return };
    let rest = rest.trim();
    if key == "rtcp-fb" && number == "*" {
        formats.iter_mut().for_each(|format| add_feedback(&mut format.feedback, rest));
        return;
    }
    let Ok(number) = number.parse::<u8>() else { return };
    let Some(format) = formats.iter_mut().find(|format| format.number == number) else { return };
    match key {
        "rtpmap" => {
            let mut parts = rest.split('/');
            format.name = parts.next().unwrap_or_default().to_ascii_lowercase();
            format.clock_rate = parts.next().and_then(|rate| rate.parse().ok()).unwrap_or(0);
            format.channels = parts.next().and_then(|n| n.parse().ok()).unwrap_or(1);
        }
        // It may be echoed: no control characters, no novels.
        "fmtp" if rest.len() <= 512 && !rest.contains(char::is_control) => {
            format.fmtp = Some(rest.to_owned());
        }
        "fmtp" => {}
        _ => add_feedback(&mut format.feedback, rest),
    }
}

fn add_feedback(set: &mut FeedbackSet, value: &str) {
    match value {
        "nack" => set.nack = true,
        "nack pli" => set.pli = true,
        "ccm fir" => set.fir = true,
        "transport-cc" => set.transport_cc = true,
        "goog-remb" => set.remb = true,
        _ => {}
    }
}

impl Format {
    /// The value of one `fmtp` parameter (names without regard to case, RFC 8866 6.15).
    fn parameter(&self, name: &str) -> Option<&str> {
        self.fmtp.as_deref()?.split(';').find_map(|part| {
            let (key, value) = part.trim().split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    fn number_parameter(&self, name: &str) -> u32 {
        self.parameter(name).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    fn codec(&self, kind: MediaKind) -> Option<Codec> {
        let (codec, profile) = match (kind, self.name.as_str(), self.clock_rate) {
            (MediaKind::Audio, "opus", 48_000) if self.channels == 2 => (CodecKind::Opus, 0),
            (MediaKind::Audio, "red", 48_000) => (CodecKind::Red, 0),
            (MediaKind::Video, "vp8", 90_000) => (CodecKind::Vp8, 0),
            (MediaKind::Video, "vp9", 90_000) => {
                (CodecKind::Vp9, self.number_parameter("profile-id"))
            }
            (MediaKind::Video, "av1", 90_000) => (CodecKind::Av1, self.number_parameter("profile")),
            (MediaKind::Video, "h264", 90_000) => (CodecKind::H264, self.h264_profile()?),
            _ => return None,
        };
        Some(Codec { kind: codec, profile })
    }

    /// `packetization-mode << 16 | profile`; `None` for interleaved mode, which WebRTC does not
    /// use (RFC 7742 6.2), and for a malformed profile.
    fn h264_profile(&self) -> Option<u32> {
        let mode = self.number_parameter("packetization-mode");
        let level_id = self.parameter("profile-level-id").unwrap_or("42000a");
        if mode > 1 || level_id.len() != 6 {
            return None;
        }
        let id = u32::from_str_radix(level_id, 16).ok()?;
        let [_, idc, iop, _] = id.to_be_bytes();
        Some((mode << 16) | h264_profile_part(idc, iop))
    }
}

/// Folds the spellings of one profile into one (RFC 6184 table 5).
fn h264_profile_part(idc: u8, iop: u8) -> u32 {
    match (idc, iop) {
        (0x42, iop) if iop & 0x4f == 0x40 => CONSTRAINED_BASELINE,
        (0x4d, iop) if iop & 0x8f == 0x80 => CONSTRAINED_BASELINE,
        (0x58, iop) if iop & 0xcf == 0xc0 => CONSTRAINED_BASELINE,
        (0x42, iop) if iop & 0x4f == 0 => BASELINE,
        (0x58, iop) if iop & 0xcf == 0x80 => BASELINE,
        (0x4d, iop) if iop & 0xaf == 0 => 0x4d00,
        _ => (u32::from(idc) << 8) | u32::from(iop),
    }
}

const CONSTRAINED_BASELINE: u32 = 0x42e0;
const BASELINE: u32 = 0x4200;

/// Smaller is better within one codec: for H264 non-interleaved constrained baseline, which
/// every browser sends and decodes, then baseline, then the rest.
fn rank(codec: &Codec) -> u32 {
    if codec.kind != CodecKind::H264 {
        return 0;
    }
    let mode = if codec.profile >> 16 == 1 { 0 } else { 10 };
    let profile = match codec.profile & 0xffff {
        CONSTRAINED_BASELINE => 0_u32,
        BASELINE => 1,
        _ => 2,
    };
    profile.saturating_add(mode)
}

/// The payload types both ends know, in the order of `prefer`, each with its RTX.
pub(crate) fn negotiate(
    line: &Line,
    kind: MediaKind,
    source: SourceKind,
    prefer: &[CodecKind],
    transport_cc: bool,
) -> Vec<PayloadType> {
    let mut found: Vec<(usize, u32, PayloadType)> = Vec::new();
    for format in &line.formats {
        let Some(codec) = format.codec(kind) else { continue };
        let Some(position) = prefer.iter().position(|wanted| *wanted == codec.kind) else {
            continue;
        };
        let payload_type = PayloadType {
            number: format.number,
            rtx: rtx_for(&line.formats, format.number),
            feedback: feedback(format.feedback, transport_cc),
            fmtp: answer_fmtp(format, &codec, source),
            codec,
        };
        found.push((position, rank(&payload_type.codec), payload_type));
    }
    found.sort_by_key(|(position, rank, _)| (*position, *rank));
    let mut types: Vec<PayloadType> = found.into_iter().map(|(_, _, found)| found).collect();
    // RED without the Opus it wraps means nothing.
    if !types.iter().any(|pt| pt.codec.kind == CodecKind::Opus) {
        types.retain(|pt| pt.codec.kind != CodecKind::Red);
    }
    types
}

fn rtx_for(formats: &[Format], media: u8) -> Option<u8> {
    formats
        .iter()
        .find(|format| {
            format.name == "rtx"
                && format.parameter("apt").and_then(|apt| apt.parse().ok()) == Some(media)
        })
        .map(|format| format.number)
}

fn feedback(offered: FeedbackSet, transport_cc: bool) -> FeedbackSet {
    FeedbackSet {
        transport_cc: offered.transport_cc && transport_cc,
        // Two estimates for one stream would work against each other.
        remb: offered.remb && !offered.transport_cc,
        ..offered
    }
}

fn answer_fmtp(format: &Format, codec: &Codec, source: SourceKind) -> Option<String> {
    match codec.kind {
        CodecKind::Opus if source == SourceKind::ScreenAudio => {
            Some("minptime=10;stereo=1;useinbandfec=1".to_owned())
        }
        CodecKind::Opus => Some("minptime=10;useinbandfec=1".to_owned()),
        // What these say limits a receiver (max-fs, max-fr), and we decode nothing.
        CodecKind::Vp8 => None,
        CodecKind::Vp9 => format.parameter("profile-id").map(|id| format!("profile-id={id}")),
        // Level and asymmetry as offered: publisher and receivers are both clients.
        CodecKind::Red | CodecKind::H264 | CodecKind::Av1 => format.fmtp.clone(),
    }
}
