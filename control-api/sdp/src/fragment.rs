//! `application/trickle-ice-sdpfrag` bodies (RFC 8840), as WHIP and WHEP use them (RFC 9725 4.3).

use crate::answer::{bundle, write_candidates};
use crate::transport::TransportAttributes;
use crate::{MAX_FRAGMENT_BYTES, Offer, SdpError};
use std::fmt::{self, Write};
use weir_sfu_api::{IceCredentials, MediaDescription, TransportAnswer};

/// What a client trickles, or the new credentials of an ICE restart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IceFragment {
    /// The client's credentials; different from its last ones, they ask for an ICE restart.
    pub ice: Option<IceCredentials>,
    /// Candidate attributes without `a=`, as sent. An ICE-lite server needs none of them.
    pub candidates: Vec<String>,
    /// `a=end-of-candidates` was there.
    pub end_of_candidates: bool,
}

/// Reads a fragment.
///
/// # Errors
/// For anything that is no such fragment.
pub fn parse_ice_fragment(text: &str) -> Result<IceFragment, SdpError> {
    if text.len() > MAX_FRAGMENT_BYTES {
        return Err(SdpError::TooLong { len: text.len(), max: MAX_FRAGMENT_BYTES });
    }
    let mut fragment = IceFragment::default();
    let mut attributes = TransportAttributes::default();
    let mut media_lines: u16 = 0;
    let mut any = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let at = media_lines.checked_sub(1);
        match line.split_once('=') {
            Some(("m", _)) => media_lines = media_lines.saturating_add(1),
            Some(("a", attribute)) => {
                let (key, value) = attribute.split_once(':').unwrap_or((attribute, ""));
                match key {
                    // All m-lines are in one bundle: the first credentials hold for all.
                    "ice-ufrag" if attributes.ufrag.is_some() => {}
                    "ice-pwd" if attributes.pwd.is_some() => {}
                    "ice-ufrag" | "ice-pwd" => {
                        attributes.take(at, key, value)?;
                    }
                    "candidate" => fragment.candidates.push(attribute.to_owned()),
                    "end-of-candidates" => fragment.end_of_candidates = true,
                    _ => {}
                }
                any = true;
            }
            Some((key, _)) if key.len() == 1 => {}
            _ => {
                let text = crate::error::excerpt(line);
                return Err(SdpError::Syntax(format!("{text:?} is no line of an SDP fragment")));
            }
        }
    }
    if !any {
        return Err(SdpError::Syntax("the fragment has no attribute".to_owned()));
    }
    fragment.ice = match (&attributes.ufrag, &attributes.pwd) {
        (None, None) => None,
        _ => Some(attributes.credentials(None)?),
    };
    Ok(fragment)
}

/// Writes the server's side after an ICE restart: new credentials and all candidates.
#[must_use]
pub fn write_ice_fragment(
    offer: &Offer,
    desc: &MediaDescription,
    transport: &TransportAnswer,
) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = write_all(&mut text, offer, desc, transport);
    text
}

fn write_all(
    text: &mut String,
    offer: &Offer,
    desc: &MediaDescription,
    transport: &TransportAnswer,
) -> fmt::Result {
    text.write_str("a=ice-lite\r\na=ice-options:ice2 trickle\r\n")?;
    if let Some(mids) = bundle(offer, desc) {
        write!(text, "a=group:BUNDLE{mids}\r\n")?;
    }
    let Some(section) = desc.sections.first() else { return Ok(()) };
    let Some(line) = offer.lines.iter().find(|line| line.index == section.index) else {
        return Ok(());
    };
    let format = section.payload_types.first().map_or(0, |pt| pt.number);
    write!(text, "m={} 9 {} {format}\r\n", line.media, line.proto)?;
    if let Some(mid) = line.mid {
        write!(text, "a=mid:{mid}\r\n")?;
    }
    write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", transport.ice.ufrag, transport.ice.pwd)?;
    write_candidates(text, transport)
}
