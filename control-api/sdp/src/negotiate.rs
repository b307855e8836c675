//! From an offer to what a shard needs (RFC 3264 6, RFC 8829 5.3).

use crate::line::Line;
use crate::{Offer, SdpError, codecs, extensions};
use std::collections::BTreeMap;
use weir_sfu_api::{
    CodecKind, Direction, DtlsSetup, MediaDescription, MediaKind, MediaSection, Mid, SourceKind,
    TransportDescription,
};

/// What the server takes part in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Codecs in the server's order of preference; what is not in it is not accepted.
    pub prefer: Vec<CodecKind>,
    /// Whether slots negotiate transport-wide congestion control, so that the server learns what
    /// the client receives.
    pub slot_transport_cc: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            prefer: vec![
                CodecKind::Vp8,
                CodecKind::H264,
                CodecKind::Vp9,
                CodecKind::Av1,
                CodecKind::Opus,
                CodecKind::Red,
            ],
            slot_transport_cc: true,
        }
    }
}

/// Decides which m-lines are accepted and with what.
///
/// `sources` holds what the client said in signalling about its own tracks, by mid. What it says
/// nothing about (or the wrong kind of) is by order: first audio microphone, further audio that
/// of a screen, first video camera, further video screens.
///
/// # Errors
/// When no m-line can be accepted or the transport parameters are incomplete.
pub fn negotiate(
    offer: &Offer,
    caps: &Capabilities,
    sources: &BTreeMap<String, SourceKind>,
) -> Result<MediaDescription, SdpError> {
    let mut chosen = Chosen::default();
    let mut sections: Vec<MediaSection> = Vec::new();
    let mut defaults = DefaultSources::new(offer, sources);
    let mut refused: Vec<String> = Vec::new();
    let mut transport = None;

    for line in &offer.lines {
        let result = acceptable(offer, line, &chosen).and_then(|kind| {
            let source = defaults.source(line, kind);
            section(offer, line, kind, source, caps)
        });
        match result {
            Ok(section) => {
                chosen.take(offer, line);
                if transport.is_none() {
                    transport = Some(transport_description(offer, line)?);
                }
                sections.push(section);
            }
            Err(reason) => {
                refused.push(format!("m-line {} ({}): {reason}", line.index, line.media));
            }
        }
    }
    match transport {
        Some(transport) => Ok(MediaDescription { transport, sections }),
        None => {
            refused.truncate(8);
            Err(SdpError::NothingAccepted(refused.join("; ")))
        }
    }
}

/// The transport chosen by the first accepted m-line.
#[derive(Default)]
struct Chosen {
    any: bool,
    bundle: Option<Vec<Mid>>,
}

impl Chosen {
    fn take(&mut self, offer: &Offer, line: &Line) {
        if !self.any {
            self.any = true;
            self.bundle = offer.bundle_of(line).map(<[Mid]>::to_vec);
        }
    }

    /// There is one transport: the first accepted m-line's, with all m-lines of its BUNDLE group.
    fn admits(&self, line: &Line) -> bool {
        match (&self.bundle, line.mid) {
            _ if !self.any => true,
            (Some(bundle), Some(mid)) => bundle.contains(&mid),
            _ => false,
        }
    }
}

fn acceptable(offer: &Offer, line: &Line, chosen: &Chosen) -> Result<MediaKind, &'static str> {
    let kind = line.kind().ok_or("only audio and video are accepted")?;
    let bundle = offer.bundle_of(line);
    if line.port == 0 && !(line.bundle_only && bundle.is_some()) {
        return Err("disabled by the offerer");
    }
    if !PROTOCOLS.contains(&line.proto.as_str()) {
        return Err("its transport protocol is not UDP/TLS/RTP/SAVPF");
    }
    let tagged = bundle.and_then(|group| offer.tagged(group));
    if !line.rtcp_mux && !tagged.is_some_and(|tagged| tagged.rtcp_mux) {
        return Err("a=rtcp-mux is missing");
    }
    if !chosen.admits(line) {
        return Err("not in the BUNDLE group of the first m-line");
    }
    Ok(kind)
}

/// What RFC 8829 5.1.2 asks to be taken for DTLS-SRTP.
const PROTOCOLS: [&str; 5] =
    ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF", "RTP/SAVP"];

