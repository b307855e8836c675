//! Offers: whatever the text, an answer that can be read, or a refusal.

use std::collections::BTreeMap;
use weir_sdp::{
    Capabilities, SdpError, SessionId, negotiate, parse_ice_fragment, parse_offer, write_answer,
    write_ice_fragment,
};
use weir_sfu_api::{
    Candidate, DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials, MediaAnswer,
    MediaDescription, SectionAnswer, SourceKind, SsrcGroup, TransportAnswer,
};

/// Longest reason of a refusal in bytes: it is shown to a person.
const LONGEST_REASON: usize = 16_384;

/// Takes an offer to its answer, and the same bytes as an ICE fragment.
///
/// # Panics
/// When the answer does not fit the offer, or takes more room than an offer may make it take.
pub fn sdp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(fragment) = parse_ice_fragment(text) {
        assert!(fragment.candidates.len() <= text.len() / "a=candidate".len());
    }
    let offer = match parse_offer(text) {
        Ok(offer) => offer,
        Err(error) => return refused(&error),
    };
    let sources = BTreeMap::from([
        ("0".to_owned(), SourceKind::Screen),
        ("1".to_owned(), SourceKind::ScreenAudio),
    ]);
    for sources in [BTreeMap::new(), sources] {
        let described = match negotiate(&offer, &Capabilities::default(), &sources) {
            Ok(described) => described,
            Err(error) => return refused(&error),
        };
        negotiated(text, offer.media_lines(), &described);
        let (transport, media) = (transport(), media(&described));
        let session = SessionId { id: 7, version: 1 };
        let answer = write_answer(&offer, &described, &transport, &media, &session);
        answered(text, offer.media_lines(), &described, &answer);
        let fragment = write_ice_fragment(&offer, &described, &transport);
        let read = parse_ice_fragment(&fragment).expect("our own fragment");
        assert_eq!(read.ice, Some(transport.ice));
        assert_eq!(read.candidates.len(), transport.candidates.len());
    }
}

fn refused(error: &SdpError) {
    let reason = error.to_string();
    assert!(!reason.is_empty() && reason.len() <= LONGEST_REASON, "{} bytes", reason.len());
}

fn negotiated(text: &str, lines: usize, described: &MediaDescription) {
    assert!(!described.sections.is_empty() && described.sections.len() <= lines);
    assert!(!described.transport.fingerprints.is_empty());
    assert!(text.contains(&described.transport.ice.ufrag));
    for pair in described.sections.windows(2) {
        assert!(pair[0].index < pair[1].index, "in the order of m-lines");
    }
    for (at, section) in described.sections.iter().enumerate() {
        assert!(!section.payload_types.is_empty());
        assert!(section.simulcast.len() <= weir_sdp::MAX_LAYERS);
        assert!(section.ssrcs.len() <= weir_sdp::MAX_SSRCS);
        assert!(described.sections[..at].iter().all(|other| other.mid != section.mid));
        for (n, payload_type) in section.payload_types.iter().enumerate() {
            assert!(payload_type.number < 128);
            let before = &section.payload_types[..n];
            assert!(before.iter().all(|other| other.number != payload_type.number));
        }
    }
}

fn answered(text: &str, lines: usize, described: &MediaDescription, answer: &str) {
    // Each m-line may need its own transport and each payload type its lines.
    let most = 4_096 + lines * 2_048 + text.len() * 8;
    assert!(answer.len() <= most, "{} bytes answer {}", answer.len(), text.len());
    assert!(answer.lines().all(|line| line.as_bytes().get(1) == Some(&b'=')), "{answer}");
    let ports: Vec<bool> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("m="))
        .map(|line| line.split(' ').nth(1) != Some("0"))
        .collect();
    assert_eq!(ports.len(), lines, "an answer has as many m-lines as the offer");
    let accepted = described.sections.iter().map(|section| usize::from(section.index));
    assert!(
        accepted.eq(ports.iter().enumerate().filter(|(_, on)| **on).map(|(index, _)| index)),
        "those that were negotiated have a port"
    );
    // It reads as a description of the same media by the reader of offers, whose limit of bytes is
    // for clients.
    if answer.len() <= weir_sdp::MAX_OFFER_BYTES {
        let again = parse_offer(answer).unwrap_or_else(|error| panic!("{error}\n{answer}"));
        assert_eq!(again.media_lines(), lines);
        let read = negotiate(&again, &Capabilities::default(), &BTreeMap::new())
            .unwrap_or_else(|error| panic!("{error}\n{answer}"));
        assert_eq!(read.transport.ice, transport().ice);
        assert_eq!(read.sections.len(), described.sections.len(), "{answer}");
        for (one, other) in read.sections.iter().zip(&described.sections) {
            assert_eq!((one.index, one.mid, one.kind), (other.index, other.mid, other.kind));
            assert_eq!(one.direction.sends(), other.direction.receives());
            assert_eq!(one.direction.receives(), other.direction.sends());
        }
    }
}

/// The shard's part, as it would be.
fn transport() -> TransportAnswer {
    let candidates = ["192.0.2.7:8801", "[2001:db8::7]:8801"];
    TransportAnswer {
        ice: IceCredentials {
            ufrag: "srvu".to_owned(),
            pwd: "srvpsrvpsrvpsrvpsrvpsrvp".to_owned(),
        },
        fingerprint: Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![0xab; 32] },
        setup: DtlsSetup::Passive,
        candidates: candidates
            .map(|addr| Candidate { addr: addr.parse().expect("an address") })
            .to_vec(),
    }
}

fn media(described: &MediaDescription) -> MediaAnswer {
    let sections = described.sections.iter().map(|section| SectionAnswer {
        mid: section.mid,
        ssrcs: section.direction.receives().then_some(SsrcGroup {
            media: 1_000 + u32::from(section.index),
            rtx: Some(2_000 + u32::from(section.index)),
        }),
        cname: "weir".to_owned(),
        stream_id: "s".to_owned(),
        track_id: format!("t{}", section.index),
    });
    MediaAnswer { sections: sections.collect() }
}
