//! How synthetic payloads begin: descriptor and frame header, true to the codec as far as forwarders read them.

use super::dd::Bits;
use super::pattern::{back, period, sync, temporal, unreferenced};
use super::{Frame, Shape};
use crate::plan::Codec;

/// Appends the beginning of a packet's payload. Gives where the part begins that no forwarder changes.
pub(crate) fn write(shape: &Shape, frame: &Frame, part: u16, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    match shape.codec {
        Codec::Opus => {
            // CELT, 20 ms, stereo, one frame.
            out.push(0xfc);
            start
        }
        Codec::Vp8 => {
            vp8_descriptor(shape, frame, part, out);
            let start = out.len();
            if part == 0 {
                vp8_header(shape, frame, out);
            }
            start
        }
        Codec::Vp9 => {
            vp9_descriptor(shape, frame, part, out);
            let start = out.len();
            if part == 0 {
                // Frame marker, profile 0, shown; key frames go on with the sync code (VP9 specification 6.2).
                out.push(if frame.key { 0x82 } else { 0x86 });
                if frame.key {
                    out.extend_from_slice(&[0x49, 0x83, 0x42]);
                }
            }
            start
        }
        Codec::H264 => {
            h264(shape, frame, part, out);
            start
        }
        Codec::Av1 => {
            av1(shape, frame, part, out);
            start
        }
    }
}

/// RFC 7741 4.2: X, then I, L, T and K with a picture id of 15 bits.
pub(crate) fn vp8_descriptor(shape: &Shape, frame: &Frame, part: u16, out: &mut Vec<u8>) {
    let [high, low] = (frame.picture_id & 0x7fff).to_be_bytes();
    let layers = shape.temporal_layers;
    let discardable = u8::from(unreferenced(layers, frame.phase)) << 5;
    let layer = temporal(layers, frame.phase) << 6 | u8::from(sync(layers, frame.phase)) << 5;
    let first = u8::from(part == 0) << 4;
    out.extend_from_slice(&[0x80 | discardable | first, 0xf0, 0x80 | high, low]);
    out.extend_from_slice(&[frame.tl0, layer | frame.key_idx & 0x1f]);
}

/// RFC 6386 9.1: frame tag with the size of the first partition; in key frames start code and size.
fn vp8_header(shape: &Shape, frame: &Frame, out: &mut Vec<u8>) {
    let partition = (frame.bytes / 2).min(0x7_ffff);
    let tag = u32::from(!frame.key) | 1 << 4 | partition << 5;
    out.extend_from_slice(&tag.to_le_bytes()[..3]);
    if frame.key {
        out.extend_from_slice(&[0x9d, 0x01, 0x2a]);
        out.extend_from_slice(&shape.width.to_le_bytes());
        out.extend_from_slice(&shape.height.to_le_bytes());
    }
}

/// RFC 9628 4.2, non-flexible: picture id, layer indices where there are layers, a structure in key frames.
pub(crate) fn vp9_descriptor(shape: &Shape, frame: &Frame, part: u16, out: &mut Vec<u8>) {
    let [high, low] = (frame.picture_id & 0x7fff).to_be_bytes();
    let layers = shape.temporal_layers;
    let (first, last) = (part == 0, part + 1 == frame.parts);
    let structure = frame.key && first;
    let bits = [
        (true, 0x80),
        (!frame.key, 0x40),
        (layers > 1, 0x20),
        (first, 0x08),
        (last, 0x04),
        (structure, 0x02),
        (layers > 1, 0x01),
    ];
    let head = bits.iter().filter(|(set, _)| *set).fold(0, |head, (_, bit)| head | bit);
    out.extend_from_slice(&[head, 0x80 | high, low]);
    if layers > 1 {
        out.extend_from_slice(&[temporal(layers, frame.phase) << 5 | 1 << 4, frame.tl0]);
    }
    if structure {
        out.push(0x10 | u8::from(layers > 1) << 3);
        out.extend_from_slice(&shape.width.to_be_bytes());
        out.extend_from_slice(&shape.height.to_be_bytes());
        if layers > 1 {
            out.push(period(layers));
            for phase in 0..period(layers) {
                out.extend_from_slice(&[
                    temporal(layers, phase) << 5 | 1 << 4 | 1 << 2,
                    back(layers, phase),
                ]);
            }
        }
    }
}

