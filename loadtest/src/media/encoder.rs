//! One stream's encoder: how large its frames are, which are key frames, and what their packets hold.

use super::pattern::{period, share, temporal};
use super::recording::Recording;
use super::start::{part_len, write};
use super::{Frame, MAX_PAYLOAD, Media, STAMP, Shape, Stamp, dd};
use crate::plan::{Codec, TrackPlan};
use std::sync::Arc;
use std::time::Duration;

/// A key frame has this many times the bytes of the others, which pay for it.
const KEY_FACTOR: u64 = 4;
/// The shortest payload: a beginning (with parameter sets 40 bytes), and a stamp.
const MIN_PAYLOAD: u64 = 48 + STAMP as u64;

/// Bytes that look like nothing, none of them 0.
const FILLING: [u8; 4_096] = {
    let mut bytes = [0; 4_096];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut at = 0;
    while at < bytes.len() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[at] = (state >> 32) as u8 | 0x04;
        at += 1;
    }
    bytes
};

/// Makes one stream.
#[derive(Debug, Clone)]
pub struct Encoder {
    shape: Shape,
    recording: Option<Arc<Recording>>,
    source: u32,
    layer: u8,
    interval: Duration,
    bitrate_bps: u64,
    next: Frame,
    in_temporal: [u32; 3],
    /// Bytes that key frames took from the frames to come.
    debt: u64,
    key_idx: u8,
}

impl Encoder {
    /// Of a layer of a track. `source` is the publisher's and track's number in stamps.
    #[must_use]
    pub fn new(plan: &TrackPlan, layer: usize, media: &Media, source: u32) -> Self {
        let of = plan.layers.get(layer);
        let recording = match media {
            Media::Recorded(recording) => Some(recording.clone()),
            Media::Synthetic => None,
        };
        let recorded = recording.as_ref().and_then(|recording| recording.interval);
        let fps = of.map_or(30.0, |of| of.fps).clamp(0.1, 240.0);
        let interval = match plan.codec {
            Codec::Opus => Duration::from_millis(20),
            _ => recorded.unwrap_or_else(|| Duration::from_secs_f64(1.0 / fps)),
        };
        // A recording's frames refer to whichever they like.
        let layers =
            if recording.is_some() || plan.codec == Codec::Opus || plan.codec == Codec::H264 {
                1
            } else {
                plan.temporal_layers.clamp(1, 3)
            };
        Self {
            shape: Shape {
                codec: plan.codec,
                temporal_layers: layers,
                width: of.map_or(0, |of| of.width),
                height: of.map_or(0, |of| of.height),
            },
            recording,
            source,
            layer: layer as u8,
            interval,
            bitrate_bps: of.map_or(32_000, |of| of.bitrate_bps),
            next: Frame::default(),
            in_temporal: [0; 3],
            debt: 0,
            key_idx: 0,
        }
    }

    /// From frame to frame.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// In which codec.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.shape.codec
    }

    /// Whether key frames come when asked for: not from a recording.
    #[must_use]
    pub fn obeys(&self) -> bool {
        self.recording.is_none()
    }

    /// The next frame; a key frame when asked for, and the first one.
    pub fn frame(&mut self, key: bool) -> Frame {
        let video = self.shape.codec != Codec::Opus;
        let mut frame = self.next;
        frame.key = video && (key || frame.number == 0);
        if let Some(recording) = &self.recording {
            let sample = recording.sample(frame.number);
            frame.sample = sample.number;
            frame.key = video && sample.key;
            frame.parts = sample.parts;
        }
        if frame.key {
            frame.phase = 0;
            self.key_idx = (self.key_idx + 1) & 0x1f;
        }
        frame.key_idx = self.key_idx;
        let layer = temporal(self.shape.temporal_layers, frame.phase);
        if layer == 0 {
            frame.tl0 = frame.tl0.wrapping_add(1);
        }
        if self.recording.is_none() {
            self.size(&mut frame);
        }
        frame.first_in_temporal = self.in_temporal[usize::from(layer)];
        self.in_temporal[usize::from(layer)] += u32::from(frame.parts);
        self.next = Frame {
            number: frame.number.wrapping_add(1),
            picture_id: frame.picture_id.wrapping_add(1) & 0x7fff,
            tl0: frame.tl0,
            phase: (frame.phase + 1) % period(self.shape.temporal_layers),
            first_packet: frame.first_packet.wrapping_add(u32::from(frame.parts)),
            ..Frame::default()
        };
        frame
    }

    fn size(&mut self, frame: &mut Frame) {
        let layers = self.shape.temporal_layers;
        let mean = (self.bitrate_bps as f64 / 8.0 * self.interval.as_secs_f64()) as u64;
        let due = mean * u64::from(period(layers)) * share(layers, frame.phase) / 100;
        let bytes = if frame.key && frame.number > 0 {
            self.debt += due * (KEY_FACTOR - 1);
            due * KEY_FACTOR
        } else {
            let pays = self.debt.min(due / 5);
            self.debt -= pays;
            due - pays
        };
        // Sound is never cut (RFC 7587 4.2).
        let whole = self.shape.codec == Codec::Opus;
        let bytes = if whole { bytes.min(MAX_PAYLOAD as u64) } else { bytes };
        let two = self.shape.codec == Codec::H264 && frame.key;
        let parts = bytes.div_ceil(MAX_PAYLOAD as u64).max(if two { 2 } else { 1 });
        // Equal parts but for the last one, which must not be too short.
        let bytes = bytes.max(parts * (MIN_PAYLOAD + parts));
        frame.parts = parts.min(u64::from(u16::MAX)) as u16;
        frame.bytes = bytes as u32;
    }

    /// Appends the payload of a packet that leaves at `sent_us`.
    pub fn payload(&self, frame: &Frame, part: u16, sent_us: u64, out: &mut Vec<u8>) {
        if let Some(recording) = &self.recording {
            return recording.payload(&self.shape, frame, part, out);
        }
        let begin = out.len();
        let checked = write(&self.shape, frame, part, out);
        let number = frame.first_packet.wrapping_add(u32::from(part));
        let written = out.len() - begin + STAMP;
        let filling = part_len(frame, part).saturating_sub(written);
        let from = (number as usize).wrapping_mul(61) % (FILLING.len() - 2 * MAX_PAYLOAD);
        out.extend_from_slice(&FILLING[from..from + filling.min(2 * MAX_PAYLOAD)]);
        Stamp {
            source: self.source,
            layer: self.layer,
            temporal: temporal(self.shape.temporal_layers, frame.phase),
            temporal_layers: self.shape.temporal_layers,
            key: frame.key,
            height: self.shape.height,
            number,
            number_in_temporal: frame.first_in_temporal.wrapping_add(u32::from(part)),
            frame: frame.number,
            sent_us,
        }
        .write(out, checked);
    }

    /// The dependency descriptor of a packet; `None` where we have none to tell: of recordings and of sound.
    #[must_use]
    pub fn descriptor(&self, frame: &Frame, part: u16) -> Option<Vec<u8>> {
        if self.recording.is_some() || self.shape.codec == Codec::Opus {
            return None;
        }
        let size = (self.shape.width, self.shape.height);
        Some(dd::write(frame, self.shape.temporal_layers, size, part))
    }
}
