//! Answers to a server's offer (RFC 8829 5.3.1): for subscribers of servers that offer.

use super::codecs;
use super::offer::head_of;
use super::read;
use super::transport::write_transport;
use super::{SdpError, Side};
use crate::engine::{LocalDescription, Negotiated, NegotiatedSection};
use crate::plan::Codec;
use std::fmt::Write;
use weir_sfu_api::DtlsSetup;

/// Takes everything that the server offers to send in a codec of `wanted` (empty: of any that we know),
/// and sends nothing. An m-line that is inactive for now stays so: it may carry the bundle's transport. The DTLS handshake is begun by us wherever the server leaves the choice.
///
/// # Errors
/// When the text is none, or offers nothing that we can receive.
pub fn answer(
    local: &LocalDescription,
    offer: &str,
    wanted: &[Codec],
) -> Result<(String, Negotiated), SdpError> {
    let mut negotiated = read::read(Side::Offer, offer, None)?;
    negotiated.sections.retain_mut(|section| {
        section.codecs.retain(|(_, codec)| wanted.is_empty() || wanted.contains(codec));
        // One is enough: the server sends in the first that we take.
        section.codecs.truncate(1);
        let kept = section.codecs.first().map(|(number, _)| *number);
        section.rtx.retain(|(number, _)| Some(*number) == kept);
        kept.is_some()
    });
    if negotiated.sections.is_empty() {
        return Err(SdpError::Refused(Side::Offer, "sends nothing that we can receive".to_owned()));
    }
    let setup = match negotiated.remote.setup {
        DtlsSetup::Active => "passive",
        DtlsSetup::Passive | DtlsSetup::ActPass => "active",
    };
    if setup == "active" {
        negotiated.remote.setup = DtlsSetup::Passive;
    }

    let mids: String =
        negotiated.sections.iter().map(|section| format!(" {}", section.mid)).collect();
    let mut text = head_of(&mids);
    let parsed = read::parse(Side::Offer, offer)?;
    let mut first = true;
    for media in &parsed.media_descriptions {
        let mid = media.attribute("mid").flatten().map(str::trim).unwrap_or_default();
        let (name, proto) = (&media.media_name.media, media.media_name.protos.join("/"));
        match negotiated.sections.iter().find(|section| section.mid == mid) {
            Some(section) => {
                write_line(&mut text, local, section, &proto, setup, first);
                first = false;
            }
            None => {
                let format = media.media_name.formats.first().map_or("0", String::as_str);
                // Writing into a String cannot fail.
                let _ = write!(text, "m={name} 0 {proto} {format}\r\nc=IN IP4 0.0.0.0\r\n");
                if !mid.is_empty() {
                    let _ = write!(text, "a=mid:{mid}\r\n");
                }
                text.push_str("a=inactive\r\n");
            }
        }
    }
    Ok((text, negotiated))
}

fn write_line(
    text: &mut String,
    local: &LocalDescription,
    section: &NegotiatedSection,
    proto: &str,
    setup: &str,
    first: bool,
) {
    let kind = section.kind.as_str();
    let _ = write!(text, "m={kind} 9 {proto}");
    for (number, _) in &section.codecs {
        let _ = write!(text, " {number}");
    }
    for (_, rtx) in &section.rtx {
        let _ = write!(text, " {rtx}");
    }
    let _ = write!(text, "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\n", section.mid);
    write_transport(text, local, setup, first);
    let direction = if section.receives { "recvonly" } else { "inactive" };
    let _ = write!(text, "a={direction}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
    for (extension, id) in &section.extensions {
        let _ = write!(text, "a=extmap:{id} {}\r\n", extension.uri());
    }
    for (number, codec) in &section.codecs {
        let (name, rate) = (codec.name(), codec.clock_rate());
        let channels = if *codec == Codec::Opus { "/2" } else { "" };
        let _ = write!(text, "a=rtpmap:{number} {name}/{rate}{channels}\r\n");
        let feedback = [
            (section.nack, "nack"),
            (section.pli, "nack pli"),
            (section.transport_cc, "transport-cc"),
        ];
        for (_, name) in feedback.iter().filter(|(agreed, _)| *agreed) {
            let _ = write!(text, "a=rtcp-fb:{number} {name}\r\n");
        }
        // Parameters that both must have alike.
        if let Some(format) = codecs::of_codec(*codec).filter(|format| !format.fmtp.is_empty()) {
            let _ = write!(text, "a=fmtp:{number} {}\r\n", format.fmtp);
        }
        if let Some((_, rtx)) = section.rtx.iter().find(|(media, _)| media == number) {
            let _ = write!(text, "a=rtpmap:{rtx} rtx/{rate}\r\na=fmtp:{rtx} apt={number}\r\n");
        }
    }
}
