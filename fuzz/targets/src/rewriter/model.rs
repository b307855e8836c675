//! What the rewriter must do, told plainly: with every packet remembered.

use std::collections::{BTreeMap, BTreeSet};
use weir_sfu::{Sample, Sent};

/// Behind the newest the rewriter may have forgotten what it left out: 2,048 packets, 512 pictures
/// and 8 changes of level are its limits, less the word that is being filled.
const PACKETS_KNOWN: u64 = 1_900;
const PICTURES_KNOWN: u64 = 440;
const CHANGES_KNOWN: usize = 8;

/// One source while it is forwarded.
struct Stretch {
    first: Sample,
    out_start: u64,
    /// Of the first packet.
    first_sent: Option<Sent>,
    newest: Option<u64>,
    newest_timestamp: u32,
    /// Levels from a packet on.
    levels: Vec<(u64, (u8, u8))>,
    left_out: BTreeSet<u64>,
    /// By the picture's timestamp, which counts without wrapping below.
    left_pictures: BTreeSet<u64>,
    /// Too much was lost to count pictures of 7 bits.
    unsure: bool,
}

pub(super) struct Model {
    first_seq: u64,
    highest: Option<u64>,
    last_timestamp: u32,
    stretches: Vec<Option<Stretch>>,
    sent: BTreeMap<u64, (Sample, Sent)>,
}

fn covers(level: (u8, u8), layer: (u8, u8)) -> bool {
    level.0 >= layer.0 && level.1 >= layer.1
}

impl Stretch {
    /// Pictures since the first one.
    fn picture(&self, packet: &Sample) -> u64 {
        u64::from(packet.timestamp.wrapping_sub(self.first.timestamp) / 3_000)
    }

    fn level_at(&self, seq: u64) -> (u8, u8) {
        let before = self.levels.iter().rev().find(|(from, _)| *from <= seq);
        before.map_or((3, 3), |(_, level)| *level)
    }

    fn changes_since(&self, seq: u64) -> usize {
        self.levels.iter().filter(|(from, _)| *from > seq).count()
    }
}

