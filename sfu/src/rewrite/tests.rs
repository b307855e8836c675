use super::*;
use crate::packet::{Facts, PacketMeta};
use crate::select::{Level, Levels};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use weir_sfu_api::CodecKind;

fn packet(stream: u32, seq: u64, timestamp: u32, picture_id: u16) -> PacketMeta {
    PacketMeta {
        stream,
        seq,
        timestamp,
        facts: Facts {
            picture_id: Some(picture_id),
            long_picture_id: true,
            tl0_pic_idx: Some(picture_id as u8),
            key_frame: true,
            frame_start: true,
            needed: Levels::ALL,
            ..Facts::default()
        },
        codec: Some(CodecKind::Vp8),
        ..PacketMeta::default()
    }
}

#[test]
fn a_switch_continues_numbers_times_and_picture_ids() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 500, 10_000);
    let first = packet(1, 70_000, 5, 9);
    r.switch(&first, Level::FULL, None, t0);
    let out = r.map(&first, t0).unwrap();
    assert_eq!((out.seq, out.timestamp, out.picture_id), (500, 10_000, Some(9)));
    let t1 = t0 + Duration::from_millis(33);
    let out = r.map(&packet(1, 70_001, 5 + 2_970, 10), t1).unwrap();
    assert_eq!((out.seq, out.timestamp, out.picture_id), (501, 12_970, Some(10)));

    // Another source, with numbers of its own, 100 ms later.
    let t2 = t1 + Duration::from_millis(100);
    let other = packet(2, 3, 4_000_000_000, 32_000);
    r.switch(&other, Level::FULL, None, t2);
    let out = r.map(&other, t2).unwrap();
    assert_eq!((out.seq, out.timestamp, out.picture_id), (502, 21_970, Some(11)));
    assert_eq!(out.tl0_pic_idx, Some(11));
    // A late packet of the old source is not sent any more.
    assert!(r.map(&packet(1, 70_002, 6_000, 11), t2).is_none());
    // Nor one of the new source from before the switch.
    assert!(r.map(&packet(2, 2, 4_000_000_000, 31_999), t2).is_none());
}

#[test]
fn a_hole_stays_a_hole_and_a_late_packet_fits_into_it() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&packet(1, 100, 0, 1), Level::FULL, None, t0);
    assert_eq!(r.map(&packet(1, 100, 0, 1), t0).unwrap().seq, 0);
    assert_eq!(r.map(&packet(1, 103, 0, 1), t0).unwrap().seq, 3);
    assert_eq!(r.map(&packet(1, 101, 0, 1), t0).unwrap().seq, 1);
    assert_eq!(r.highest(), Some(3));
}

#[test]
fn a_nack_finds_the_source_packet_also_across_a_switch() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0x7fff, 0);
    r.switch(&packet(1, 100, 0, 1), Level::FULL, None, t0);
    r.map(&packet(1, 100, 0, 1), t0);
    r.map(&packet(1, 101, 0, 1), t0);
    r.switch(&packet(2, 900, 0, 1), Level::FULL, None, t0);
    r.map(&packet(2, 900, 0, 1), t0);
    let (segment, seq, out) = r.source_of(0x8000).unwrap();
    assert_eq!((segment.stream, seq, out), (1, 101, 0x8000));
    let (segment, seq, _) = r.source_of(0x8001).unwrap();
    assert_eq!((segment.stream, seq), (2, 900));
    assert!(r.source_of(0x7ffe).is_none());
}

/// As a slot is emptied and filled again by people who send nothing.
#[test]
fn a_slot_emptied_many_times_still_knows_what_it_sent() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 10, 0);
    r.switch(&packet(1, 100, 0, 1), Level::FULL, None, t0);
    r.map(&packet(1, 100, 0, 1), t0);
    for _ in 0..100 {
        r.stop();
    }
    let (segment, seq, out) = r.source_of(10).unwrap();
    assert_eq!((segment.stream, seq, out), (1, 100, 10));
}

