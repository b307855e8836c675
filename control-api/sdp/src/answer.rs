//! Writing an answer (RFC 8829 5.3.1).

use crate::line::Line;
use crate::{Offer, extensions};
use std::fmt::{self, Write};
use std::net::IpAddr;
use weir_sfu_api::{
    Candidate, Direction, DtlsSetup, Fingerprint, MediaAnswer, MediaDescription, MediaSection, Mid,
    PayloadType, SectionAnswer, TransportAnswer,
};

/// The numbers of the `o=` line. The version rises by one with each answer of a session whose
/// text differs from the one before (RFC 3264 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId {
    /// Session id, below 2^63.
    pub id: u64,
    /// Session version.
    pub version: u64,
}

/// Writes the answer to `offer`.
///
/// `desc` must come from [`crate::negotiate`] with the same offer, and `media` hold one entry for
/// each of its sections, in the same order.
#[must_use]
pub fn write_answer(
    offer: &Offer,
    desc: &MediaDescription,
    transport: &TransportAnswer,
    media: &MediaAnswer,
    session: &SessionId,
) -> String {
    let mut text =
        String::with_capacity(offer.lines.len().saturating_mul(512).saturating_add(1024));
    // Writing into a String cannot fail.
    let _ = write_all(&mut text, offer, desc, transport, media, session);
    text
}

fn write_all(
    text: &mut String,
    offer: &Offer,
    desc: &MediaDescription,
    transport: &TransportAnswer,
    media: &MediaAnswer,
    session: &SessionId,
) -> fmt::Result {
    write!(text, "v=0\r\no=- {} {} IN IP4 127.0.0.1\r\n", session.id, session.version)?;
    text.write_str("s=-\r\nt=0 0\r\na=ice-lite\r\na=ice-options:ice2 trickle\r\n")?;
    if let Some(mids) = bundle(offer, desc) {
        write!(text, "a=group:BUNDLE{mids}\r\n")?;
    }
    if offer.extmap_allow_mixed {
        text.write_str("a=extmap-allow-mixed\r\n")?;
    }
    text.write_str("a=msid-semantic: WMS *\r\n")?;

    let mut first = true;
    for line in &offer.lines {
        let accepted = desc.sections.iter().zip(&media.sections);
        match accepted.into_iter().find(|(section, _)| section.index == line.index) {
            Some((section, answer)) => {
                write_section(text, offer, line, section, answer, transport, first)?;
                first = false;
            }
            None => write_rejected(text, line)?,
        }
    }
    Ok(())
}

/// All accepted mids, or `None` when the client does not bundle (RFC 8843 7.3: an answer has a
/// group only where the offer has one).
pub(crate) fn bundle(offer: &Offer, desc: &MediaDescription) -> Option<String> {
    let first = desc.sections.first()?;
    let line = offer.lines.iter().find(|line| line.index == first.index)?;
    offer.bundle_of(line)?;
    let mut mids = String::new();
    for section in &desc.sections {
        let _ = write!(mids, " {}", section.mid);
    }
    Some(mids)
}

fn write_rejected(text: &mut String, line: &Line) -> fmt::Result {
    write!(text, "m={} 0 {} {}\r\n", line.media, line.proto, line.first_format)?;
    text.write_str("c=IN IP4 0.0.0.0\r\n")?;
    write_mid(text, line.mid)?;
    text.write_str("a=inactive\r\n")
}

fn write_mid(text: &mut String, mid: Option<Mid>) -> fmt::Result {
    mid.map_or(Ok(()), |mid| write!(text, "a=mid:{mid}\r\n"))
}

fn write_section(
    text: &mut String,
    offer: &Offer,
    line: &Line,
    section: &MediaSection,
    answer: &SectionAnswer,
    transport: &TransportAnswer,
    first: bool,
) -> fmt::Result {
    let default = transport.candidates.first();
    let port = default.map_or(9, |candidate| candidate.addr.port());
    write!(text, "m={} {port} {}", line.media, line.proto)?;
    for pt in &section.payload_types {
        write!(text, " {}", pt.number)?;
        if let Some(rtx) = pt.rtx {
            write!(text, " {rtx}")?;
        }
    }
    match default.map(|candidate| candidate.addr.ip()) {
        Some(IpAddr::V4(ip)) => write!(text, "\r\nc=IN IP4 {ip}\r\n")?,
        Some(IpAddr::V6(ip)) => write!(text, "\r\nc=IN IP6 {ip}\r\n")?,
        None => text.write_str("\r\nc=IN IP4 0.0.0.0\r\n")?,
    }
    write_mid(text, line.mid)?;
    write_transport(text, transport)?;
    if first {
        write_candidates(text, transport)?;
    }

    let sends = section.direction.receives() && answer.ssrcs.is_some();
    let direction = match (sends, section.direction.sends()) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    };
    write!(text, "a={direction}\r\na=rtcp-mux\r\n")?;
    let tagged = offer.bundle_of(line).and_then(|group| offer.tagged(group));
    if line.rtcp_rsize || tagged.is_some_and(|tagged| tagged.rtcp_rsize) {
        text.write_str("a=rtcp-rsize\r\n")?;
    }
    if line.extmap_allow_mixed && !offer.extmap_allow_mixed {
        text.write_str("a=extmap-allow-mixed\r\n")?;
    }
    for (kind, id) in section.extensions.iter() {
        let id = extensions::answer_id(line, kind, id);
        write!(text, "a=extmap:{id} {}\r\n", kind.uri())?;
    }
    section.payload_types.iter().try_for_each(|pt| write_payload_type(text, pt))?;
    write_simulcast(text, line, section)?;
    if sends {
        write_slot(text, section, answer)?;
    }
    Ok(())
}