impl Model {
    pub(super) fn new(first_seq: u16) -> Self {
        Self {
            first_seq: u64::from(first_seq & 0x7fff),
            highest: None,
            last_timestamp: 0,
            stretches: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }

    pub(super) fn last_timestamp(&self) -> u32 {
        self.last_timestamp
    }

    pub(super) fn current(&self) -> Option<u32> {
        Some(self.stretches.last()?.as_ref()?.first.stream)
    }

    pub(super) fn sent(&self, out: u64) -> Option<&(Sample, Sent)> {
        self.sent.get(&out)
    }

    /// Whether the place of a packet's picture among others can be known by its id.
    pub(super) fn tells_pictures(&self, packet: &Sample) -> bool {
        let of_stream = |stretch: &&Stretch| stretch.first.stream == packet.stream;
        packet.long_picture_id
            || self.stretches.iter().flatten().rfind(of_stream).is_some_and(|stretch| {
                let behind = stretch.newest_timestamp.wrapping_sub(packet.timestamp) / 3_000;
                !stretch.unsure && behind < 60
            })
    }

    pub(super) fn switch(&mut self, first: &Sample, level: (u8, u8)) {
        self.stretches.push(Some(Stretch {
            first: *first,
            out_start: self.highest.map_or(self.first_seq, |highest| highest + 1),
            first_sent: None,
            newest: None,
            newest_timestamp: first.timestamp,
            levels: vec![(0, level)],
            left_out: BTreeSet::new(),
            left_pictures: BTreeSet::new(),
            unsure: false,
        }));
    }

    pub(super) fn stop(&mut self) {
        self.stretches.push(None);
    }

    pub(super) fn set_level(&mut self, packet: &Sample, level: (u8, u8)) {
        let Some(Some(stretch)) = self.stretches.last_mut() else { return };
        if stretch.level_at(u64::MAX) != level {
            stretch.levels.push((packet.seq, level));
        }
    }

    /// What became of `packet`, each of which comes once.
    pub(super) fn check(&mut self, packet: &Sample, sent: Option<&Sent>) {
        let Some(Some(stretch)) = self.stretches.last_mut() else {
            assert_eq!(sent, None, "nothing is forwarded");
            return;
        };
        if packet.stream != stretch.first.stream || packet.seq < stretch.first.seq {
            assert_eq!(sent, None, "{packet:?} is of another source, or from before the switch");
            return;
        }
        let level = stretch.level_at(packet.seq);
        let wanted = covers(level, packet.layer);
        let picture = stretch.picture(packet);
        let newer = stretch.newest.is_none_or(|newest| packet.seq > newest);
        if newer {
            let skipped = packet.timestamp.wrapping_sub(stretch.newest_timestamp) / 3_000;
            stretch.unsure |= !packet.long_picture_id && skipped > 50;
            stretch.newest = Some(packet.seq);
            stretch.newest_timestamp = packet.timestamp;
            if !wanted {
                stretch.left_out.insert(packet.seq);
                stretch.left_pictures.insert(picture);
                assert_eq!(sent, None, "{packet:?} is of a layer left out, level {level:?}");
                return;
            }
        }
        let Some(sent) = sent else {
            let newest = stretch.newest.unwrap_or(packet.seq);
            let pictures =
                u64::from(stretch.newest_timestamp.wrapping_sub(packet.timestamp) / 3_000);
            let forgotten = newest - packet.seq > PACKETS_KNOWN
                || pictures > PICTURES_KNOWN
                || stretch.changes_since(packet.seq) >= CHANGES_KNOWN
                || stretch.unsure;
            assert!(!newer && forgotten, "{packet:?} is forwarded, level {level:?}");
            return;
        };
        assert_eq!(sent.empty, !wanted, "{packet:?} at level {level:?}");
        let before = stretch.left_out.range(..packet.seq).count() as u64;
        let expected = stretch.out_start + (packet.seq - stretch.first.seq) - before;
        assert_eq!(sent.seq, expected, "numbers close up over what was left out: {packet:?}");
        let ends = packet.frame_end && packet.layer.0 == level.0;
        assert_eq!(sent.marker, ends && wanted, "{packet:?} at level {level:?}");
        let first = *stretch.first_sent.get_or_insert(*sent);
        assert_eq!(
            sent.timestamp.wrapping_sub(first.timestamp),
            packet.timestamp.wrapping_sub(stretch.first.timestamp),
            "time runs as the source's does"
        );
        if let (Some(id), Some(from), true) = (sent.picture_id, first.picture_id, wanted) {
            let gone = match packet.key_idx {
                Some(_) => stretch.left_pictures.range(..picture).count() as u64,
                None => 0,
            };
            let mask = if packet.long_picture_id { 0x7fff } else { 0x7f };
            let expected = (u64::from(from) + picture - gone) as u16 & mask;
            let behind = stretch.newest_timestamp.wrapping_sub(packet.timestamp) / 3_000;
            let unsure = stretch.unsure || !packet.long_picture_id && behind >= 60;
            assert!(id == expected || unsure, "picture {id}, not {expected}: {packet:?}");
        }
        let moved = |out: Option<u8>, first: Option<u8>, now: Option<u8>, then: Option<u8>| {
            let change = |a: Option<u8>, b: Option<u8>| Some(a?.wrapping_sub(b?));
            (change(out, first), change(now, then))
        };
        let (out, source) = moved(
            sent.tl0_pic_idx,
            first.tl0_pic_idx,
            packet.tl0_pic_idx,
            stretch.first.tl0_pic_idx,
        );
        assert_eq!(out, source, "TL0PICIDX");
        let (out, source) =
            moved(sent.key_idx, first.key_idx, packet.key_idx, stretch.first.key_idx);
        assert_eq!(out.map(|n| n & 0x1f), source.map(|n| n & 0x1f), "KEYIDX");
        if let (Some(out), Some(from)) = (sent.frame_number, first.frame_number) {
            let source = (packet.frame_number, stretch.first.frame_number);
            assert_eq!(
                Some(out.wrapping_sub(from)),
                source.0.zip(source.1).map(|(now, then)| now.wrapping_sub(then)),
                "frame number"
            );
        }
        if self.highest.is_none_or(|highest| sent.seq > highest) {
            let begins = packet.seq == stretch.first.seq;
            if begins && self.highest.is_some() {
                let ahead = sent.timestamp.wrapping_sub(self.last_timestamp).cast_signed();
                assert!(ahead > 0, "time moves on with a switch: {ahead}");
            }
            self.highest = Some(sent.seq);
            self.last_timestamp = sent.timestamp;
        }
        let twice = self.sent.insert(sent.seq, (*packet, *sent));
        assert_eq!(twice, None, "a number leaves once");
    }

    /// What is found behind our number `out`, which may not have been sent (lost by the source, or
    /// before the beginning).
    pub(super) fn check_source(&self, out: Option<u64>, found: Option<(u32, u64, u64)>) {
        let Some((packet, _)) = out.and_then(|out| self.sent.get(&out)) else {
            if let Some((stream, seq, _)) = found {
                let other = self.sent.values().find(|(p, _)| (p.stream, p.seq) == (stream, seq));
                assert!(other.is_none(), "a number that was not sent leads to {other:?}");
            }
            return;
        };
        let expected = Some((packet.stream, packet.seq, out.unwrap_or(0)));
        // Of an older source with layers left out it may have been forgotten.
        let recent = self.stretches.iter().flatten().next_back().is_some_and(|stretch| {
            stretch.out_start <= out.unwrap_or(0)
                && stretch.newest.is_some_and(|newest| newest - packet.seq < PACKETS_KNOWN)
        });
        assert!(found == expected || found.is_none() && !recent, "{found:?}, not {expected:?}");
    }
}
