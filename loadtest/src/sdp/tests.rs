use super::{Offer, Receive, SdpError, answer, offer};
use crate::engine::{LocalDescription, LocalTrack};
use crate::plan::{Codec, LayerPlan, Pacing, SourceKind, TrackPlan};
use std::time::Duration;
use weir_sfu_api::{
    DtlsSetup, ExtensionKind, Fingerprint, HashAlgorithm, IceCredentials, MediaKind,
};

fn track(codec: Codec, rids: &[&str]) -> LocalTrack {
    let layer = |rid: Option<&&str>| LayerPlan {
        rid: rid.map(|rid| (*rid).to_owned()),
        bitrate_bps: 500_000,
        fps: 30.0,
        width: 640,
        height: 360,
    };
    let mut layers: Vec<LayerPlan> = rids.iter().map(|rid| layer(Some(rid))).collect();
    if layers.is_empty() {
        layers.push(layer(None));
    }
    let video = codec.kind() == MediaKind::Video;
    LocalTrack {
        ssrcs: (0_u32..).zip(&layers).map(|(n, _)| (100 + n, 200 + n)).collect(),
        plan: TrackPlan {
            source: if video { SourceKind::Camera } else { SourceKind::Microphone },
            codec,
            layers,
            temporal_layers: 1,
            key_frame_interval: Duration::from_secs(10),
            pacing: Pacing::Burst,
            talk: None,
            file: None,
        },
    }
}

fn local(tracks: Vec<LocalTrack>) -> LocalDescription {
    LocalDescription {
        ice: IceCredentials { ufrag: "ourufrag".into(), pwd: "ourpasswordourpassword12".into() },
        fingerprint: Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![0xab; 32] },
        candidates: vec!["192.0.2.7:5000".parse().unwrap()],
        tracks,
    }
}

fn call() -> Offer {
    let tracks = vec![track(Codec::Vp8, &["q", "f"]), track(Codec::Opus, &[])];
    let codecs = vec![Codec::Vp8, Codec::Opus];
    offer(&local(tracks), &Receive { audio: 1, video: 2, codecs })
}

/// What a server would answer that takes everything and sends in each slot.
fn answered(offer: &Offer) -> String {
    let mut text = String::new();
    for line in offer.text.lines() {
        let line = match line {
            "a=sendonly" => "a=recvonly",
            "a=recvonly" => {
                "a=sendonly\r\na=ssrc-group:FID 7 8\r\na=ssrc:7 cname:x\r\na=ssrc:8 cname:x"
            }
            "a=setup:actpass" => "a=setup:passive",
            "a=ice-ufrag:ourufrag" => "a=ice-ufrag:their",
            "a=simulcast:send q;f" => "a=rid:q recv\r\na=rid:f recv\r\na=simulcast:recv q;~f",
            "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host" => {
                "a=candidate:1 1 udp 1 203.0.113.5 7000 typ host\r\n\
                 a=candidate:2 1 tcp 1 203.0.113.5 9 typ host tcptype active\r\n\
                 a=candidate:3 1 UDP 1 2001:db8::5 7000 typ host\r\n\
                 a=candidate:4 1 udp 1 secret.local 7000 typ host"
            }
            line if line.contains("a=rid:") || line.contains("ssrc") => continue,
            line => line,
        };
        text.push_str(line);
        text.push_str("\r\n");
    }
    text
}

/// The error of an answer that was changed.
fn refused(change: impl Fn(&str) -> String) -> String {
    let offer = call();
    let text = change(&answered(&offer));
    offer.read_answer(&text).unwrap_err().to_string()
}

#[test]
fn an_offer_has_what_the_plan_has_and_no_more() {
    let text = call().text;
    assert!(text.contains("a=group:BUNDLE 0 1 2 3 4\r\n"));
    assert_eq!(text.matches("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n").count(), 3);
    assert_eq!(text.matches("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n").count(), 2);
    assert_eq!(text.matches("a=sendonly").count(), 2);
    assert_eq!(text.matches("a=simulcast:send q;f\r\n").count(), 1);
    assert_eq!(text.matches("a=candidate:").count(), 1);
    assert!(text.contains("a=ssrc:100 cname:load"), "the only stream tells its SSRC");
    assert!(!text.contains("VP9") && !text.contains("dependency-descriptor"));
}

