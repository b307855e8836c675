//! A decoder as strict as libwebrtc's reference finders: what a frame refers to must have come, and
//! its numbers must be such that a browser finds that out.

use super::{Frame, Packet, Slot};
use crate::content::Content;
use std::collections::BTreeSet;
use std::time::Instant;
use weir_sfu_api::{CodecKind, MediaKind};
use weir_wire::dd::{DependencyDescriptor, Dti, TemplateStructure};

/// Frames that later ones may refer to, at most so far back.
const MEMORY: usize = 64;
/// How far picture ids and frame numbers may leap at a switch.
const LEAP: u16 = 1 << 13;

/// The frame decoded last.
#[derive(Debug, Clone, Copy)]
struct Last {
    content: Content,
    timestamp: u32,
    marker: bool,
    picture_id: Option<u16>,
    tl0_pic_idx: Option<u8>,
    frame_number: Option<u16>,
}

/// What a decoder knows.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    last: Option<Last>,
    /// Frames of this source and layer since its key frame.
    decoded: BTreeSet<u32>,
    structure: TemplateStructure,
    active: Option<u32>,
}

impl Decoder {
    /// A frame was cut off by the key frame of another source or layer: its numbers are used.
    pub(super) fn cut(&mut self, packet: &Packet) {
        if let Some(last) = &mut self.last {
            last.picture_id = packet.picture_id.or(last.picture_id);
            last.tl0_pic_idx = packet.tl0_pic_idx.or(last.tl0_pic_idx);
            last.frame_number = number(packet).or(last.frame_number);
        }
    }

    /// Why the frame that begins with `first` and ends with `marker` cannot be decoded, or would
    /// not be by a browser. `strict` while no packet was given up: then nothing may be left out.
    /// `lossless` while none was missing.
    fn take(
        &mut self,
        first: &Packet,
        marker: bool,
        (strict, lossless): (bool, bool),
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let content = first.content;
        if content.key {
            self.decoded.clear();
        }
        let lacks = |diff: &u16| {
            *diff > 0 && !self.decoded.contains(&content.frame.wrapping_sub(u32::from(*diff)))
        };
        if let Some(diff) = content.refs.iter().copied().find(lacks) {
            let what = format!("cannot follow: refers {diff} back");
            faults.push(format!("{what}, after {:?}", self.last.map(|last| last.content)));
        }
        if !content.key && content.refs == [0; 2] {
            faults.push("refers to nothing".to_owned());
        }
        if let Some(last) = self.last {
            self.compare(&last, first, (strict, lossless), &mut faults);
        } else if !content.key {
            faults.push("begins without a key frame".to_owned());
        }
        self.describe(first, &mut faults);
        self.decoded.insert(content.frame);
        while self.decoded.len() > MEMORY {
            self.decoded.pop_first();
        }
        self.last = Some(Last {
            content,
            timestamp: first.timestamp,
            marker,
            picture_id: first.picture_id,
            tl0_pic_idx: first.tl0_pic_idx,
            frame_number: number(first),
        });
        faults
    }

    fn compare(
        &self,
        last: &Last,
        first: &Packet,
        (strict, lossless): (bool, bool),
        faults: &mut Vec<String>,
    ) {
        let content = first.content;
        let same_layer =
            (last.content.source, last.content.layer) == (content.source, content.layer);
        let same_picture = same_layer && last.content.picture == content.picture;
        let ahead = first.timestamp.wrapping_sub(last.timestamp).cast_signed();
        if same_picture != (ahead == 0) || ahead < 0 {
            faults.push(format!("timestamp {ahead} after {:?}", last.content));
        }
        // Far from the time between the frames: a player would wait, or lose its sync.
        let passed = (content.created_us as i64 - last.content.created_us as i64) * 9 / 100;
        if i64::from(ahead).abs_diff(passed) > 90_000 {
            faults.push(format!("timestamp {ahead} ahead after {passed} ticks"));
        }
        // A picture ends with a marker, and only there. One cut off by a switch or pause has none.
        let cut = content.key && !last.marker;
        if strict && same_layer && !cut && last.marker == same_picture {
            faults.push(format!("marker {} at the end of {:?}", last.marker, last.content));
        }
        let continues = same_layer && !content.key;
        let frames = content.frame.wrapping_sub(last.content.frame);
        let pictures = content.picture.wrapping_sub(last.content.picture);
        if let (Some(new), Some(old)) = (first.picture_id, last.picture_id) {
            let step = new.wrapping_sub(old) & 0x7fff;
            let good = match first.codec {
                // VP8 knows no gaps: a frame after one waits for what is missing. One that got lost
                // may turn out, too late, to have been of a layer that is left out.
                CodecKind::Vp8 => step == 1 || !lossless && (2..8).contains(&step),
                // VP9 counts references and its pattern in picture ids.
                _ if continues => u32::from(step) == pictures & 0x7fff,
                _ if same_picture => step == 0,
                _ => (1..LEAP).contains(&step),
            };
            if !good && strict {
                faults.push(format!("picture id {new} after {old}, {pictures} pictures on"));
            }
        }
        if let (Some(new), Some(old)) = (first.tl0_pic_idx, last.tl0_pic_idx) {
            let step = new.wrapping_sub(old);
            let begins = content.temporal == 0 && !same_picture;
            if step != u8::from(begins) && strict {
                faults.push(format!("TL0PICIDX {new} after {old} in {content:?}"));
            }
        }
        if let (Some(new), Some(old)) = (number(first), last.frame_number) {
            let step = new.wrapping_sub(old);
            let good = if continues {
                u32::from(step) == frames & 0xffff
            } else {
                (1..LEAP).contains(&step)
            };
            if !good && strict {
                faults.push(format!("frame number {new} after {old}, {frames} frames on"));
            }
        }
    }

