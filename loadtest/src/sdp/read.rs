//! A server's text into [`Negotiated`].

use super::codecs::{self, Format};
use super::transport::Attributes;
use super::{MAX_BYTES, SdpError, Side, excerpt};
use crate::engine::{Negotiated, NegotiatedSection};
use crate::plan::Codec;
use rtc_sdp::{MediaDescription, SessionDescription};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use weir_sfu_api::{ExtensionKind, MediaKind};

/// An m-line of our offer, for reading the answer.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) mid: String,
    pub(super) kind: MediaKind,
    pub(super) track: Option<usize>,
    pub(super) simulcast: bool,
    pub(super) formats: Vec<Format>,
}

/// Reads a text into what was agreed: an answer with what we offered, an offer without.
pub(super) fn read(
    side: Side,
    text: &str,
    offered: Option<&[Expected]>,
) -> Result<Negotiated, SdpError> {
    let session = parse(side, text)?;
    let lines = &session.media_descriptions;
    if let Some(offered) = offered
        && lines.len() != offered.len()
    {
        let (theirs, ours) = (lines.len(), offered.len());
        let why = format!("has {theirs} m-lines and the offer {ours}: there must be as many");
        return Err(SdpError::Refused(side, why));
    }
    let mut outer = Attributes::default();
    let (mut lite, mut bundled) = (false, Vec::new());
    for attribute in &session.attributes {
        let value = attribute.value.as_deref().unwrap_or_default().trim();
        outer.take(side, 0, &attribute.key, value)?;
        match attribute.key.as_str() {
            "ice-lite" => lite = true,
            "group" => {
                if let Some(mids) = value.strip_prefix("BUNDLE") {
                    bundled.extend(mids.split_whitespace().map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    let mut sections = Vec::new();
    let mut transport: Option<(usize, Attributes)> = None;
    let mut candidates = outer.candidates.clone();
    for (index, media) in lines.iter().enumerate() {
        let expected = offered.and_then(|offered| offered.get(index));
        let Some(line) = Line::read(side, index, media, expected)? else { continue };
        if sections.len() == 1 && bundled.is_empty() {
            let why =
                "does not bundle its m-lines (no a=group:BUNDLE): this tool uses one transport";
            return Err(SdpError::Refused(side, why.to_owned()));
        }
        candidates.extend(&line.transport.candidates);
        match &mut transport {
            None => transport = Some((index, line.transport.or(&outer))),
            // The tagged m-line counts (RFC 8843 7.3.1); what it leaves out may stand in another.
            Some((_, first)) => *first = first.or(&line.transport),
        }
        sections.push(line.section);
    }
    let Some((index, transport)) = transport else {
        return Err(SdpError::Refused(side, "takes none of the m-lines".to_owned()));
    };
    let mut unique = Vec::new();
    for candidate in candidates {
        if !unique.contains(&candidate) {
            unique.push(candidate);
        }
    }
    Ok(Negotiated {
        remote: transport.complete(side, index)?,
        controlling: side == Side::Answer || lite,
        candidates: unique,
        sections,
    })
}

pub(super) fn parse(side: Side, text: &str) -> Result<SessionDescription, SdpError> {
    if text.len() > MAX_BYTES {
        let why = format!("it has {} bytes, {MAX_BYTES} are read at most", text.len());
        return Err(SdpError::Syntax(side, why));
    }
    if !text.trim_start().starts_with("v=") {
        let why = format!("it begins with {:?}", excerpt(text));
        return Err(SdpError::Syntax(side, why));
    }
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes()))
    }));
    match parsed {
        Ok(Ok(session)) if session.media_descriptions.is_empty() => {
            Err(SdpError::Syntax(side, "it has no m-line".to_owned()))
        }
        Ok(Ok(session)) => Ok(session),
        Ok(Err(error)) => Err(SdpError::Syntax(side, excerpt(&error.to_string()))),
        Err(_) => Err(SdpError::Syntax(side, "the parser gave up".to_owned())),
    }
}

/// One m-line.
struct Line {
    section: NegotiatedSection,
    transport: Attributes,
}