/// Every m-line gets them, although RFC 8829 5.2.1 would have them once in a BUNDLE: libwebrtc
/// writes and wants it so.
fn write_transport(text: &mut String, transport: &TransportAnswer) -> fmt::Result {
    write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", transport.ice.ufrag, transport.ice.pwd)?;
    write_fingerprint(text, &transport.fingerprint)?;
    let setup = match transport.setup {
        DtlsSetup::Active => "active",
        DtlsSetup::Passive | DtlsSetup::ActPass => "passive",
    };
    write!(text, "a=setup:{setup}\r\n")
}

fn write_fingerprint(text: &mut String, fingerprint: &Fingerprint) -> fmt::Result {
    write!(text, "a=fingerprint:{} ", fingerprint.algorithm.as_str())?;
    for (position, byte) in fingerprint.value.iter().enumerate() {
        let colon = if position == 0 { "" } else { ":" };
        write!(text, "{colon}{byte:02X}")?;
    }
    text.write_str("\r\n")
}

pub(crate) fn write_candidates(text: &mut String, transport: &TransportAnswer) -> fmt::Result {
    for (index, candidate) in transport.candidates.iter().enumerate() {
        write!(text, "a={}\r\n", candidate_line(candidate, index))?;
    }
    text.write_str("a=end-of-candidates\r\n")
}

/// A candidate as in `RTCIceCandidateInit.candidate`, without `a=` (RFC 8839 5.1). `index` is its
/// place in the server's list, the most preferred first: it makes foundation and priority.
#[must_use]
pub fn candidate_line(candidate: &Candidate, index: usize) -> String {
    let rank = u32::try_from(index).unwrap_or(u32::MAX).min(65_535);
    // RFC 8445 5.1.2.1: type preference 126 for host, local preference, component 1.
    let priority = (126_u32 << 24) | (65_535_u32.saturating_sub(rank) << 8) | 255;
    let foundation = rank.saturating_add(1);
    let (ip, port) = (candidate.addr.ip(), candidate.addr.port());
    format!("candidate:{foundation} 1 udp {priority} {ip} {port} typ host")
}

fn write_payload_type(text: &mut String, pt: &PayloadType) -> fmt::Result {
    let (number, codec) = (pt.number, pt.codec.kind);
    let channels = if codec.is_video() { "" } else { "/2" };
    let rate = codec.clock_rate();
    write!(text, "a=rtpmap:{number} {}/{rate}{channels}\r\n", codec.name())?;
    if let Some(fmtp) = &pt.fmtp {
        write!(text, "a=fmtp:{number} {fmtp}\r\n")?;
    }
    let feedback = [
        (pt.feedback.remb, "goog-remb"),
        (pt.feedback.transport_cc, "transport-cc"),
        (pt.feedback.fir, "ccm fir"),
        (pt.feedback.nack, "nack"),
        (pt.feedback.pli, "nack pli"),
    ];
    for (_, name) in feedback.iter().filter(|(on, _)| *on) {
        write!(text, "a=rtcp-fb:{number} {name}\r\n")?;
    }
    if let Some(rtx) = pt.rtx {
        write!(text, "a=rtpmap:{rtx} rtx/{rate}\r\na=fmtp:{rtx} apt={number}\r\n")?;
    }
    Ok(())
}

/// The layers we receive (RFC 8853 5.3.2). A `pt=` restriction comes back with the formats that
/// were accepted; other restrictions are the sender's own business and are left out.
fn write_simulcast(text: &mut String, line: &Line, section: &MediaSection) -> fmt::Result {
    if section.simulcast.is_empty() {
        return Ok(());
    }
    for layer in &section.simulcast {
        write!(text, "a=rid:{} recv", layer.rid)?;
        let mut separator = " pt=";
        let offered = line.rids.iter().find(|rid| rid.rid == layer.rid);
        for number in offered.iter().flat_map(|rid| &rid.payload_types) {
            if section.payload_types.iter().any(|pt| pt.number == *number) {
                write!(text, "{separator}{number}")?;
                separator = ",";
            }
        }
        text.write_str("\r\n")?;
    }
    text.write_str("a=simulcast:recv ")?;
    for (position, layer) in section.simulcast.iter().enumerate() {
        let separator = if position == 0 { "" } else { ";" };
        let paused = if layer.paused { "~" } else { "" };
        write!(text, "{separator}{paused}{}", layer.rid)?;
    }
    text.write_str("\r\n")
}

fn write_slot(text: &mut String, section: &MediaSection, answer: &SectionAnswer) -> fmt::Result {
    debug_assert!(section.direction != Direction::Inactive, "inactive m-lines are no slots");
    let Some(ssrcs) = answer.ssrcs else { return Ok(()) };
    let rtx = ssrcs.rtx.filter(|_| section.payload_types.iter().any(|pt| pt.rtx.is_some()));
    write!(text, "a=msid:{} {}\r\n", answer.stream_id, answer.track_id)?;
    if let Some(rtx) = rtx {
        write!(text, "a=ssrc-group:FID {} {rtx}\r\n", ssrcs.media)?;
    }
    write!(text, "a=ssrc:{} cname:{}\r\n", ssrcs.media, answer.cname)?;
    if let Some(rtx) = rtx {
        write!(text, "a=ssrc:{rtx} cname:{}\r\n", answer.cname)?;
    }
    Ok(())
}