    /// The dependency descriptor says what the content says.
    fn describe(&mut self, first: &Packet, faults: &mut Vec<String>) {
        let Some(value) = first.descriptor.as_deref() else { return };
        match TemplateStructure::parse(value) {
            Ok(Some(structure)) => {
                self.active = Some(structure.all_targets());
                self.structure = structure;
            }
            Ok(None) => {}
            Err(error) => return faults.push(format!("dependency descriptor: {error}")),
        }
        let parsed = match DependencyDescriptor::parse(value, &self.structure) {
            Ok(parsed) => parsed,
            Err(error) => return faults.push(format!("dependency descriptor: {error}")),
        };
        let content = first.content;
        let layer = parsed.layer.map(|layer| (layer.spatial, layer.temporal));
        if layer != Some((content.spatial, content.temporal)) {
            faults.push(format!("the descriptor says layer {layer:?} of {content:?}"));
        }
        let diffs: Vec<u16> = content.refs.iter().copied().filter(|diff| *diff > 0).collect();
        if parsed.fdiffs() != diffs {
            faults.push(format!("the descriptor refers {:?} back: {content:?}", parsed.fdiffs()));
        }
        self.active = parsed.active_decode_targets.or(self.active);
        let active = self.active.unwrap_or(0);
        if active == 0 || active & !self.structure.all_targets() != 0 {
            faults.push(format!("active decode targets {active:b}"));
        }
        let needed = (0..self.structure.decode_target_count())
            .filter(|target| active >> target & 1 == 1)
            .any(|target| parsed.dti(target).is_some_and(|dti| dti != Dti::NotPresent));
        if !needed {
            faults.push(format!("no active decode target of {active:b} needs {content:?}"));
        }
    }

    /// The highest spatial layer of the active decode targets.
    fn promised(&self) -> Option<u8> {
        let active = self.active?;
        (0..self.structure.decode_target_count())
            .filter(|target| active >> target & 1 == 1)
            .filter_map(|target| self.structure.target_layer(target))
            .map(|layer| layer.spatial)
            .max()
    }
}

fn number(packet: &Packet) -> Option<u16> {
    let value = packet.descriptor.as_deref()?;
    Some(u16::from_be_bytes([*value.get(1)?, *value.get(2)?]))
}

impl Slot {
    pub(super) fn use_packet(&mut self, now: Instant, seq: u64, packet: Packet) {
        let content = packet.content;
        if packet.padding {
            // libwebrtc's packet buffer takes padding between frames only.
            if let Some(first) = self.parts.first() {
                self.fault(format!("packet {seq}: padding within {:?}", first.content));
            }
            return;
        }
        if content.part == 0 && content.key && !self.parts.is_empty() {
            // A switch in the middle of a frame: a decoder begins anew.
            self.counters.cut += 1;
            if let Some(cut) = self.parts.first() {
                self.decoder.cut(cut);
            }
            self.parts.clear();
        }
        if usize::from(content.part) != self.parts.len()
            || self.parts.first().is_some_and(|first| {
                (first.timestamp, first.content.frame, first.content.source, first.content.layer)
                    != (packet.timestamp, content.frame, content.source, content.layer)
            })
        {
            self.fault(format!(
                "packet {seq}: torn frame, {content:?} after {} parts",
                self.parts.len()
            ));
            self.parts.clear();
            return;
        }
        let complete = content.part + 1 == content.parts;
        let marker = packet.marker;
        if marker && !complete {
            self.fault(format!("packet {seq}: marker within {content:?}"));
        }
        self.parts.push(packet);
        if complete {
            let parts = std::mem::take(&mut self.parts);
            if let Some(first) = parts.first() {
                self.use_frame(now, seq, first, marker);
            }
        }
    }

    fn use_frame(&mut self, now: Instant, seq: u64, first: &Packet, marker: bool) {
        let content = first.content;
        if let (Some(last), Some(promised)) = (self.decoder.last, self.decoder.promised())
            && !content.key
            && last.content.picture != content.picture
            && last.content.spatial < promised
        {
            self.counters.broken_promises += 1;
        }
        let checks = (self.counters.skips == 0, self.counters.nacked == 0);
        for fault in self.decoder.take(first, marker, checks) {
            self.fault(format!("packet {seq}: {content:?}: {fault}"));
        }
        self.push(now, &content, first.timestamp);
    }

    pub(super) fn push(&mut self, at: Instant, content: &Content, timestamp: u32) {
        let rate = match self.kind {
            MediaKind::Audio => 48_000,
            MediaKind::Video => 90_000,
        };
        let ntp = self.last_sr.map(|(ntp, rtp, _)| {
            let ticks = i128::from(timestamp.wrapping_sub(rtp).cast_signed());
            ntp.wrapping_add_signed(((ticks << 32) / rate) as i64)
        });
        self.frames.push(Frame {
            at,
            source: content.source,
            layer: content.layer,
            number: content.frame,
            key: content.key,
            picture: content.picture,
            spatial: content.spatial,
            temporal: content.temporal,
            resolution: content.resolution,
            timestamp,
            created_us: content.created_us,
            ntp,
        });
    }
}
