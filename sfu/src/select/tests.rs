use super::*;
use crate::packet::Facts;
use crate::slot::SlotSeed;
use std::time::Instant;
use weir_sfu_api::ExtensionKind;
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

fn at(layer: u8, spatial: u8, temporal: u8) -> Wanted {
    Wanted::At(Target { layer, spatial, temporal })
}

/// Begins a picture of stream 1.
fn frame(seq: u64, facts: Facts) -> PacketMeta {
    let facts = Facts { frame_start: true, ..facts };
    PacketMeta { seq, timestamp: seq as u32 * 3_000, facts, ..packet(1, false) }
}

/// A slot that has begun stream 1 with all its layers, and the decision for one more packet.
fn after(
    level: Level,
    wanted: Wanted,
    packet: &PacketMeta,
    offered: &Offered,
) -> (Decision, Level) {
    let mut slot = slot();
    slot.wanted = wanted;
    let begin = frame(10, Facts { needed: Levels::ALL, ..Facts::default() });
    slot.rewriter.switch(&begin, level, None, Instant::now());
    slot.rewriter.map(&begin, Instant::now());
    let decision = decide(&mut slot, packet, offered, |_| true);
    (decision, slot.rewriter.level())
}

#[test]
fn down_it_goes_with_the_next_picture_only() {
    let base = Facts { needed: Levels::ALL, ..Facts::default() };
    let inside = PacketMeta { timestamp: 30_000, ..frame(11, base) };
    let layer = offered(0, 0);
    let (decision, level) = after(Level::FULL, at(0, 0, 1), &inside, &layer);
    assert_eq!((decision, level), (Decision::Forward, Level::FULL));
    let (decision, level) = after(Level::FULL, at(0, 0, 1), &frame(11, base), &layer);
    assert_eq!((decision, level), (Decision::Forward, Level::new(0, 1)));
    // An upper frame behind a hole: its picture may have begun before.
    let upper = Facts { spatial: 1, ..base };
    let (_, level) = after(Level::FULL, at(0, 0, 1), &frame(12, upper), &layer);
    assert_eq!(level, Level::FULL);
}

#[test]
fn a_temporal_layer_begins_where_the_codec_says_so() {
    let layer = Offered { top: Level::new(0, 2), ..offered(0, 0) };
    let plain = Facts { temporal: 1, needed: Levels::from(Level::new(0, 1)), ..Facts::default() };
    let (decision, level) = after(Level::BASE, at(0, 0, 2), &frame(11, plain), &layer);
    assert_eq!((decision, level), (Decision::Forward, Level::BASE));
    // VP8's Y in T1: T1 begins, T2 not yet.
    let sync = Facts { entry: Levels::of_temporal(1), entry_from: Levels::of_temporal(0), ..plain };
    let (_, level) = after(Level::BASE, at(0, 0, 2), &frame(11, sync), &layer);
    assert_eq!(level, Level::new(0, 1));
    // In T2 it is of no use to who lacks T1.
    let third =
        Facts { entry: Levels::of_temporal(2), entry_from: Levels::of_temporal(1), ..plain };
    let (_, level) = after(Level::BASE, at(0, 0, 2), &frame(11, third), &layer);
    assert_eq!(level, Level::BASE);
    // VP9's U in T0: all may follow, but no higher spatial layer.
    let up = Facts {
        needed: Levels::ALL,
        entry: Levels::ALL,
        entry_from: Levels::ALL,
        ..Facts::default()
    };
    let layer = Offered { top: Level::new(1, 2), ..layer };
    let (decision, level) = after(Level::BASE, at(0, 1, 2), &frame(11, up), &layer);
    assert_eq!((decision, level), (Decision::ForwardAndAsk, Level::new(0, 2)));
}