#[test]
fn aligned_layers_keep_their_common_time() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&packet(1, 1, 1_000, 1), Level::FULL, None, t0);
    r.map(&packet(1, 1, 1_000, 1), t0);
    // The new layer's frame was captured 40 ms later though only 33 ms passed here.
    let t1 = t0 + Duration::from_millis(33);
    r.switch(&packet(2, 1, 77, 1), Level::FULL, Some(3_600), t1);
    assert_eq!(r.map(&packet(2, 1, 77, 1), t1).unwrap().timestamp, 3_600);
    assert_eq!(r.last_timestamp(), 3_600);
    // Nonsense alignment is not believed.
    r.switch(&packet(3, 1, 5, 1), Level::FULL, Some(3_599), t1);
    assert_eq!(r.map(&packet(3, 1, 5, 1), t1).unwrap().timestamp, 3_601);
}

#[test]
fn an_emptied_slot_sends_nothing_and_goes_on_seamlessly() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(48_000, 10, 0);
    r.switch(&packet(1, 1, 0, 1), Level::FULL, None, t0);
    r.map(&packet(1, 1, 0, 1), t0);
    r.stop();
    assert!(r.map(&packet(1, 2, 960, 1), t0).is_none());
    r.switch(&packet(4, 50, 0, 1), Level::FULL, None, t0);
    assert_eq!(r.map(&packet(4, 50, 0, 1), t0).unwrap().seq, 11);
}

/// A packet of a frame of its own in a temporal layer.
fn layered(seq: u64, picture_id: u16, temporal: u8) -> PacketMeta {
    let mut packet = packet(1, seq, picture_id.into(), picture_id);
    packet.marker = true;
    packet.facts.key_frame = false;
    packet.facts.temporal = temporal;
    packet.facts.needed = Levels::from(Level::new(0, temporal));
    packet
}

/// What becomes of source packets 100, 101, ... with these temporal layers, at a level; the second
/// number is the picture id.
fn at_level(r: &mut Rewriter, temporals: &[u8], now: Instant) -> Vec<Option<(u64, u16)>> {
    let packets = (0u16..).zip(temporals).map(|(n, t)| layered(100 + u64::from(n), n, *t));
    packets
        .map(|packet| {
            let mapped = r.map(&packet, now)?;
            Some((mapped.seq, mapped.picture_id.unwrap()))
        })
        .collect()
}

#[test]
fn what_is_left_out_leaves_no_gap() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&layered(100, 0, 0), Level::BASE, None, t0);
    let out = at_level(&mut r, &[0, 2, 1, 2, 0, 2], t0);
    assert_eq!(out, [Some((0, 0)), None, None, None, Some((1, 1)), None]);
    // From the next picture on T1 as well.
    let next = layered(106, 6, 1);
    r.set_level(&next, Level::new(0, 1));
    let mapped = r.map(&next, t0).unwrap();
    assert_eq!((mapped.seq, mapped.picture_id), (2, Some(2)));
    assert!(r.map(&layered(107, 7, 2), t0).is_none());
    assert_eq!(r.map(&layered(108, 8, 0), t0).unwrap().seq, 3);
    // Padding of the publisher is needed by nobody.
    let padding = PacketMeta { facts: Facts::default(), ..layered(109, 0, 0) };
    assert!(r.map(&padding, t0).is_none());
    let mapped = r.map(&layered(110, 9, 1), t0).unwrap();
    assert_eq!((mapped.seq, mapped.picture_id), (4, Some(4)));
}

#[test]
fn a_late_packet_of_a_layer_that_is_left_out_is_sent_empty() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&layered(100, 0, 0), Level::BASE, None, t0);
    assert_eq!(r.map(&layered(100, 0, 0), t0).unwrap().seq, 0);
    assert_eq!(r.map(&layered(103, 3, 0), t0).unwrap().seq, 3);
    // 101 was lost, and 102.
    let late = r.map(&layered(101, 1, 2), t0).unwrap();
    assert_eq!((late.seq, late.empty, late.marker), (1, true, false));
    let late = r.map(&layered(102, 2, 0), t0).unwrap();
    assert_eq!((late.seq, late.empty, late.picture_id), (2, false, Some(2)));
}

