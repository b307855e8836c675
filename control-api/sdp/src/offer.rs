//! A client's offer, read once.

use crate::error::excerpt;
use crate::line::{Line, direction};
use crate::transport::TransportAttributes;
use crate::{MAX_MEDIA_LINES, MAX_OFFER_BYTES, SdpError};
use rtc_sdp::SessionDescription;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use weir_sfu_api::Mid;

/// A parsed offer. It keeps every m-line, also those that will be rejected: an answer must have
/// as many as the offer, in the same order (RFC 3264 6).
#[derive(Debug, Clone)]
pub struct Offer {
    pub(crate) lines: Vec<Line>,
    /// `a=group:BUNDLE` groups (RFC 8843 allows several).
    pub(crate) bundles: Vec<Vec<Mid>>,
    pub(crate) extmap_allow_mixed: bool,
    pub(crate) transport: TransportAttributes,
}

impl Offer {
    /// How many m-lines the offer has, rejected ones included.
    #[must_use]
    pub fn media_lines(&self) -> usize {
        self.lines.len()
    }

    /// The BUNDLE group a m-line belongs to.
    pub(crate) fn bundle_of(&self, line: &Line) -> Option<&[Mid]> {
        let mid = line.mid?;
        self.bundles.iter().find(|group| group.contains(&mid)).map(Vec::as_slice)
    }

    /// The first m-line of a BUNDLE group: bundled m-lines may leave transport attributes to it
    /// (RFC 8843 7.1.3, RFC 8829 5.2.1).
    pub(crate) fn tagged(&self, group: &[Mid]) -> Option<&Line> {
        let tag = group.first()?;
        self.lines.iter().find(|line| line.mid.as_ref() == Some(tag))
    }

    /// ICE and DTLS attributes that hold for a m-line.
    pub(crate) fn transport_of(&self, line: &Line) -> TransportAttributes {
        let own = match self.bundle_of(line).and_then(|group| self.tagged(group)) {
            Some(tagged) => line.transport.or(&tagged.transport),
            None => line.transport.clone(),
        };
        own.or(&self.transport)
    }
}

/// Reads an offer.
///
/// # Errors
/// [`SdpError`] says what is wrong and where. Whatever the text, this does not panic.
pub fn parse_offer(text: &str) -> Result<Offer, SdpError> {
    if text.len() > MAX_OFFER_BYTES {
        return Err(SdpError::TooLong { len: text.len(), max: MAX_OFFER_BYTES });
    }
    let count = text.lines().filter(|line| line.starts_with("m=")).count();
    if count > MAX_MEDIA_LINES {
        return Err(SdpError::TooManyMediaLines { count, max: MAX_MEDIA_LINES });
    }
    let (text, foreign) = with_known_media(text);
    let raw = unmarshal(&text)?;

    let mut offer = Offer {
        lines: Vec::with_capacity(count),
        bundles: Vec::new(),
        extmap_allow_mixed: false,
        transport: TransportAttributes::default(),
    };
    let mut session_direction = None;
    for attribute in &raw.attributes {
        let key = attribute.key.as_str();
        let value = attribute.value.as_deref().unwrap_or_default().trim();
        if offer.transport.take(None, key, value)? {
            continue;
        }
        match key {
            "extmap-allow-mixed" => offer.extmap_allow_mixed = true,
            "group" => {
                if let Some(mids) = value.strip_prefix("BUNDLE") {
                    // Each m-line is in one group at most (RFC 8843 7.2.1), and looked up in all.
                    let named = offer.bundles.iter().map(Vec::len).sum();
                    let left = MAX_MEDIA_LINES.saturating_sub(named);
                    let mids = mids.split_whitespace().filter_map(Mid::new).take(left);
                    let group: Vec<Mid> = mids.collect();
                    if !group.is_empty() {
                        offer.bundles.push(group);
                    }
                }
            }
            _ => session_direction = direction(key).or(session_direction),
        }
    }
    for (index, media) in raw.media_descriptions.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let mut line = Line::parse(index, media, session_direction)?;
        if let Some(name) = foreign.get(&index) {
            line.media.clone_from(name);
        }
        line.extmap_allow_mixed |= offer.extmap_allow_mixed;
        if let Some(mid) = line.mid
            && let Some(other) = offer.lines.iter().find(|other| other.mid == Some(mid))
        {
            let reason = format!("{mid} is also the mid of m-line {}", other.index);
            return Err(SdpError::attribute(Some(index), "mid", reason));
        }
        offer.lines.push(line);
    }
    if offer.lines.is_empty() {
        return Err(SdpError::Syntax("no m-line".to_owned()));
    }
    Ok(offer)
}

/// The parser refuses a whole offer for one m-line with a media type it does not know, where RFC
/// 3264 6 wants that m-line rejected and the others answered. So it is shown `application`
/// instead, and the names it did not see are returned by the m-line's position.
fn with_known_media(text: &str) -> (Cow<'_, str>, BTreeMap<u16, String>) {
    let mut foreign = BTreeMap::new();
    let mut index: u16 = 0;
    for line in text.lines() {
        let Some(name) = line.strip_prefix("m=") else { continue };
        let name = name.split_whitespace().next().unwrap_or_default();
        if !KNOWN_MEDIA.contains(&name) && is_token(name) {
            foreign.insert(index, name.to_owned());
        }
        index = index.saturating_add(1);
    }
    if foreign.is_empty() {
        return (Cow::Borrowed(text), foreign);
    }
    let mut known = String::with_capacity(text.len());
    let mut index: u16 = 0;
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("m=") {
            Some(rest) => {
                match foreign.get(&index).and_then(|name| rest.trim_start().strip_prefix(name)) {
                    Some(rest) => {
                        known.push_str("m=application");
                        known.push_str(rest);
                    }
                    None => known.push_str(line),
                }
                index = index.saturating_add(1);
            }
            None => known.push_str(line),
        }
    }
    (Cow::Owned(known), foreign)
}

/// Media types the parser knows.
const KNOWN_MEDIA: [&str; 6] = ["audio", "video", "text", "application", "message", "image"];

/// A `token` (RFC 8866 9) of a length that is worth repeating.
fn is_token(word: &str) -> bool {
    (1..=32).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&b))
}

/// The parser is not ours and reads what a stranger wrote: a panic in it costs this offer only.
fn unmarshal(text: &str) -> Result<SessionDescription, SdpError> {
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes()))
    }));
    match parsed {
        Ok(Ok(description)) => Ok(description),
        Ok(Err(error)) => Err(SdpError::Syntax(excerpt(&error.to_string()))),
        Err(_) => Err(SdpError::Syntax("the parser gave up".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each m-line looks itself up in the groups: 80,000 names for 500 m-lines were 0.7 s.
    #[test]
    fn groups_name_no_more_than_there_may_be_m_lines() {
        let group = format!("a=group:BUNDLE{}\r\n", " x".repeat(300));
        let text = format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{group}{group}{group}\
             m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
        );
        let offer = parse_offer(&text).unwrap();
        assert_eq!(offer.bundles.iter().map(Vec::len).sum::<usize>(), MAX_MEDIA_LINES);
        assert_eq!(offer.bundles.len(), 2);
    }
}