const IDR: u8 = 0x65;
const SLICE: u8 = 0x41;
const SEI: u8 = 0x06;

/// RFC 6184, mode 1: a key frame begins with a STAP-A of parameter sets and a SEI message; slices are single NAL units or
/// FU-A fragments. The byte after a slice's header has its first bit set: first_mb_in_slice is 0.
fn h264(shape: &Shape, frame: &Frame, part: u16, out: &mut Vec<u8>) {
    let (nal, at, count) = match (frame.key, part) {
        (true, 0) => {
            let begin = out.len();
            let sps = sps(shape.width, shape.height);
            out.push(0x78);
            out.extend_from_slice(&(sps.len() as u16).to_be_bytes());
            out.extend_from_slice(&sps);
            out.extend_from_slice(&[0, 4, 0x68, 0xce, 0x3c, 0x80]);
            // All that is left.
            let sei = part_len(frame, part).saturating_sub(out.len() - begin + 2);
            out.extend_from_slice(&(sei as u16).to_be_bytes());
            out.push(SEI);
            return;
        }
        (true, part) => (IDR, part - 1, frame.parts - 1),
        (false, part) => (SLICE, part, frame.parts),
    };
    if count == 1 {
        out.push(nal);
    } else {
        let start = u8::from(at == 0) << 7;
        let end = u8::from(at + 1 == count) << 6;
        out.extend_from_slice(&[nal & 0x60 | 28, start | end | nal & 0x1f]);
    }
    if at == 0 {
        out.push(0x88);
    }
}

/// A sequence parameter set, constrained baseline, level 3.1 (H.264 7.3.2.1.1).
fn sps(width: u16, height: u16) -> Vec<u8> {
    let mut bits = Bits::default();
    let golomb = |bits: &mut Bits, value: u32| {
        let len = (value + 1).ilog2();
        bits.put(len, 0).put(len + 1, value + 1);
    };
    let (columns, rows) =
        (u32::from(width.max(16)).div_ceil(16), u32::from(height.max(16)).div_ceil(16));
    let crop = (
        (columns * 16 - u32::from(width.max(16))) / 2,
        (rows * 16 - u32::from(height.max(16))) / 2,
    );
    bits.put(8, 0x67).put(8, 66).put(8, 0xe0).put(8, 31);
    // Id, log2_max_frame_num - 4, pic_order_cnt_type 2, one reference frame, no gaps.
    for value in [0, 0, 2, 1] {
        golomb(&mut bits, value);
    }
    bits.put(1, 0);
    golomb(&mut bits, columns - 1);
    golomb(&mut bits, rows - 1);
    // Frames only, direct_8x8, cropped.
    bits.put(3, 0b111);
    for value in [0, crop.0, 0, crop.1] {
        golomb(&mut bits, value);
    }
    // No VUI; the stop bit.
    bits.put(2, 0b01);
    bits.bytes
}

/// Aggregation header, and the OBU that begins or goes on: one for the frame, in key frames a sequence header before.
fn av1(shape: &Shape, frame: &Frame, part: u16, out: &mut Vec<u8>) {
    let goes_on = u8::from(part + 1 < frame.parts) << 6;
    let layers = shape.temporal_layers;
    match (part, frame.key) {
        (0, true) => out.extend_from_slice(&[goes_on | 0x28, 2, 0x08, 0x00]),
        (0, false) => out.push(goes_on | 0x10),
        _ => return out.push(goes_on | 0x90),
    }
    if layers > 1 {
        out.extend_from_slice(&[0x34, temporal(layers, frame.phase) << 5]);
    } else {
        out.push(0x30);
    }
}

/// Bytes of a packet's payload: all equal, the last one shorter.
pub(crate) fn part_len(frame: &Frame, part: u16) -> usize {
    let (bytes, parts) = (frame.bytes as usize, usize::from(frame.parts.max(1)));
    let each = bytes.div_ceil(parts);
    if part + 1 < frame.parts { each } else { bytes - each * (parts - 1) }
}
