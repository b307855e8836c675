//! Codec facts of a packet: from the dependency descriptor where there is one, else from the codec's
//! payload descriptor. Payloads may be encrypted end to end: with a descriptor nothing is read
//! beyond the RTP payload descriptor of VP8 and VP9, which stays in clear.

use crate::ingress::structure::Described;
use crate::packet::Facts;
use crate::select::{Level, Levels};
use weir_sfu_api::CodecKind;
use weir_wire::payload::{PayloadFacts, av1, h264, vp8, vp9};

/// Reads what routing and rewriting need. `None` when the payload is malformed and no dependency
/// descriptor stands in for it; an empty payload (padding only) is needed by nobody.
pub(crate) fn read(
    codec: CodecKind,
    payload: &[u8],
    described: Option<&Described>,
) -> Option<Facts> {
    if !codec.is_video() {
        return Some(Facts {
            key_frame: true,
            frame_start: true,
            needed: Levels::ALL,
            ..Facts::default()
        });
    }
    if payload.is_empty() {
        return Some(Facts::default());
    }
    match described {
        None => by_payload(codec, payload),
        Some(described) if described.known => Some(by_descriptor(codec, payload, described)),
        Some(described) => {
            // The structure is not here (yet): start, end and frame number are.
            let unknown = Facts {
                frame_start: described.descriptor.start_of_frame,
                needed: Levels::ALL,
                ..Facts::default()
            };
            let facts = by_payload(codec, payload).unwrap_or(unknown);
            Some(Facts { frame_number: Some(described.descriptor.frame_number), ..facts })
        }
    }
}

/// The dependency descriptor wins; of the payload only what must be rewritten is looked at.
fn by_descriptor(codec: CodecKind, payload: &[u8], described: &Described) -> Facts {
    let descriptor = &described.descriptor;
    let (spatial, temporal) = descriptor.layer.map_or((0, 0), |l| (l.spatial, l.temporal));
    let ids = match codec {
        CodecKind::Vp8 => vp8::parse(payload).ok().and_then(|d| vp8_ids(&d)),
        CodecKind::Vp9 => vp9::parse(payload).ok().and_then(|d| vp9_ids(&d)),
        _ => None,
    };
    // Told with each frame: any may be the first after a change, and any may get lost.
    let tells_targets = descriptor.structure_present || descriptor.start_of_frame;
    Facts {
        key_frame: descriptor.key_frame() && spatial == 0,
        frame_start: descriptor.start_of_frame,
        frame_end: descriptor.end_of_frame,
        spatial,
        temporal,
        needed: described.needed,
        entry: described.entry,
        entry_from: described.needed,
        enters_spatial: true,
        frame_number: Some(descriptor.frame_number),
        decode_targets: if tells_targets { descriptor.decode_target_count() } else { 0 },
        resolution: None,
        ..ids.unwrap_or_default()
    }
}

fn by_payload(codec: CodecKind, payload: &[u8]) -> Option<Facts> {
    Some(match codec {
        CodecKind::Opus | CodecKind::Red => return None,
        CodecKind::Vp8 => {
            let parsed = vp8::parse(payload).ok()?;
            from_vp8(&parsed.facts(), vp8_ids(&parsed)?)
        }
        CodecKind::Vp9 => {
            let parsed = vp9::parse(payload).ok()?;
            from_vp9(&parsed.facts(), vp9_ids(&parsed)?)
        }
        CodecKind::H264 => whole(&h264::parse(payload).ok()?.facts()),
        CodecKind::Av1 => whole(&av1::parse(payload).ok()?.facts()),
    })
}

fn vp8_ids(parsed: &vp8::Vp8Descriptor) -> Option<Facts> {
    Some(Facts {
        picture_id: parsed.picture_id,
        long_picture_id: parsed.picture_id_bits == 15,
        tl0_pic_idx: parsed.tl0_pic_idx,
        key_idx: parsed.key_idx,
        descriptor_len: u8::try_from(parsed.header_len).ok()?,
        ..Facts::default()
    })
}

fn vp9_ids(parsed: &vp9::Vp9Descriptor) -> Option<Facts> {
    Some(Facts {
        picture_id: parsed.picture_id,
        long_picture_id: parsed.picture_id_bits == 15,
        tl0_pic_idx: parsed.tl0_pic_idx,
        descriptor_len: u8::try_from(parsed.header_len).ok()?,
        ..Facts::default()
    })
}

/// H264 and AV1 without a dependency descriptor: no layers can be told apart.
fn whole(facts: &PayloadFacts) -> Facts {
    Facts {
        key_frame: facts.key_frame,
        frame_start: facts.frame_start,
        frame_end: facts.frame_end,
        needed: Levels::ALL,
        resolution: facts.resolution,
        ..Facts::default()
    }
}

