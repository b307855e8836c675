//! The offers of Chromium 156 and Firefox 153, unchanged.
mod common;

use common::{
    CHROMIUM, FIREFOX, answer, assert_follows_the_rules, described, raw, section, values,
};
use weir_sfu_api::{
    CodecKind, Direction, DtlsSetup, ExtensionKind, HashAlgorithm, MediaKind, SourceKind, SsrcGroup,
};

#[test]
fn chromium_is_understood() {
    let (_, desc) = described(CHROMIUM);
    assert_eq!(desc.transport.ice.ufrag, "SsOJ");
    assert_eq!(desc.transport.setup, DtlsSetup::ActPass);
    assert_eq!(desc.transport.fingerprints[0].algorithm, HashAlgorithm::Sha256);
    assert_eq!(desc.transport.fingerprints[0].value[..2], [0x1c, 0x45]);
    assert_eq!(desc.sections.len(), 2);

    let audio = section(&desc, 0);
    assert_eq!((audio.kind, audio.source), (MediaKind::Audio, SourceKind::Microphone));
    assert_eq!(audio.direction, Direction::SendOnly);
    let numbers: Vec<_> = audio.payload_types.iter().map(|pt| (pt.number, pt.codec.kind)).collect();
    assert_eq!(numbers, [(111, CodecKind::Opus), (63, CodecKind::Red)]);
    assert_eq!(audio.ssrcs, [SsrcGroup { media: 804_095_182, rtx: None }]);
    assert_eq!(audio.extensions.id(ExtensionKind::AudioLevel), Some(1));

    let video = section(&desc, 1);
    assert_eq!((video.kind, video.source), (MediaKind::Video, SourceKind::Camera));
    let order: Vec<_> = video.payload_types.iter().map(|pt| (pt.number, pt.rtx.unwrap())).collect();
    let expected = [
        (96, 97),
        (108, 109), // H264 constrained baseline, mode 1
        (102, 103),
        (116, 117),
        (114, 115),
        (104, 107),
        (39, 40),
        (98, 99),
        (100, 101),
        (45, 46),
    ];
    assert_eq!(order, expected);
    let h264 = &video.payload_types[1];
    assert_eq!(h264.codec.profile, 1 << 16 | 0x42e0);
    assert!(h264.fmtp.as_deref().unwrap().contains("profile-level-id=42e01f"));
    let feedback = video.payload_types[0].feedback;
    assert!(feedback.nack && feedback.pli && feedback.fir && feedback.transport_cc);
    assert!(!feedback.remb, "REMB beside transport-cc");
    let rids: Vec<_> = video.simulcast.iter().map(|layer| layer.rid.as_str()).collect();
    assert_eq!(rids, ["q", "h", "f"]);
    assert_eq!(video.extensions.id(ExtensionKind::VideoLayersAllocation), Some(9));
    assert_eq!(video.extensions.id(ExtensionKind::RepairedRid), Some(11));
}

#[test]
fn firefox_is_understood() {
    let (_, desc) = described(FIREFOX);
    assert_eq!(desc.transport.fingerprints[0].value[..2], [0xd9, 0x72], "from session level");
    let audio = section(&desc, 0);
    assert_eq!(audio.payload_types.len(), 1);
    let video = section(&desc, 1);
    let kinds: Vec<_> = video.payload_types.iter().map(|pt| pt.codec.kind).collect();
    assert_eq!(kinds, [CodecKind::Vp8, CodecKind::Vp9, CodecKind::Av1]);
    assert_eq!(video.ssrcs.len(), 3);
    assert!(video.ssrcs.iter().all(|group| group.rtx.is_some()));
    // The client only receives playout-delay and we do not send in this m-line.
    assert_eq!(video.extensions.id(ExtensionKind::PlayoutDelay), None);
    assert_eq!(video.extensions.id(ExtensionKind::Rid), Some(9));
}

#[test]
fn the_answers_follow_the_rules() {
    for offer in [CHROMIUM, FIREFOX] {
        let text = answer(offer);
        assert_follows_the_rules(offer, &text);
        let parsed = raw(&text);
        assert!(parsed.has_attribute("ice-lite"));
        assert_eq!(parsed.attribute("group").unwrap(), "BUNDLE 0 1");
        let video = &parsed.media_descriptions[1];
        assert!(video.has_attribute("recvonly"));
        assert!(video.has_attribute("rtcp-rsize"));
        assert_eq!(values(video, "rid"), ["q recv", "h recv", "f recv"]);
        assert_eq!(values(video, "simulcast"), ["recv q;h;f"]);
        assert!(values(video, "ssrc").is_empty(), "we send nothing here");
        let first = &parsed.media_descriptions[0];
        assert_eq!(
            values(first, "candidate"),
            [
                "1 1 udp 2130706431 192.0.2.7 8801 typ host",
                "2 1 udp 2130706175 2001:db8::7 8801 typ host"
            ]
        );
        assert_eq!(values(first, "setup"), ["passive"]);
        assert!(text.ends_with("\r\n") && !text.contains("\n\n"));
    }
}

#[test]
fn firefox_gets_its_direction_suffix_reversed() {
    let text = answer(FIREFOX);
    assert!(text.contains("a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"));
}

#[test]
fn mixed_extension_headers_are_echoed_at_their_level() {
    let parsed = raw(&answer(CHROMIUM));
    assert!(parsed.has_attribute("extmap-allow-mixed"));
    let parsed = raw(&answer(FIREFOX));
    assert!(!parsed.has_attribute("extmap-allow-mixed"));
    assert!(
        parsed.media_descriptions.iter().all(|media| media.has_attribute("extmap-allow-mixed"))
    );
}