#[test]
fn an_answer_becomes_what_was_agreed() {
    let offer = call();
    assert_eq!(offer.track_mids(), ["0", "1"]);
    let agreed = offer.read_answer(&answered(&offer)).unwrap();
    assert_eq!(agreed.remote.ice.ufrag, "their");
    assert_eq!(agreed.remote.setup, DtlsSetup::Passive);
    assert!(agreed.controlling);
    let candidates: Vec<String> = agreed.candidates.iter().map(ToString::to_string).collect();
    assert_eq!(candidates, ["203.0.113.5:7000", "[2001:db8::5]:7000"]);
    assert_eq!(agreed.sections.len(), 5);

    let camera = &agreed.sections[0];
    assert_eq!((camera.track, camera.receives), (Some(0), false));
    assert_eq!(camera.codecs, [(96, Codec::Vp8)]);
    assert_eq!(camera.rtx, [(96, 97)]);
    assert_eq!(camera.rids, ["q", "f"]);
    assert!(camera.nack && camera.pli && camera.transport_cc);
    assert!(camera.extensions.contains(&(ExtensionKind::Rid, 10)));

    let slot = &agreed.sections[4];
    assert_eq!((slot.track, slot.receives), (None, true));
    assert_eq!(slot.remote_ssrcs, [(7, Some(8))]);
    let voice = &agreed.sections[1];
    assert!(!voice.nack && voice.transport_cc && voice.rids.is_empty());
}

#[test]
fn attributes_may_stand_at_session_level() {
    let offer = call();
    let mut text = answered(&offer);
    for key in ["ice-ufrag", "ice-pwd", "fingerprint", "setup"] {
        let prefix = format!("a={key}:");
        let line = text.lines().find(|line| line.starts_with(&prefix)).unwrap().to_owned();
        text = text.replace(&format!("{line}\r\n"), "");
        text = text.replacen("m=", &format!("{line}\r\nm="), 1);
    }
    assert_eq!(offer.read_answer(&text).unwrap().remote.ice.ufrag, "their");
}

#[test]
fn errors_say_what_is_missing_and_where() {
    let no_ufrag = refused(|text| text.replace("a=ice-ufrag:their\r\n", ""));
    assert_eq!(no_ufrag, "the answer has no ice-ufrag in m-line 0");
    let no_print = refused(|text| {
        let lines = text.split_inclusive('\n');
        lines.filter(|line| !line.starts_with("a=fingerprint")).collect()
    });
    assert_eq!(no_print, "the answer has no fingerprint in m-line 0");
    let no_mux = refused(|text| {
        let (head, tail) = text.split_at(text.rfind("a=rtcp-mux\r\n").unwrap());
        format!("{head}{}", tail.replacen("a=rtcp-mux\r\n", "", 1))
    });
    assert_eq!(no_mux, "the answer has no rtcp-mux in m-line 4");
    let no_bundle = refused(|text| text.replace("a=group:BUNDLE 0 1 2 3 4\r\n", ""));
    assert!(no_bundle.contains("does not bundle"), "{no_bundle}");
    let bad_setup = refused(|text| text.replace("a=setup:passive", "a=setup:actpass"));
    assert!(bad_setup.contains("bad setup in m-line 0"), "{bad_setup}");
    let short = refused(|text| text.replacen("AB:AB", "AB", 1));
    assert!(short.contains("bad fingerprint in m-line 0"), "{short}");
}

#[test]
fn errors_say_what_was_refused() {
    let rejected = refused(|text| text.replacen("m=video 9", "m=video 0", 1));
    assert_eq!(rejected, "the answer rejects m-line 0, in which we send VP8");
    let inactive = refused(|text| text.replacen("a=recvonly", "a=inactive", 1));
    assert_eq!(inactive, "the answer says inactive in m-line 0, in which we send");
    let other = refused(|text| text.replacen("a=rtpmap:96 VP8", "a=rtpmap:96 H265", 1));
    assert!(other.contains("no codec of ours in m-line 0"), "{other}");
    let fewer = refused(|text| text[..text.rfind("m=").unwrap()].to_owned());
    assert!(fewer.contains("4 m-lines and the offer 5"), "{fewer}");
    let none = refused(|_| "<html>".to_owned());
    assert!(none.contains("no session description") && none.contains("<html>"), "{none}");
    let empty = refused(|text| text[..text.find("m=").unwrap()].to_owned());
    assert!(empty.contains("it has no m-line"), "{empty}");
}

