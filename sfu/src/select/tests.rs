use super::*;
use crate::packet::Facts;
use crate::slot::SlotSeed;
use std::time::Instant;
use weir_sfu_api::{CodecKind, Direction, ExtensionMap, MediaSection, Mid, SourceKind};

fn slot() -> Slot {
    let section = MediaSection {
        index: 0,
        mid: Mid::new("1").unwrap(),
        kind: MediaKind::Video,
        direction: Direction::RecvOnly,
        source: SourceKind::Camera,
        payload_types: Vec::new(),
        extensions: ExtensionMap::default(),
        simulcast: Vec::new(),
        ssrcs: Vec::new(),
    };
    let seed = SlotSeed { ssrc: 1, rtx_ssrc: 2, seq: 0, rtx_seq: 0, timestamp: 0 };
    Slot::new(section, 0, "cname", seed)
}

fn packet(stream: u32, key: bool) -> PacketMeta {
    PacketMeta {
        stream,
        seq: 1,
        codec: Some(CodecKind::Vp8),
        facts: Facts { key_frame: key, frame_start: true, needed: Levels::ALL, ..Facts::default() },
        ..PacketMeta::default()
    }
}

fn offered(layer: u8, best: u8) -> Offered {
    let same = [0, 1, 2, 3];
    Offered { layer, best, instead: same, order: same, top: Level::FULL }
}

#[test]
fn an_empty_slot_starts_with_any_key_frame_and_moves_to_the_best_layer() {
    let mut slot = slot();
    let ask = |slot: &mut Slot, stream, key, best, alive| {
        let offered = offered(if best { 2 } else { 0 }, 2);
        decide(slot, &packet(stream, key), &offered, |_| alive)
    };
    assert_eq!(ask(&mut slot, 1, false, false, false), Decision::Skip);
    assert_eq!(ask(&mut slot, 2, false, true, false), Decision::WantKeyFrame);
    assert_eq!(ask(&mut slot, 1, true, false, false), Decision::Switch(Level::FULL));
    slot.rewriter.switch(&packet(1, true), Level::FULL, None, Instant::now());
    assert_eq!(ask(&mut slot, 1, false, false, true), Decision::Forward);
    assert_eq!(ask(&mut slot, 2, false, true, true), Decision::WantKeyFrame);
    assert_eq!(ask(&mut slot, 3, true, false, true), Decision::Skip);
    assert_eq!(ask(&mut slot, 2, true, true, true), Decision::Switch(Level::FULL));
}