#[test]
fn a_late_packet_belongs_to_the_layers_of_its_time() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&layered(100, 0, 0), Level::FULL, None, t0);
    r.map(&layered(100, 0, 0), t0);
    let down = layered(102, 2, 0);
    r.set_level(&down, Level::BASE);
    r.map(&down, t0);
    assert!(r.map(&layered(104, 4, 2), t0).is_none());
    let up = layered(106, 6, 0);
    r.set_level(&up, Level::FULL);
    r.map(&up, t0);
    let late: Vec<_> = [(101, 2), (103, 2), (105, 0)]
        .map(|(seq, temporal)| r.map(&layered(seq, 0, temporal), t0).unwrap())
        .map(|mapped| (mapped.seq, mapped.empty))
        .to_vec();
    assert_eq!(late, [(1, false), (3, true), (4, false)]);
    // Later than all that is remembered: changes of layers, then numbers.
    for n in 0..10u64 {
        let packet = layered(110 + n, 0, 0);
        r.set_level(&packet, if n % 2 == 0 { Level::BASE } else { Level::FULL });
        r.map(&packet, t0);
    }
    assert!(r.map(&layered(107, 0, 0), t0).is_none());
}

#[test]
fn a_nack_finds_the_source_packet_behind_what_was_left_out() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    r.switch(&layered(100, 0, 0), Level::BASE, None, t0);
    at_level(&mut r, &[0, 2, 1, 2, 0, 2, 1, 2, 0], t0);
    let source = |r: &Rewriter, number| r.source_of(number).map(|(_, seq, _)| seq);
    assert_eq!([0, 1, 2].map(|n| source(&r, n)), [Some(100), Some(104), Some(108)]);
    let (segment, _, out) = r.source_of(1).unwrap();
    let again = r.apply(&segment, &layered(104, 4, 0)).unwrap();
    assert_eq!((again.seq, again.picture_id), (out, Some(1)));
    // Also across a switch, and once more across the next; then it is forgotten.
    for n in 0..2 {
        let key = packet(7 + n, 500, 9, 9);
        r.switch(&key, Level::BASE, None, t0);
        r.map(&key, t0);
        let more = PacketMeta { seq: 501, stream: 7 + n, ..layered(501, 10, 2) };
        assert!(r.map(&more, t0).is_none());
        assert_eq!(source(&r, 1), [Some(104), None][n as usize]);
    }
}

#[test]
fn the_last_layer_that_is_sent_ends_the_picture() {
    let t0 = Instant::now();
    let mut r = Rewriter::new(90_000, 0, 0);
    let frame = |seq, spatial: u8, end| {
        let mut packet = packet(1, seq, 0, 5);
        packet.codec = Some(CodecKind::Vp9);
        packet.facts.frame_end = end;
        packet.facts.spatial = spatial;
        packet.facts.needed = Levels::from(Level::new(spatial, 0));
        packet.marker = end && spatial == 2;
        packet
    };
    r.switch(&frame(1, 0, false), Level::new(1, 0), None, t0);
    let packets = [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)];
    let sent: Vec<_> = (1..)
        .zip(packets)
        .map(|(seq, (spatial, end))| r.map(&frame(seq, spatial, end), t0))
        .map(|mapped| mapped.map(|mapped| (mapped.seq, mapped.picture_id, mapped.marker)))
        .collect();
    let id = Some(5);
    let expected = [(0, id, false), (1, id, false), (2, id, false), (3, id, true)];
    assert_eq!(sent[..4], expected.map(Some));
    assert_eq!(sent[4..], [None, None]);
}

/// One source stream for the model: what was decided for each packet that came in order.
#[derive(Default)]
struct Model {
    left_out: BTreeSet<u64>,
    levels: BTreeMap<u64, u8>,
    sent: BTreeMap<u64, u64>,
    start: (u64, u64),
}