fn section(
    offer: &Offer,
    line: &Line,
    kind: MediaKind,
    source: SourceKind,
    caps: &Capabilities,
) -> Result<MediaSection, &'static str> {
    let slot_only = line.direction == Direction::RecvOnly;
    let transport_cc = !slot_only || caps.slot_transport_cc;
    let payload_types = codecs::negotiate(line, kind, source, &caps.prefer, transport_cc);
    if payload_types.is_empty() {
        return Err("no codec in common");
    }
    let sends = line.direction.sends();
    let simulcast = if sends && kind == MediaKind::Video {
        let usable = |rid: &crate::simulcast::OfferedRid| {
            rid.payload_types.is_empty()
                || payload_types.iter().any(|pt| rid.payload_types.contains(&pt.number))
        };
        line.simulcast
            .iter()
            .filter(|layer| line.rids.iter().any(|rid| rid.rid == layer.rid && usable(rid)))
            .copied()
            .collect()
    } else {
        Vec::new()
    };
    Ok(MediaSection {
        index: line.index,
        mid: mid_or_index(offer, line)?,
        kind,
        direction: line.direction,
        source,
        payload_types,
        extensions: extensions::negotiate(line, kind, caps.slot_transport_cc),
        simulcast,
        ssrcs: if sends { line.ssrcs.clone() } else { Vec::new() },
    })
}

/// A lone m-line may come without a mid (RFC 3264 knows none): its position stands in, with a
/// prefix as long as another m-line has that name.
fn mid_or_index(offer: &Offer, line: &Line) -> Result<Mid, &'static str> {
    if let Some(mid) = line.mid {
        return Ok(mid);
    }
    let mut name = line.index.to_string();
    while offer.lines.iter().any(|other| other.mid.is_some_and(|mid| mid.as_str() == name)) {
        name.insert(0, '_');
    }
    Mid::new(&name).ok_or("it has no mid")
}

fn transport_description(offer: &Offer, line: &Line) -> Result<TransportDescription, SdpError> {
    let at = Some(line.index);
    let attributes = offer.transport_of(line);
    let ice = attributes.credentials(at)?;
    if attributes.fingerprints.is_empty() {
        let reason = if attributes.fingerprint_seen {
            "none uses sha-1, sha-256, sha-384 or sha-512"
        } else {
            "missing"
        };
        return Err(SdpError::attribute(at, "fingerprint", reason));
    }
    Ok(TransportDescription {
        ice,
        fingerprints: attributes.fingerprints,
        // RFC 4145 4.1: an offer without it means active.
        setup: attributes.setup.unwrap_or(DtlsSetup::Active),
    })
}

/// Hands out sources in m-line order.
struct DefaultSources<'a> {
    told: &'a BTreeMap<String, SourceKind>,
    microphone_taken: bool,
    camera_taken: bool,
}

impl<'a> DefaultSources<'a> {
    fn new(offer: &Offer, told: &'a BTreeMap<String, SourceKind>) -> Self {
        let is_told = |wanted: SourceKind, kind: MediaKind| {
            offer.lines.iter().any(|line| {
                line.kind() == Some(kind)
                    && line.mid.is_some_and(|mid| told.get(mid.as_str()) == Some(&wanted))
            })
        };
        Self {
            told,
            microphone_taken: is_told(SourceKind::Microphone, MediaKind::Audio),
            camera_taken: is_told(SourceKind::Camera, MediaKind::Video),
        }
    }

    fn source(&mut self, line: &Line, kind: MediaKind) -> SourceKind {
        let told = line.mid.and_then(|mid| self.told.get(mid.as_str()).copied());
        if let Some(source) = told
            && kind_of(source) == kind
        {
            return source;
        }
        let (first, further, taken) = match kind {
            MediaKind::Audio => {
                (SourceKind::Microphone, SourceKind::ScreenAudio, &mut self.microphone_taken)
            }
            MediaKind::Video => (SourceKind::Camera, SourceKind::Screen, &mut self.camera_taken),
        };
        // A pure slot publishes nothing and uses nothing up. A stopped m-line keeps its place, so
        // that a screen does not turn into a camera when the camera pauses.
        if line.direction == Direction::RecvOnly {
            return first;
        }
        if std::mem::replace(taken, true) { further } else { first }
    }
}

fn kind_of(source: SourceKind) -> MediaKind {
    match source {
        SourceKind::Microphone | SourceKind::ScreenAudio => MediaKind::Audio,
        SourceKind::Camera | SourceKind::Screen => MediaKind::Video,
    }
}
