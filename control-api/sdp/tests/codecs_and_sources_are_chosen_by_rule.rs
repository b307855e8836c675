//! Preference, profiles, rid restrictions and what a track shows.
mod common;

use common::{AUDIO, CHROMIUM, HEAD, VIDEO, answer, described, raw, section, values};
use std::collections::BTreeMap;
use weir_sdp::{Capabilities, negotiate, parse_offer};
use weir_sfu_api::{CodecKind, SourceKind};

fn video(formats: &str, lines: &str) -> String {
    format!(
        "{HEAD}m=video 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=sendonly\r\n{lines}"
    )
}

#[test]
fn the_servers_order_holds() {
    let offer = parse_offer(CHROMIUM).unwrap();
    let caps = Capabilities {
        prefer: vec![CodecKind::Av1, CodecKind::Vp8, CodecKind::Opus],
        ..Capabilities::default()
    };
    let desc = negotiate(&offer, &caps, &BTreeMap::new()).unwrap();
    let kinds: Vec<_> = section(&desc, 1).payload_types.iter().map(|pt| pt.codec.kind).collect();
    assert_eq!(kinds, [CodecKind::Av1, CodecKind::Vp8]);
    assert_eq!(section(&desc, 0).payload_types.len(), 1, "RED was not asked for");
}

#[test]
fn spellings_of_one_h264_profile_are_one() {
    let profile = |id: &str| {
        let fmtp = format!(
            "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id={id}\r\n"
        );
        let (_, desc) = described(&video("96", &fmtp));
        section(&desc, 0).payload_types[0].codec.profile
    };
    assert_eq!(profile("42e01f"), profile("42C015"));
    assert_eq!(profile("42e01f"), profile("4d8020"));
    assert_ne!(profile("42e01f"), profile("42001f"));
    assert_ne!(profile("64001f"), profile("640c1f"));
    assert_eq!(profile("640c1f"), 1 << 16 | 0x640c);
}

#[test]
fn remb_is_agreed_only_without_transport_cc() {
    let lines = "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:* goog-remb\r\na=rtcp-fb:96 nack\r\n";
    let (_, desc) = described(&video("96", lines));
    let feedback = section(&desc, 0).payload_types[0].feedback;
    assert!(feedback.remb && feedback.nack && !feedback.pli);
}

#[test]
fn rids_may_be_restricted_paused_and_have_alternatives() {
    let lines = "a=rtpmap:96 VP8/90000\r\na=rtpmap:98 H261/90000\r\n\
        a=rid:q send pt=96;max-width=320\r\na=rid:h send\r\na=rid:f send max-fps=30\r\na=rid:x send pt=98\r\n\
        a=simulcast:recv z send q,~h;~f;x\r\n";
    let offer = video("96 98", lines);
    let (_, desc) = described(&offer);
    let layers: Vec<_> =
        section(&desc, 0).simulcast.iter().map(|l| (l.rid.as_str().to_owned(), l.paused)).collect();
    assert_eq!(layers, [("q".to_owned(), false), ("f".to_owned(), true)]);
    let parsed = raw(&answer(&offer));
    assert_eq!(values(&parsed.media_descriptions[0], "rid"), ["q recv pt=96", "f recv"]);
    assert_eq!(values(&parsed.media_descriptions[0], "simulcast"), ["recv q;~f"]);
}

#[test]
fn sources_are_by_order_unless_told() {
    let offer = format!(
        "{HEAD}a=group:BUNDLE 0 1 2 3 4\r\n{AUDIO}a=mid:0\r\na=sendonly\r\n{VIDEO}a=mid:1\r\na=recvonly\r\n\
         {VIDEO}a=mid:2\r\na=sendonly\r\n{VIDEO}a=mid:3\r\na=sendonly\r\n{AUDIO}a=mid:4\r\na=sendonly\r\n"
    );
    let sources = |told: &[(&str, SourceKind)]| -> Vec<SourceKind> {
        let told = told.iter().map(|(mid, source)| ((*mid).to_owned(), *source)).collect();
        let offer = parse_offer(&offer).unwrap();
        let desc = negotiate(&offer, &Capabilities::default(), &told).unwrap();
        [0, 2, 3, 4].map(|index| section(&desc, index).source).to_vec()
    };
    use SourceKind::{Camera, Microphone, Screen, ScreenAudio};
    assert_eq!(sources(&[]), [Microphone, Camera, Screen, ScreenAudio]);
    assert_eq!(sources(&[("2", Screen)]), [Microphone, Screen, Camera, ScreenAudio]);
    assert_eq!(sources(&[("3", Camera)]), [Microphone, Screen, Camera, ScreenAudio]);
    assert_eq!(sources(&[("2", Microphone)]), [Microphone, Camera, Screen, ScreenAudio]);
}
