#![allow(clippy::disallowed_methods)] // the start of virtual time

//! A decoder whose rules nobody breaks says nothing: each rule is shown to notice.

use super::*;
use crate::content::shape::Scalability;
use crate::peer::Source;
use crate::peer::describe::extensions;
use crate::peer::send::Track;
use crate::peer::wide::Wide;
use rand::SeedableRng;
use rand::rngs::StdRng;
use weir_sfu_api::ExtensionKind;

/// What a slot says of `seconds` of `source`, of which `keep` drops packets and the numbers are
/// continuous all the same, as if a server had left out layers and rewritten nothing else.
fn decode(source: &Source, seconds: u64, keep: impl Fn(&Content) -> bool) -> Slot {
    let start = Instant::now();
    let mut rng = StdRng::seed_from_u64(1);
    let mut track = Track::new(source.clone(), 0, (1, 0, true), &mut rng, start);
    let mut wide = Wide::starting_at(0);
    let kind = if source.codec.is_video() { MediaKind::Video } else { MediaKind::Audio };
    let mut slot = Slot::new(Mid::new("v0").unwrap(), kind, 7, None);
    let ids = extensions(0, kind, true);
    let descriptor = ids.id(ExtensionKind::DependencyDescriptor);
    let mut number = 0u16;
    for ms in 0..seconds * 1_000 {
        let now = start + Duration::from_millis(ms);
        let mut made = Vec::new();
        track.make(now, ms * 1_000, &mut wide, &mut made);
        for packet in made {
            if !Content::read(&packet.payload).is_some_and(|content| keep(&content)) {
                continue;
            }
            let mut bytes = [packet.header, packet.payload].concat();
            bytes[2..4].copy_from_slice(&number.to_be_bytes());
            number += 1;
            let rtp = RtpPacket::parse(&bytes).unwrap();
            let value = descriptor.and_then(|id| rtp.extension(id));
            slot.take(now, &rtp, source.codec, None, value);
        }
    }
    slot
}

#[track_caller]
fn assert_notices(slot: &Slot, what: &str) {
    let noticed = slot.faults.iter().any(|fault| fault.contains(what));
    assert!(noticed, "{what}: {:#?}", slot.faults);
}

#[test]
fn everything_that_is_whole_decodes() {
    let vp9 = |shape| Source::layered_camera(CodecKind::Vp9, shape);
    for source in [
        Source::meeting_camera(),
        Source::camera().layered(Scalability::L1T2).encrypted(),
        vp9(Scalability::L3T3),
        vp9(Scalability::L3T3Key).encrypted(),
        Source::layered_camera(CodecKind::Av1, Scalability::L3T3),
        Source::screen(),
    ] {
        let only = |content: &Content| content.layer == 0;
        let slot = decode(&Source { simulcast: false, ..source.clone() }, 2, only);
        assert_eq!(slot.faults, [""; 0], "{source:?}");
        assert!(slot.frames.len() > 9 && slot.counters.broken_promises == 0, "{source:?}");
    }
}

#[test]
fn frames_that_others_refer_to_are_missed() {
    for codec in [CodecKind::Vp8, CodecKind::H264] {
        let source = Source::camera().with_codec(codec).layered(Scalability::L1T3);
        let slot = decode(&source, 2, |content| content.picture % 8 != 4);
        assert_notices(&slot, "cannot follow");
    }
    let source = Source::layered_camera(CodecKind::Vp9, Scalability::L3T3);
    assert_notices(&decode(&source, 2, |content| content.spatial != 1), "cannot follow");
    // With key pictures only between them, the middle layer is needed there and nowhere else.
    let source = Source { scalability: Scalability::L3T3Key, ..source };
    let slot = decode(&source, 2, |content| content.spatial != 1 || content.picture == 0);
    assert!(!slot.faults.iter().any(|fault| fault.contains("cannot follow")));
}

#[test]
fn holes_in_numbers_that_a_browser_waits_for_are_noticed() {
    let source = Source::camera().layered(Scalability::L1T3);
    let slot = decode(&source, 2, |content| content.temporal < 2);
    assert_notices(&slot, "picture id");
    // VP9 knows its pattern and waits for nothing.
    let source = Source::layered_camera(CodecKind::Vp9, Scalability::L1T3);
    assert_eq!(decode(&source, 2, |content| content.temporal < 2).faults, [""; 0]);
    let source = Source::layered_camera(CodecKind::Av1, Scalability::L1T3);
    assert_eq!(decode(&source, 2, |content| content.temporal < 2).faults, [""; 0]);
}

#[test]
fn a_picture_without_its_end_is_noticed() {
    let source = Source::layered_camera(CodecKind::Vp9, Scalability::L3T3);
    assert_notices(&decode(&source, 2, |content| content.spatial < 2), "marker false");
    let source = Source::layered_camera(CodecKind::Av1, Scalability::L3T3);
    let slot = decode(&source, 2, |content| content.spatial < 2);
    assert!(slot.counters.broken_promises > 20, "{:?}", slot.counters);
}

#[test]
fn pauses_with_dtx_send_next_to_nothing() {
    let talk = crate::peer::Talk {
        spurt: Duration::from_secs(1),
        pause: Duration::from_secs(4),
        dtx: true,
    };
    let quiet = decode(&Source::microphone().talking(talk), 60, |_| true);
    assert_eq!(quiet.faults, [""; 0]);
    let share = quiet.frames.len() as f64 / (60.0 * 50.0);
    assert!((0.1..0.45).contains(&share), "{share}");
}
