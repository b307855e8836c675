//! Offers of our own (RFC 8829 5.2.1), no longer than the plan needs.

use super::codecs::{self, Format};
use super::read::{self, Expected};
use super::transport::write_transport;
use super::{SdpError, Side};
use crate::engine::{LocalDescription, LocalTrack, Negotiated};
use crate::plan::Codec;
use std::fmt::Write;
use weir_sfu_api::MediaKind;

/// What is to be received on the connection.
#[derive(Debug, Clone, Default)]
pub struct Receive {
    /// Audio m-lines.
    pub audio: u16,
    /// Video m-lines.
    pub video: u16,
    /// In these; empty: in all that we know.
    pub codecs: Vec<Codec>,
}

/// An offer and what is needed to read the answer to it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The session description.
    pub text: String,
    expected: Vec<Expected>,
}

impl Offer {
    /// Mids of our tracks, in the order of [`LocalDescription::tracks`].
    #[must_use]
    pub fn track_mids(&self) -> Vec<&str> {
        let tracks = self.expected.iter().filter(|line| line.track.is_some());
        tracks.map(|line| line.mid.as_str()).collect()
    }

    /// What the server agreed to.
    ///
    /// # Errors
    /// When the text is none, lacks what is needed to connect, or takes none of what we offered.
    pub fn read_answer(&self, text: &str) -> Result<Negotiated, SdpError> {
        read::read(Side::Answer, text, Some(&self.expected))
    }
}

/// Offers everything that `local` sends, in its order, then the m-lines that receive: audio, then video.
#[must_use]
pub fn offer(local: &LocalDescription, receive: &Receive) -> Offer {
    let mut lines = Vec::new();
    for (index, track) in local.tracks.iter().enumerate() {
        let formats: Vec<Format> = codecs::of_codec(track.plan.codec).into_iter().collect();
        lines.push((track.plan.codec.kind(), Some(index), formats));
    }
    for (kind, count) in [(MediaKind::Audio, receive.audio), (MediaKind::Video, receive.video)] {
        let formats = codecs::of(kind, &receive.codecs);
        if !formats.is_empty() {
            lines.extend((0..count).map(|_| (kind, None, formats.clone())));
        }
    }

    let mut text = head(lines.len());
    let mut expected = Vec::with_capacity(lines.len());
    for (number, (kind, index, formats)) in lines.into_iter().enumerate() {
        let mid = number.to_string();
        let track = index.and_then(|index| local.tracks.get(index));
        write_line(&mut text, local, &mid, kind, track, &formats, number == 0);
        let simulcast = track.is_some_and(is_simulcast);
        expected.push(Expected { mid, kind, track: index, simulcast, formats });
    }
    Offer { text, expected }
}

/// Session level, with one BUNDLE group (RFC 8843).
pub(super) fn head(count: usize) -> String {
    let mids: String = (0..count).map(|mid| format!(" {mid}")).collect();
    head_of(&mids)
}

pub(super) fn head_of(mids: &str) -> String {
    format!(
        "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
         a=group:BUNDLE{mids}\r\na=msid-semantic: WMS *\r\n"
    )
}

fn is_simulcast(track: &LocalTrack) -> bool {
    track.plan.layers.iter().any(|layer| layer.rid.is_some())
}

fn write_line(
    text: &mut String,
    local: &LocalDescription,
    mid: &str,
    kind: MediaKind,
    track: Option<&LocalTrack>,
    formats: &[Format],
    first: bool,
) {
    let simulcast = track.is_some_and(is_simulcast);
    let numbers: String = formats
        .iter()
        .flat_map(|format| [Some(format.number), format.rtx])
        .flatten()
        .map(|number| format!(" {number}"))
        .collect();
    let direction = if track.is_some() { "sendonly" } else { "recvonly" };
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "m={} 9 UDP/TLS/RTP/SAVPF{numbers}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n",
        kind.as_str()
    );
    write_transport(text, local, "actpass", first);
    let _ = write!(text, "a={direction}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
    for (extension, id) in codecs::extensions(kind, simulcast, formats) {
        let _ = write!(text, "a=extmap:{id} {}\r\n", extension.uri());
    }
    for format in formats {
        write_format(text, *format);
    }
    if let Some(track) = track {
        write_streams(text, track, simulcast);
    }
}

/// `rtpmap`, `fmtp` and `rtcp-fb` of a format and of its retransmissions.
pub(super) fn write_format(text: &mut String, format: Format) {
    let (number, codec) = (format.number, format.codec);
    let channels = if codec == Codec::Opus { "/2" } else { "" };
    let rate = codec.clock_rate();
    let _ = write!(text, "a=rtpmap:{number} {}/{rate}{channels}\r\n", codec.name());
    if !format.fmtp.is_empty() {
        let _ = write!(text, "a=fmtp:{number} {}\r\n", format.fmtp);
    }
    for feedback in codecs::feedback(codec.kind()) {
        let _ = write!(text, "a=rtcp-fb:{number} {feedback}\r\n");
    }
    if let Some(rtx) = format.rtx {
        let _ = write!(text, "a=rtpmap:{rtx} rtx/{rate}\r\na=fmtp:{rtx} apt={number}\r\n");
    }
}

/// SSRCs where there is one stream; rids for simulcast, whose SSRCs are told by header extension, as
/// libwebrtc does it.
fn write_streams(text: &mut String, track: &LocalTrack, simulcast: bool) {
    let source = track.plan.source.as_str();
    let _ = write!(text, "a=msid:load {source}\r\n");
    if simulcast {
        let rids: Vec<&str> =
            track.plan.layers.iter().filter_map(|layer| layer.rid.as_deref()).collect();
        for rid in &rids {
            let _ = write!(text, "a=rid:{rid} send\r\n");
        }
        let _ = write!(text, "a=simulcast:send {}\r\n", rids.join(";"));
        return;
    }
    let has_rtx = track.plan.codec.kind() == MediaKind::Video;
    for (media, rtx) in &track.ssrcs {
        let rtx = Some(rtx).filter(|_| has_rtx);
        if let Some(rtx) = rtx {
            let _ = write!(text, "a=ssrc-group:FID {media} {rtx}\r\n");
        }
        for ssrc in std::iter::once(media).chain(rtx) {
            let _ =
                write!(text, "a=ssrc:{ssrc} cname:load\r\na=ssrc:{ssrc} msid:load {source}\r\n");
        }
    }
}