impl Line {
    /// `None` for one that is refused where that harms nothing: where we wanted to receive.
    fn read(
        side: Side,
        index: usize,
        media: &MediaDescription,
        expected: Option<&Expected>,
    ) -> Result<Option<Self>, SdpError> {
        let refused = |why: String| Err(SdpError::Refused(side, why));
        let name = &media.media_name;
        let kind = match name.media.as_str() {
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            _ => return Ok(None),
        };
        if let Some(expected) = expected
            && expected.kind != kind
        {
            let ours = expected.kind.as_str();
            return refused(format!(
                "has {} in m-line {index} where we offered {ours}",
                name.media
            ));
        }
        let sends = expected.is_some_and(|expected| expected.track.is_some());
        // Port 0 with bundle-only is no refusal (RFC 8843 6).
        if name.port.value == 0 && !(side == Side::Offer && media.has_attribute("bundle-only")) {
            return match expected.filter(|_| sends) {
                Some(expected) => {
                    let codec = expected.formats.first().map_or("?", |format| format.codec.name());
                    refused(format!("rejects m-line {index}, in which we send {codec}"))
                }
                None => Ok(None),
            };
        }
        let read = Read::of(side, index, media)?;
        if !read.mux {
            return Err(SdpError::Missing(side, "rtcp-mux", index));
        }
        // Theirs, seen from us.
        let (they_send, they_receive) = match read.direction {
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => (true, true),
        };
        if sends && !they_receive {
            let word = read.direction;
            return refused(format!("says {word} in m-line {index}, in which we send"));
        }
        let receives = they_send && !sends;
        let codecs = read.codecs(expected);
        if codecs.is_empty() {
            let theirs: Vec<String> =
                read.maps.iter().map(|(number, name)| format!("{number} {name}")).collect();
            let theirs = excerpt(&theirs.join(", "));
            if side == Side::Offer {
                return Ok(None);
            }
            return refused(format!("has no codec of ours in m-line {index}, but {theirs}"));
        }
        let mid = read
            .mid
            .or_else(|| expected.map(|expected| expected.mid.clone()))
            .ok_or(SdpError::Missing(side, "mid", index))?;
        let first = codecs.first().map_or(0, |(number, _)| *number);
        let feedback = |wanted: &str| {
            read.feedback.iter().any(|(number, name)| {
                number.is_none_or(|number| number == first) && name.eq_ignore_ascii_case(wanted)
            })
        };
        let rtx = read
            .rtx
            .iter()
            .filter(|(_, apt)| codecs.iter().any(|(number, _)| number == apt))
            .map(|(rtx, apt)| (*apt, *rtx))
            .collect();
        let section = NegotiatedSection {
            mid,
            kind,
            track: expected.and_then(|expected| expected.track),
            receives,
            rtx,
            extensions: read.extensions,
            remote_ssrcs: pair(&read.ssrcs, &read.groups),
            nack: feedback("nack"),
            pli: feedback("nack pli") || feedback("ccm fir"),
            transport_cc: feedback("transport-cc"),
            rids: if expected.is_some_and(|one| one.simulcast) { read.rids } else { Vec::new() },
            codecs,
        };
        Ok(Some(Self { section, transport: read.transport }))
    }
}

