//! Recvonly m-lines: the server sends there.
mod common;

use common::{
    AUDIO, CHROMIUM, HEAD, VIDEO, answer, assert_follows_the_rules, described, media, raw, section,
    transport, values,
};
use std::collections::BTreeMap;
use weir_sdp::{Capabilities, SessionId, negotiate, parse_offer, write_answer};
use weir_sfu_api::{CodecKind, ExtensionKind};

fn slots() -> String {
    CHROMIUM
        .replace("a=sendonly", "a=recvonly")
        .lines()
        .filter(|line| {
            !["a=ssrc:", "a=rid", "a=simulcast", "a=msid:"].iter().any(|key| line.starts_with(key))
        })
        .map(|line| format!("{line}\r\n"))
        .collect()
}

#[test]
fn with_ssrc_rtx_cname_and_msid() {
    let offer = slots();
    let text = answer(&offer);
    assert_follows_the_rules(&offer, &text);
    let parsed = raw(&text);
    let video = &parsed.media_descriptions[1];
    assert!(video.has_attribute("sendonly"));
    assert_eq!(values(video, "msid"), ["s t1"]);
    assert_eq!(values(video, "ssrc-group"), ["FID 1001 2001"]);
    assert_eq!(values(video, "ssrc"), ["1001 cname:weir", "2001 cname:weir"]);
    // Audio has no RTX here, so no RTX SSRC is told.
    assert_eq!(values(&parsed.media_descriptions[0], "ssrc"), ["1000 cname:weir"]);
}

#[test]
fn with_every_codec_the_client_decodes() {
    let (_, desc) = described(&slots());
    let kinds: Vec<_> = section(&desc, 1).payload_types.iter().map(|pt| pt.codec.kind).collect();
    for kind in [CodecKind::Vp8, CodecKind::H264, CodecKind::Vp9, CodecKind::Av1] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn without_layers_allocation_and_rids() {
    let (_, desc) = described(&slots());
    let extensions = &section(&desc, 1).extensions;
    for absent in
        [ExtensionKind::VideoLayersAllocation, ExtensionKind::Rid, ExtensionKind::RepairedRid]
    {
        assert_eq!(extensions.id(absent), None, "{absent:?}");
    }
    assert_eq!(extensions.id(ExtensionKind::VideoOrientation), Some(13));
    assert_eq!(extensions.id(ExtensionKind::DependencyDescriptor), Some(12));
}

#[test]
fn with_transport_cc_only_when_asked() {
    let offer = parse_offer(&slots()).unwrap();
    for wanted in [false, true] {
        let caps = Capabilities { slot_transport_cc: wanted, ..Capabilities::default() };
        let desc = negotiate(&offer, &caps, &BTreeMap::new()).unwrap();
        let video = section(&desc, 1);
        assert_eq!(video.payload_types[0].feedback.transport_cc, wanted);
        assert!(!video.payload_types[0].feedback.remb);
        assert_eq!(video.extensions.id(ExtensionKind::TransportCc).is_some(), wanted);
    }
}

#[test]
fn sendrecv_and_inactive_stay_what_they_are() {
    let both =
        format!("{HEAD}a=group:BUNDLE a v\r\n{AUDIO}a=mid:a\r\n{VIDEO}a=mid:v\r\na=inactive\r\n");
    let text = answer(&both);
    assert_follows_the_rules(&both, &text);
    let parsed = raw(&text);
    assert!(parsed.media_descriptions[0].has_attribute("sendrecv"), "the default of RFC 8866");
    assert!(values(&parsed.media_descriptions[0], "ssrc").len() == 1);
    assert!(parsed.media_descriptions[1].has_attribute("inactive"));
}

#[test]
fn a_slot_the_shard_does_not_fill_is_inactive() {
    let text = slots();
    let (offer, desc) = described(&text);
    let mut media = media(&desc);
    media.sections[1].ssrcs = None;
    let answer =
        write_answer(&offer, &desc, &transport(), &media, &SessionId { id: 1, version: 1 });
    assert!(raw(&answer).media_descriptions[1].has_attribute("inactive"));
}
