//! BUNDLE (RFC 8843): everything in one transport, or one m-line alone.
mod common;

use common::{
    AUDIO, HEAD, VIDEO, answer, assert_follows_the_rules, described, raw, section, transport,
};
use weir_sdp::{parse_ice_fragment, write_ice_fragment};
use weir_sfu_api::DtlsSetup;

#[test]
fn a_lone_m_line_without_group_and_mid_works() {
    let offer = format!("{HEAD}{AUDIO}a=sendonly\r\n");
    let text = answer(&offer);
    assert_follows_the_rules(&offer, &text);
    assert!(!text.contains("a=group") && !text.contains("a=mid"));
    let (_, desc) = described(&offer);
    assert_eq!(section(&desc, 0).mid.as_str(), "0");
}

#[test]
fn of_several_m_lines_without_group_the_first_is_accepted() {
    let offer = format!("{HEAD}{AUDIO}a=mid:a\r\n{VIDEO}a=mid:v\r\n");
    let text = answer(&offer);
    assert_follows_the_rules(&offer, &text);
    let parsed = raw(&text);
    assert_ne!(parsed.media_descriptions[0].media_name.port.value, 0);
    assert_eq!(parsed.media_descriptions[1].media_name.port.value, 0);
    assert!(!text.contains("a=group"));
}

#[test]
fn bundled_m_lines_inherit_from_the_tagged_one() {
    // As libwebrtc's max-bundle and RFC 8829 5.2.1 write it: port 0, bundle-only, no transport.
    let bare = VIDEO.replace("m=video 9", "m=video 0").replace("a=rtcp-mux\r\n", "");
    let offer =
        format!("{HEAD}a=group:BUNDLE a v\r\n{AUDIO}a=mid:a\r\n{bare}a=mid:v\r\na=bundle-only\r\n");
    let text = answer(&offer);
    assert_follows_the_rules(&offer, &text);
    assert!(text.contains("a=group:BUNDLE a v\r\n"));
}

#[test]
fn a_stopped_m_line_and_a_data_channel_are_rejected_in_place() {
    let stopped = AUDIO.replace("m=audio 9", "m=audio 0");
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=sctp-port:5000\r\n";
    let offer = format!(
        "{HEAD}a=group:BUNDLE v d\r\n{stopped}a=mid:a\r\n{VIDEO}a=mid:v\r\n{data}a=mid:d\r\n"
    );
    let text = answer(&offer);
    assert_follows_the_rules(&offer, &text);
    assert!(text.contains("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert!(text.contains("a=group:BUNDLE v\r\n"));
    let (_, desc) = described(&offer);
    assert_eq!(section(&desc, 0).index, 1);
}

#[test]
fn transport_attributes_at_media_level_win() {
    let media =
        "a=mid:a\r\na=ice-ufrag:wxyz\r\na=ice-pwd:lkjihgfedcba9876543210\r\na=setup:active\r\n";
    let (_, desc) = described(&format!("{HEAD}{AUDIO}{media}"));
    assert_eq!(desc.transport.ice.ufrag, "wxyz");
    assert_eq!(desc.transport.setup, DtlsSetup::Active);
}

#[test]
fn several_fingerprints_are_kept_and_unknown_hashes_ignored() {
    let more =
        format!("a=fingerprint:sha-512 {}\r\na=fingerprint:md5 AA:BB\r\n", ["5A"; 64].join(":"));
    let (_, desc) = described(&format!("{HEAD}{more}{AUDIO}"));
    assert_eq!(desc.transport.fingerprints.len(), 2);
}

#[test]
fn an_ice_fragment_goes_both_ways() {
    let fragment = parse_ice_fragment(
        "a=ice-ufrag:newu\r\na=ice-pwd:0123456789abcdefghijkl\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
         a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n",
    )
    .unwrap();
    assert_eq!(fragment.ice.unwrap().ufrag, "newu");
    assert_eq!(fragment.candidates, ["candidate:1 1 udp 1 192.0.2.1 5000 typ host"]);
    assert!(fragment.end_of_candidates);

    let (offer, desc) = described(&format!("{HEAD}a=group:BUNDLE a\r\n{AUDIO}a=mid:a\r\n"));
    let text = write_ice_fragment(&offer, &desc, &transport());
    let back = parse_ice_fragment(&text).unwrap();
    assert_eq!(back.ice.unwrap(), transport().ice);
    assert_eq!(back.candidates.len(), 2);
    for bad in ["", "hello", "a=ice-ufrag:abcd", "a=ice-ufrag:a\r\na=ice-pwd:short"] {
        assert!(parse_ice_fragment(bad).is_err(), "{bad:?}");
    }
}