#[test]
fn a_slot_that_is_rejected_is_left_out() {
    let offer = call();
    let text = answered(&offer);
    let at = text.rfind("m=video 9").unwrap();
    let text = format!("{}{}", &text[..at], text[at..].replacen("m=video 9", "m=video 0", 1));
    assert_eq!(offer.read_answer(&text).unwrap().sections.len(), 4);
}

/// As Janus' VideoRoom offers to a subscriber, shortened.
const JANUS: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=VideoRoom 1\r\nt=0 0\r\n\
a=group:BUNDLE 0 1 2\r\na=ice-options:trickle\r\n\
a=fingerprint:sha-256 AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n\
a=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.9\r\na=sendonly\r\na=mid:0\r\na=rtcp-mux\r\n\
a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=ice-options:trickle\r\na=setup:actpass\r\n\
a=rtpmap:111 opus/48000/2\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=ssrc:11 cname:janus\r\n\
a=candidate:1 1 udp 2015363327 192.0.2.9 41000 typ host\r\na=end-of-candidates\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 192.0.2.9\r\na=sendonly\r\na=mid:1\r\na=rtcp-mux\r\n\
a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:actpass\r\n\
a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID 12 13\r\na=ssrc:12 cname:janus\r\n\
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 192.0.2.9\r\na=mid:2\r\na=sctp-port:5000\r\n";

#[test]
fn a_servers_offer_is_answered() {
    let (text, agreed) = answer(&local(Vec::new()), JANUS, &[]).unwrap();
    assert!(!agreed.controlling, "who offers controls, unless it is lite");
    assert_eq!(agreed.remote.setup, DtlsSetup::Passive);
    assert_eq!(agreed.sections.len(), 2);
    assert_eq!(agreed.sections[1].remote_ssrcs, [(12, Some(13))]);
    assert_eq!(agreed.sections[1].rtx, [(96, 97)]);
    assert!(agreed.sections.iter().all(|section| section.receives && section.track.is_none()));
    assert!(text.contains("a=group:BUNDLE 0 1\r\n"), "{text}");
    assert!(text.contains("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"), "{text}");
    assert!(text.contains("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"), "{text}");
    assert_eq!(text.matches("a=setup:active").count(), 2);
    assert_eq!(text.matches("a=recvonly").count(), 2);
    assert!(answer(&local(Vec::new()), &JANUS.replace("v=0", "v=0\r\na=ice-lite"), &[]).is_err());
    let lite = JANUS.replace("a=ice-options:trickle\r\na=fing", "a=ice-lite\r\na=fing");
    assert!(answer(&local(Vec::new()), &lite, &[]).unwrap().1.controlling);
}

#[test]
fn an_m_line_that_pauses_keeps_its_place_and_the_transport() {
    let paused = JANUS.replacen("a=sendonly", "a=inactive", 1);
    let (text, agreed) = answer(&local(Vec::new()), &paused, &[]).unwrap();
    assert_eq!(agreed.sections.iter().filter(|section| section.receives).count(), 1);
    assert!(text.contains("a=group:BUNDLE 0 1\r\n"), "{text}");
    let first = text.find("m=audio 9 ").unwrap();
    let second = text.find("m=video 9 ").unwrap();
    assert!(text[first..second].contains("a=ice-ufrag:ourufrag"), "{text}");
    assert!(text[first..second].contains("a=inactive"), "{text}");
}

#[test]
fn an_offer_without_anything_to_receive_is_refused() {
    let error = answer(&local(Vec::new()), JANUS, &[Codec::Av1]).unwrap_err();
    assert!(matches!(error, SdpError::Refused(..)), "{error}");
}
