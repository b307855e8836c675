use super::*;
use shape::Scalability;
use weir_wire::payload::{PayloadFacts, av1, h264, vp8, vp9};

fn facts(codec: CodecKind, payload: &[u8]) -> PayloadFacts {
    match codec {
        CodecKind::Vp8 => vp8::parse(payload).unwrap().facts(),
        CodecKind::Vp9 => vp9::parse(payload).unwrap().facts(),
        CodecKind::H264 => h264::parse(payload).unwrap().facts(),
        _ => av1::parse(payload).unwrap().facts(),
    }
}

fn content(part: u16, key: bool) -> Content {
    Content {
        source: 3,
        layer: 1,
        frame: 77,
        picture: 26,
        spatial: 0,
        temporal: 0,
        refs: if key { [0, 0] } else { [12, 0] },
        resolution: (640, 360),
        part,
        parts: 2,
        key,
        created_us: 5,
    }
}

#[test]
fn each_codec_reads_its_own_payloads_and_the_content_survives() {
    for shape in [Scalability::L1T1, Scalability::L1T3, Scalability::L3T3] {
        for codec in [CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::Av1] {
            for (part, key) in [(0, true), (1, true), (0, false), (1, false)] {
                let content = content(part, key);
                let place = Place { shape, spatial: 0, phase: 0, key };
                let ids = FrameIds {
                    picture_id: 0x1234,
                    tl0_pic_idx: 9,
                    resolutions: [(640, 360); 3],
                    place,
                    flexible: part == 0,
                    ..FrameIds::default()
                };
                let mut payload = content.payload(codec, &ids, 900);
                assert!((896..=904).contains(&payload.len()), "{codec:?}");
                let facts = facts(codec, &payload);
                assert_eq!(facts.frame_start, part == 0, "{codec:?} {part} {key}");
                // VP9 tells a key picture by what its descriptor lacks, in the first packet.
                assert_eq!(facts.key_frame, key && part == 0, "{codec:?} {part} {key}");
                assert_eq!(Content::read(&payload), Some(content));
                payload[500] ^= 1;
                assert_eq!(Content::read(&payload), None);
            }
        }
    }
}

#[test]
fn an_encrypted_payload_keeps_its_descriptor_only() {
    let content = content(0, true);
    let place = Place { key: true, ..Place::default() };
    let ids = FrameIds { picture_id: 0x1234, place, encrypted: true, ..FrameIds::default() };
    for codec in [CodecKind::Vp8, CodecKind::Vp9] {
        let payload = content.payload(codec, &ids, 300);
        assert_eq!(picture_id(codec, &payload), Some(0x1234));
        assert_eq!(Content::read(&payload), Some(content));
        let plain = content.payload(codec, &FrameIds { encrypted: false, ..ids }, 300);
        let same = plain.iter().zip(&payload).filter(|(one, two)| one == two).count();
        assert!(same < 20, "{codec:?}: {same} bytes in clear");
    }
}

#[test]
fn layers_show_in_the_descriptors() {
    for flexible in [false, true] {
        let shape = Scalability::L3T3Key;
        let place = Place { shape, spatial: 1, phase: 2, key: false };
        let ids = FrameIds { place, flexible, tl0_pic_idx: 9, ..FrameIds::default() };
        let content = Content { spatial: 1, temporal: 1, ..content(0, false) };
        let parsed = vp9::parse(&content.payload(CodecKind::Vp9, &ids, 300)).unwrap();
        assert_eq!((parsed.spatial_id, parsed.temporal_id), (Some(1), Some(1)));
        assert_eq!((parsed.inter_layer, parsed.inter_picture), (false, true));
        assert_eq!(parsed.tl0_pic_idx, (!flexible).then_some(9));
        let place = Place { phase: 0, key: true, ..place };
        let content = Content { temporal: 0, key: false, ..content };
        let top = content.payload(CodecKind::Vp9, &FrameIds { place, ..ids }, 300);
        let parsed = vp9::parse(&top).unwrap();
        assert!(parsed.inter_layer && !parsed.inter_picture && !parsed.key_frame());
        let place = Place { spatial: 0, ..place };
        let base = Content { spatial: 0, key: true, ..content };
        let sizes = [(320, 180), (640, 360), (1280, 720)];
        let ids = FrameIds { place, resolutions: sizes, ..ids };
        let parsed = vp9::parse(&base.payload(CodecKind::Vp9, &ids, 300)).unwrap();
        assert_eq!((parsed.spatial_layers, parsed.resolutions[2]), (Some(3), Some(sizes[2])));
        let place = Place { shape: Scalability::L1T3, phase: 1, ..Place::default() };
        let ids = FrameIds { place, key_idx: 5, ..FrameIds::default() };
        let content = Content { temporal: 2, key: false, ..base };
        let parsed = vp8::parse(&content.payload(CodecKind::Vp8, &ids, 300)).unwrap();
        assert_eq!((parsed.temporal_id, parsed.layer_sync), (Some(2), true));
        assert!(parsed.non_reference && parsed.key_idx == Some(5));
    }
}