/// Attributes of an m-line as they stand there.
struct Read<'a> {
    mid: Option<String>,
    direction: &'a str,
    mux: bool,
    /// Payload types in order of preference with what `rtpmap` says of them.
    maps: Vec<(u8, &'a str)>,
    /// RTX payload type and that which it repeats.
    rtx: Vec<(u8, u8)>,
    feedback: Vec<(Option<u8>, &'a str)>,
    extensions: Vec<(ExtensionKind, u8)>,
    ssrcs: Vec<u32>,
    groups: Vec<(u32, u32)>,
    rids: Vec<String>,
    transport: Attributes,
}

impl<'a> Read<'a> {
    fn of(side: Side, index: usize, media: &'a MediaDescription) -> Result<Self, SdpError> {
        let mut read = Self {
            mid: None,
            direction: "sendrecv",
            mux: false,
            maps: Vec::new(),
            rtx: Vec::new(),
            feedback: Vec::new(),
            extensions: Vec::new(),
            ssrcs: Vec::new(),
            groups: Vec::new(),
            rids: Vec::new(),
            transport: Attributes::default(),
        };
        for attribute in &media.attributes {
            let key = attribute.key.as_str();
            let value = attribute.value.as_deref().unwrap_or_default().trim();
            read.transport.take(side, index, key, value)?;
            match key {
                "mid" => read.mid = Some(value.to_owned()),
                "rtcp-mux" => read.mux = true,
                "sendrecv" | "sendonly" | "recvonly" | "inactive" => read.direction = key,
                "extmap" => read.extensions.extend(extension(value)),
                "rtpmap" => read.maps.extend(numbered(value)),
                "fmtp" => {
                    if let Some((rtx, parameters)) = numbered(value)
                        && let Some(apt) = parameter(parameters, "apt").and_then(|n| n.parse().ok())
                    {
                        read.rtx.push((rtx, apt));
                    }
                }
                "rtcp-fb" => {
                    if let Some((number, name)) = value.split_once(' ') {
                        read.feedback.push((number.parse().ok(), name.trim()));
                    }
                }
                "ssrc" => {
                    if let Some(ssrc) = value.split(' ').next().and_then(|ssrc| ssrc.parse().ok())
                        && !read.ssrcs.contains(&ssrc)
                    {
                        read.ssrcs.push(ssrc);
                    }
                }
                "ssrc-group" => read.groups.extend(fid(value)),
                "simulcast" => read.rids = receiving_rids(value),
                _ => {}
            }
        }
        // The m= line has the preference.
        let order: Vec<u8> =
            media.media_name.formats.iter().filter_map(|format| format.parse().ok()).collect();
        read.maps.retain(|(number, _)| order.contains(number));
        read.maps.sort_by_key(|(number, _)| order.iter().position(|one| one == number));
        Ok(read)
    }

    /// Those that both have. In an answer the numbers are those of our offer (RFC 3264 6.1 wishes it so).
    fn codecs(&self, expected: Option<&Expected>) -> Vec<(u8, Codec)> {
        let known = self.maps.iter();
        let known = known.filter_map(|(number, map)| Some((*number, codecs::from_rtpmap(map)?)));
        let ours = known.filter(|(number, codec)| {
            expected.is_none_or(|expected| {
                expected
                    .formats
                    .iter()
                    .any(|format| format.number == *number && format.codec == *codec)
            })
        });
        ours.collect()
    }
}

/// `96 VP8/90000` into its number and the rest.
fn numbered(value: &str) -> Option<(u8, &str)> {
    let (number, rest) = value.split_once(' ')?;
    Some((number.parse().ok()?, rest.trim()))
}

fn parameter<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// `4/sendonly urn:...` (RFC 8285 5).
fn extension(value: &str) -> Option<(ExtensionKind, u8)> {
    let mut words = value.split_whitespace();
    let id = words.next()?.split('/').next()?.parse().ok()?;
    Some((ExtensionKind::from_uri(words.next()?)?, id))
}

fn fid(value: &str) -> Option<(u32, u32)> {
    let mut words = value.split_whitespace();
    let is_fid = words.next()? == "FID";
    let pair = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    is_fid.then_some(pair)
}

/// The `recv` list of `a=simulcast` (RFC 8853 5.1): the first of alternatives, without `~`.
fn receiving_rids(value: &str) -> Vec<String> {
    let mut words = value.split_whitespace();
    while let Some(word) = words.next() {
        let list = words.next().unwrap_or_default();
        if word == "recv" {
            let streams = list.split(';').filter_map(|stream| stream.split(',').next());
            return streams
                .map(|rid| rid.trim_start_matches('~').to_owned())
                .filter(|rid| !rid.is_empty())
                .collect();
        }
    }
    Vec::new()
}

/// Media SSRCs with that of their retransmissions.
fn pair(ssrcs: &[u32], groups: &[(u32, u32)]) -> Vec<(u32, Option<u32>)> {
    let mut pairs: Vec<(u32, Option<u32>)> = Vec::new();
    for media in ssrcs.iter().chain(groups.iter().map(|(media, _)| media)) {
        let is_rtx = groups.iter().any(|(_, rtx)| rtx == media);
        if !is_rtx && pairs.iter().all(|(known, _)| known != media) {
            let rtx = groups.iter().find(|(one, _)| one == media).map(|(_, rtx)| *rtx);
            pairs.push((*media, rtx));
        }
    }
    pairs
}