impl Model {
    fn out(&self, seq: u64) -> u64 {
        let left_out = self.left_out.range(..seq).count() as u64;
        self.start.1 + (seq - self.start.0) - left_out
    }
}

#[test]
fn random_layers_holes_and_switches_agree_with_a_plain_model() {
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut now = Instant::now();
        let mut r = Rewriter::new(90_000, 1_000, 77);
        let mut used = BTreeSet::new();
        let mut next_out = 1_000;
        for stream in 1..6u32 {
            let mut seq = rng.random_range(1u64 << 16..1 << 20);
            let mut picture = rng.random::<u16>() & 0x7fff;
            let mut timestamp = rng.random::<u32>();
            let mut level = rng.random_range(0..3u8);
            let mut model = Model { start: (seq, next_out), ..Model::default() };
            let mut late = Vec::new();
            let mut last = None;
            for n in 0..rng.random_range(1..400) {
                now += Duration::from_millis(33);
                timestamp = timestamp.wrapping_add(2_970);
                picture = picture.wrapping_add(1) & 0x7fff;
                let temporal = if n == 0 { 0 } else { [0, 2, 1, 2][n % 4] };
                let wish = rng.random_range(0..3u8);
                for part in 0..rng.random_range(1..4) {
                    let mut packet = layered(seq, picture, temporal);
                    (packet.stream, packet.timestamp) = (stream, timestamp);
                    packet.facts.frame_start = part == 0;
                    seq += 1;
                    let first = packet.seq == model.start.0;
                    if !first && rng.random_bool(0.1) {
                        late.push((packet, rng.random_range(1..20)));
                        continue;
                    }
                    if first {
                        r.switch(&packet, Level::new(0, level), None, now);
                        model.levels.insert(packet.seq, level);
                    } else if r.begins_picture(&packet) && rng.random_bool(0.02) {
                        level = wish;
                        r.set_level(&packet, Level::new(0, level));
                        model.levels.insert(packet.seq, level);
                    }
                    let mapped = r.map(&packet, now);
                    if temporal > level {
                        assert_eq!(mapped, None, "{seed}");
                        model.left_out.insert(packet.seq);
                    } else {
                        let mapped = mapped.unwrap();
                        assert_eq!(mapped.seq, model.out(packet.seq), "{seed}");
                        assert!(!mapped.empty && used.insert(mapped.seq), "{seed}");
                        assert!(
                            last.is_none_or(|last| mapped.timestamp.wrapping_sub(last) < 1 << 31)
                        );
                        last = Some(mapped.timestamp);
                        model.sent.insert(mapped.seq, packet.seq);
                    }
                }
                late.retain_mut(|(packet, wait)| {
                    *wait -= 1;
                    let came = *wait == 0 && model.sent.last_key_value().is_some();
                    if came
                        && model.left_out.last().max(model.sent.values().last()) > Some(&packet.seq)
                    {
                        let recent = model.levels.range(packet.seq..).count() <= 6;
                        let level = *model.levels.range(..=packet.seq).next_back().unwrap().1;
                        if let Some(mapped) = r.map(packet, now) {
                            assert_eq!(mapped.seq, model.out(packet.seq), "{seed}");
                            assert_eq!(mapped.empty, packet.facts.temporal > level, "{seed}");
                            assert!(used.insert(mapped.seq), "{seed}: {} twice", mapped.seq);
                            model.sent.insert(mapped.seq, packet.seq);
                        } else {
                            assert!(!recent, "{seed}: {} is not too old", packet.seq);
                        }
                        return false;
                    }
                    *wait > 0
                });
            }
            // Whatever is asked for again is found.
            for (out, seq) in model.sent.iter().rev().take(500) {
                let (segment, found, number) = r.source_of(*out as u16).unwrap();
                assert_eq!((segment.stream, found, number), (stream, *seq, *out), "{seed}");
            }
            next_out = r.highest().unwrap() + 1;
        }
    }
}