/// Y (RFC 7741 4.2): the frame depends on the base layer only, so its layer may begin with it, for
/// who had the layer below.
fn from_vp8(facts: &PayloadFacts, ids: Facts) -> Facts {
    let temporal = facts.temporal_id.unwrap_or(0);
    let below = temporal.checked_sub(1).filter(|_| facts.layer_sync && facts.frame_start);
    Facts {
        key_frame: facts.key_frame,
        frame_start: facts.frame_start,
        temporal,
        needed: Levels::from(Level::new(0, temporal)),
        entry: below.map_or(Levels::NONE, |_| Levels::of_temporal(temporal)),
        entry_from: below.map_or(Levels::NONE, Levels::of_temporal),
        resolution: facts.resolution,
        ..ids
    }
}

/// U (RFC 9628 4.2): after this picture nothing in a higher temporal layer depends on what was before
/// it, so who has this picture may have all that follow. A higher spatial layer begins with a key
/// picture: where an upper frame depends on its picture alone (P = 0) in the middle of a stream, the
/// lower one has been sent as the picture's last already.
fn from_vp9(facts: &PayloadFacts, ids: Facts) -> Facts {
    let (spatial, temporal) = (facts.spatial_id.unwrap_or(0), facts.temporal_id.unwrap_or(0));
    let up = facts.frame_start && facts.layer_sync;
    Facts {
        key_frame: facts.key_frame,
        frame_start: facts.frame_start,
        frame_end: facts.frame_end,
        spatial,
        temporal,
        needed: Levels::from(Level::new(spatial, temporal)),
        entry: if up { Levels::ALL } else { Levels::NONE },
        entry_from: if up { Levels::from(Level::new(0, temporal)) } else { Levels::NONE },
        resolution: facts.resolution,
        ..ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingress::structure::Structures;

    /// L1T2: two templates, two decode targets, no chains, no sizes; the key frame's descriptor.
    const KEY: [u8; 8] = [0x80, 0, 7, 0x80, 0x01, 0x7a, 0x14, 0x00];
    /// The second template: T1.
    const DELTA: [u8; 3] = [0xc1, 0, 8];

    #[test]
    fn with_a_descriptor_an_encrypted_payload_is_not_looked_into() {
        let mut structures = Structures::default();
        let (key, new) = structures.read(&KEY, 5).unwrap();
        assert!(new && key.known);
        let (delta, new) = structures.read(&DELTA, 6).unwrap();
        assert!(!new);
        for codec in [CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::Av1] {
            // Nothing that any codec's parser takes.
            let payload = [0xff];
            assert!(read(codec, &payload, None).is_none(), "{codec:?}");
            let facts = read(codec, &payload, Some(&key)).unwrap();
            assert!(facts.key_frame && facts.frame_start && !facts.frame_end);
            assert!(facts.needed.contains(Level::BASE) && facts.entry.contains(Level::FULL));
            assert_eq!((facts.frame_number, facts.decode_targets), (Some(7), 2));
            let facts = read(codec, &payload, Some(&delta)).unwrap();
            assert!(!facts.key_frame && facts.frame_end);
            assert_eq!((facts.spatial, facts.temporal), (0, 1));
            assert!(!facts.needed.contains(Level::BASE) && facts.needed.contains(Level::new(0, 1)));
        }
        // The RTP payload descriptor is in clear and has numbers to rewrite.
        let vp8 = read(CodecKind::Vp8, &[0x90, 0x80, 0x2a, 0xff, 0xff], Some(&delta)).unwrap();
        assert_eq!((vp8.picture_id, vp8.descriptor_len, vp8.key_frame), (Some(42), 3, false));
        assert_eq!(structures.current().unwrap().targets_of(Level::BASE), 0b01);
        assert_eq!(structures.current().unwrap().targets_of(Level::FULL), 0b11);
    }

    #[test]
    fn without_its_structure_a_descriptor_gives_what_it_can() {
        let (delta, _) = Structures::default().read(&DELTA, 6).unwrap();
        let facts = read(CodecKind::Av1, &[0xff], Some(&delta)).unwrap();
        assert_eq!((facts.frame_number, facts.frame_start), (Some(8), true));
        assert!(facts.needed.contains(Level::BASE) && !facts.key_frame);
    }

    #[test]
    fn an_old_key_frame_sent_again_does_not_bring_its_structure_back() {
        let mut structures = Structures::default();
        // Other template ids.
        let newer = [0x82, 0, 7, 0x80, 0x41, 0x7a, 0x14, 0x00];
        assert!(structures.read(&newer, 100).unwrap().1);
        let (old, new) = structures.read(&KEY, 50).unwrap();
        assert!(!new && old.descriptor.key_frame());
        assert!(structures.read(&KEY, 150).unwrap().1);
        assert!(!structures.read(&KEY, 151).unwrap().1, "known");
    }
}