#[test]
fn a_spatial_layer_begins_where_the_descriptor_says_so_else_a_key_frame_is_asked_for() {
    let layer = Offered { top: Level::new(1, 0), ..offered(0, 0) };
    let required = Facts {
        needed: Levels::ALL,
        entry: Levels::of_temporal(3),
        entry_from: Levels::ALL,
        enters_spatial: true,
        ..Facts::default()
    };
    let (decision, level) = after(Level::BASE, at(0, 1, 0), &frame(11, required), &layer);
    assert_eq!((decision, level), (Decision::ForwardAndAsk, Level::BASE));
    let switch = Facts { entry: Levels::ALL, ..required };
    let (decision, level) = after(Level::BASE, at(0, 1, 0), &frame(11, switch), &layer);
    assert_eq!((decision, level), (Decision::Forward, Level::new(1, 0)));
    let key = Facts { key_frame: true, entry: Levels::NONE, ..required };
    let (decision, level) = after(Level::BASE, at(0, 1, 0), &frame(11, key), &layer);
    assert_eq!((decision, level), (Decision::Forward, Level::new(1, 0)));
    // What is not being sent is not asked for.
    let one = Offered { top: Level::BASE, ..layer };
    let (decision, _) = after(Level::BASE, at(0, 1, 0), &frame(11, required), &one);
    assert_eq!(decision, Decision::Forward);
}

#[test]
fn a_pause_ends_with_a_picture_and_a_key_frame_ends_the_pause() {
    let base = Facts { needed: Levels::ALL, ..Facts::default() };
    let inside = PacketMeta { timestamp: 30_000, ..frame(11, Facts::default()) };
    let layer = offered(0, 0);
    assert_eq!(after(Level::FULL, Wanted::Paused, &inside, &layer).0, Decision::Forward);
    assert_eq!(after(Level::FULL, Wanted::Paused, &frame(11, base), &layer).0, Decision::Stop);
    let mut slot = slot();
    slot.wanted = Wanted::Paused;
    let mut ask = |wanted, key| {
        slot.wanted = wanted;
        decide(&mut slot, &packet(1, key), &layer, |_| false)
    };
    assert_eq!(ask(Wanted::Paused, true), Decision::Skip);
    assert_eq!(ask(at(0, 0, 0), false), Decision::WantKeyFrame);
    assert_eq!(ask(at(0, 0, 0), true), Decision::Switch(Level::BASE));
}

#[test]
fn what_stands_in_for_a_layer_is_had_whole_or_at_its_least() {
    let mut slot = slot();
    slot.wanted = at(1, 0, 1);
    let mut ask = |layer, instead| {
        let offered = Offered { instead: [0, instead, 2, 3], ..offered(layer, 2) };
        decide(&mut slot, &packet(5, true), &offered, |_| true)
    };
    assert_eq!(ask(1, 1), Decision::Switch(Level::new(0, 1)));
    assert_eq!(ask(0, 0), Decision::Switch(Level::FULL));
    assert_eq!(ask(2, 2), Decision::Switch(Level::BASE));
    assert_eq!(ask(1, 2), Decision::Skip);
}

#[test]
fn on_the_way_down_the_better_layer_gives_its_least() {
    let base = Facts { needed: Levels::ALL, ..Facts::default() };
    let (decision, level) = after(Level::FULL, at(0, 0, 2), &frame(11, base), &offered(2, 2));
    assert_eq!((decision, level), (Decision::Forward, Level::BASE));
    let (_, level) = after(Level::FULL, at(2, 0, 2), &frame(11, base), &offered(0, 2));
    assert_eq!(level, Level::FULL, "on the way up the lesser one goes on");
}

#[test]
fn who_is_not_told_of_layers_gets_all_spatial_ones() {
    let mut slot = slot();
    slot.wanted = at(0, 0, 1);
    let key = PacketMeta { codec: Some(CodecKind::Av1), ..packet(1, true) };
    let level = decide(&mut slot, &key, &offered(0, 0), |_| false);
    assert_eq!(level, Decision::Switch(Level::new(3, 1)));
    slot.section.extensions.set(ExtensionKind::DependencyDescriptor, 9);
    let level = decide(&mut slot, &key, &offered(0, 0), |_| false);
    assert_eq!(level, Decision::Switch(Level::new(0, 1)));
}
