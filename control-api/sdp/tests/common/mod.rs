//! Offers of real browsers and the shard's part of an answer.
#![allow(dead_code, reason = "each test file uses its part")]

use rtc_sdp::{MediaDescription as RawMedia, SessionDescription};
use std::collections::BTreeMap;
use std::io::Cursor;
use weir_sdp::{Capabilities, Offer, SessionId, negotiate, parse_offer, write_answer};
use weir_sfu_api::{
    Candidate, DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials, MediaAnswer,
    MediaDescription, MediaSection, SectionAnswer, SsrcGroup, TransportAnswer,
};

pub(crate) const CHROMIUM: &str = include_str!("../data/offer-chromium.sdp");
pub(crate) const FIREFOX: &str = include_str!("../data/offer-firefox.sdp");

/// Session part of a small offer with everything a transport needs, in front of m-lines.
pub(crate) const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n";

/// A small audio m-line, without mid.
pub(crate) const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
    a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";

/// A small video m-line, without mid.
pub(crate) const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n\
    a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";

pub(crate) fn transport() -> TransportAnswer {
    TransportAnswer {
        ice: IceCredentials {
            ufrag: "srvu".to_owned(),
            pwd: "srvpsrvpsrvpsrvpsrvpsrvp".to_owned(),
        },
        fingerprint: Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![0xab; 32] },
        setup: DtlsSetup::Passive,
        candidates: vec![
            Candidate { addr: "192.0.2.7:8801".parse().unwrap() },
            Candidate { addr: "[2001:db8::7]:8801".parse().unwrap() },
        ],
    }
}

pub(crate) fn media(desc: &MediaDescription) -> MediaAnswer {
    let sections = desc.sections.iter().map(|section| SectionAnswer {
        mid: section.mid,
        ssrcs: section.direction.receives().then_some(SsrcGroup {
            media: 1000 + u32::from(section.index),
            rtx: Some(2000 + u32::from(section.index)),
        }),
        cname: "weir".to_owned(),
        stream_id: "s".to_owned(),
        track_id: format!("t{}", section.index),
    });
    MediaAnswer { sections: sections.collect() }
}

pub(crate) fn described(text: &str) -> (Offer, MediaDescription) {
    let offer = parse_offer(text).unwrap();
    let desc = negotiate(&offer, &Capabilities::default(), &BTreeMap::new()).unwrap();
    (offer, desc)
}

pub(crate) fn section(desc: &MediaDescription, index: usize) -> &MediaSection {
    &desc.sections[index]
}

pub(crate) fn answer(text: &str) -> String {
    let (offer, desc) = described(text);
    write_answer(&offer, &desc, &transport(), &media(&desc), &SessionId { id: 7, version: 1 })
}

/// By a parser of others, which knows six media types only: the rest is shown as `application`.
pub(crate) fn raw(text: &str) -> SessionDescription {
    const KNOWN: [&str; 6] = ["audio", "video", "text", "application", "message", "image"];
    let lines = text.lines().map(|line| match line.strip_prefix("m=") {
        Some(rest) => {
            let (name, rest) = rest.split_once(' ').unwrap();
            let name = if KNOWN.contains(&name) { name } else { "application" };
            format!("m={name} {rest}\r\n")
        }
        None => format!("{line}\r\n"),
    });
    let text: String = lines.collect();
    SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes())).unwrap()
}

pub(crate) fn values<'a>(media: &'a RawMedia, key: &str) -> Vec<&'a str> {
    let of_key = media.attributes.iter().filter(|attribute| attribute.key == key);
    of_key.map(|attribute| attribute.value.as_deref().unwrap_or_default()).collect()
}

/// What RFC 3264 6 and RFC 8829 5.3.1 ask of any answer to any offer.
pub(crate) fn assert_follows_the_rules(offer: &str, answer: &str) {
    let (offer, answer) = (raw(offer), raw(answer));
    assert_eq!(offer.media_descriptions.len(), answer.media_descriptions.len());
    let group = answer.attribute("group").cloned();
    for (asked, told) in offer.media_descriptions.iter().zip(&answer.media_descriptions) {
        assert_eq!(asked.media_name.media, told.media_name.media);
        assert_eq!(asked.media_name.protos, told.media_name.protos);
        assert_eq!(asked.attribute("mid"), told.attribute("mid"));
        assert!(!told.media_name.formats.is_empty());
        for format in &told.media_name.formats {
            assert!(asked.media_name.formats.contains(format), "{format} was not offered");
        }
        let mid = told.attribute("mid").flatten().unwrap_or_default();
        let in_group = !mid.is_empty()
            && group.as_deref().unwrap_or_default().split(' ').any(|word| word == mid);
        if told.media_name.port.value == 0 {
            assert!(!in_group, "a rejected m-line in the group");
            continue;
        }
        assert!(group.is_none() || in_group, "an accepted m-line outside the group");
        for key in ["ice-ufrag", "ice-pwd", "fingerprint", "setup", "rtcp-mux"] {
            assert!(told.has_attribute(key), "{key} is missing");
        }
        assert!(!told.has_attribute("candidate") || told.has_attribute("end-of-candidates"));
        let direction = |media: &RawMedia| {
            let all = ["sendrecv", "sendonly", "recvonly", "inactive"];
            all.into_iter().find(|key| media.has_attribute(key)).unwrap_or("sendrecv")
        };
        let allowed: &[&str] = match direction(asked) {
            "sendonly" => &["recvonly", "inactive"],
            "recvonly" => &["sendonly", "inactive"],
            "inactive" => &["inactive"],
            _ => &["sendrecv", "sendonly", "recvonly", "inactive"],
        };
        assert!(allowed.contains(&direction(told)), "direction {}", direction(told));
        // Header extensions keep the client's ids.
        let offered: Vec<(String, String)> = extensions(asked);
        for extension in extensions(told) {
            assert!(offered.contains(&extension), "{extension:?} was not offered");
        }
    }
}

fn extensions(media: &RawMedia) -> Vec<(String, String)> {
    let split = |value: &&str| {
        let (id, uri) = value.split_once(' ')?;
        Some((id.split('/').next().unwrap().to_owned(), uri.trim().to_owned()))
    };
    values(media, "extmap").iter().filter_map(split).collect()
}
