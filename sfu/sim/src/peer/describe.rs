//! What a peer offers: sections, payload types and extension ids, in one of two dialects, so that a
//! forwarder that forgets to translate is found out.

use super::send::Track;
use super::{PeerSetup, Source};
use weir_sfu_api::{
    Codec, CodecKind, Direction, ExtensionKind, ExtensionMap, FeedbackSet, MediaKind, MediaSection,
    Mid, PayloadType, SimulcastLayer, SourceKind, SsrcGroup,
};

const VIDEO: [CodecKind; 4] = [CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::Av1];

/// Payload type and RTX payload type.
pub(crate) fn numbers(dialect: u8, codec: CodecKind) -> (u8, Option<u8>) {
    let pick = |even: u8, odd: u8| if dialect == 0 { even } else { odd };
    match codec {
        CodecKind::Opus => (pick(111, 109), None),
        CodecKind::Red => (pick(63, 62), None),
        CodecKind::Vp8 => (pick(96, 120), Some(pick(97, 124))),
        CodecKind::Vp9 => (pick(98, 121), Some(pick(99, 125))),
        CodecKind::H264 => (pick(102, 126), Some(pick(103, 127))),
        CodecKind::Av1 => (pick(45, 35), Some(pick(46, 36))),
    }
}

pub(crate) fn extensions(dialect: u8, kind: MediaKind, transport_cc: bool) -> ExtensionMap {
    use ExtensionKind as E;
    let mut map = ExtensionMap::default();
    let pick = |even: u8, odd: u8| if dialect == 0 { even } else { odd };
    map.set(E::Mid, pick(4, 7));
    if transport_cc {
        map.set(E::TransportCc, pick(3, 6));
    }
    match kind {
        MediaKind::Audio => map.set(E::AudioLevel, pick(1, 5)),
        MediaKind::Video => {
            map.set(E::Rid, pick(10, 8));
            map.set(E::RepairedRid, pick(11, 9));
            map.set(E::DependencyDescriptor, pick(12, 2));
        }
    }
    map
}

fn payload_type(setup: &PeerSetup, codec: CodecKind) -> PayloadType {
    let (number, rtx) = numbers(setup.dialect, codec);
    let profile = if codec == CodecKind::H264 { 1 << 16 | 0x42e0 } else { 0 };
    let video = codec.is_video();
    PayloadType {
        number,
        rtx,
        codec: Codec { kind: codec, profile },
        feedback: FeedbackSet {
            nack: video,
            pli: video,
            fir: video,
            transport_cc: setup.transport_cc,
            remb: video && !setup.transport_cc,
        },
        fmtp: None,
    }
}

fn section(setup: &PeerSetup, mid: &str, kind: MediaKind, codecs: &[CodecKind]) -> MediaSection {
    MediaSection {
        index: 0,
        mid: Mid::new(mid).expect("a short name"),
        kind,
        direction: Direction::RecvOnly,
        source: SourceKind::Camera,
        payload_types: codecs.iter().map(|codec| payload_type(setup, *codec)).collect(),
        extensions: extensions(setup.dialect, kind, setup.transport_cc),
        simulcast: Vec::new(),
        ssrcs: Vec::new(),
    }
}

pub(crate) fn sections(setup: &PeerSetup, tracks: &[Track]) -> Vec<MediaSection> {
    let mut all = Vec::new();
    for track in tracks {
        let Source { kind, codec, .. } = &track.source;
        let media = if codec.is_video() { MediaKind::Video } else { MediaKind::Audio };
        let mut section = section(setup, &track.mid, media, &[*codec]);
        section.direction = if track.stopped { Direction::Inactive } else { Direction::SendOnly };
        section.source = *kind;
        let rids = track.streams.iter().filter_map(|stream| stream.rid);
        section.simulcast = rids.map(|rid| SimulcastLayer { rid, paused: false }).collect();
        if section.simulcast.is_empty() {
            let groups = track.streams.iter().map(|stream| SsrcGroup {
                media: stream.ssrc,
                rtx: stream.rtx_payload_type.map(|_| stream.rtx_ssrc),
            });
            section.ssrcs = groups.collect();
        }
        all.push(section);
    }
    for n in 0..setup.audio_slots {
        all.push(section(setup, &format!("a{n}"), MediaKind::Audio, &[CodecKind::Opus]));
    }
    for n in 0..setup.video_slots {
        let codecs: Vec<CodecKind> =
            VIDEO.into_iter().filter(|codec| !setup.without.contains(codec)).collect();
        all.push(section(setup, &format!("v{n}"), MediaKind::Video, &codecs));
    }
    for (index, section) in (0..).zip(&mut all) {
        section.index = index;
    }
    all
}
