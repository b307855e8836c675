//! Dependency descriptors (AOM "RTP Payload Format For AV1" appendix A) of streams with temporal layers, as Chromium
//! writes them.

use super::Frame;
use super::pattern::{back, period, temporal};

/// Template ids begin here.
const OFFSET: u32 = 0;

#[derive(Default)]
pub(super) struct Bits {
    pub(super) bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    pub(super) fn put(&mut self, count: u32, value: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
        self
    }

    /// AV1's ns(n): `value` below `n`.
    fn non_symmetric(&mut self, n: u32, value: u32) {
        let width = n.ilog2() + 1;
        let short = (1 << width) - n;
        if value < short {
            self.put(width - 1, value);
        } else {
            self.put(width, value + short);
        }
    }
}

/// Phase and key: by temporal layer.
fn templates(layers: u8) -> Vec<(u8, bool)> {
    let mut all = Vec::new();
    for layer in 0..layers {
        for phase in (0..period(layers)).filter(|phase| temporal(layers, *phase) == layer) {
            all.push((phase, false));
            if phase == 0 {
                all.push((0, true));
            }
        }
    }
    all
}

/// Not present, discardable, switch, required: 0 to 3.
fn indication(layers: u8, phase: u8, target: u8) -> u32 {
    match temporal(layers, phase) {
        layer if layer > target => 0,
        0 => 2,
        layer if layer == target => 1,
        _ => 2,
    }
}

fn structure(out: &mut Bits, layers: u8, (width, height): (u16, u16)) {
    let all = templates(layers);
    out.put(6, OFFSET).put(5, u32::from(layers) - 1);
    for pair in all.windows(2) {
        let next = temporal(layers, pair[1].0) > temporal(layers, pair[0].0);
        out.put(2, u32::from(next));
    }
    out.put(2, 3);
    for (phase, _) in &all {
        for target in 0..layers {
            out.put(2, indication(layers, *phase, target));
        }
    }
    for (phase, key) in &all {
        if !key {
            out.put(1, 1).put(4, u32::from(back(layers, *phase)) - 1);
        }
        out.put(1, 0);
    }
    // One chain: the base layer. All targets rest on it.
    out.non_symmetric(u32::from(layers) + 1, 1);
    for _ in 0..layers {
        out.non_symmetric(1, 0);
    }
    for (phase, key) in &all {
        let distance = match (*phase, key) {
            (0, true) => 0,
            (0, false) => period(layers),
            (phase, _) => phase,
        };
        out.put(4, u32::from(distance));
    }
    out.put(1, 1);
    out.put(16, u32::from(width.max(1)) - 1).put(16, u32::from(height.max(1)) - 1);
}

/// The extension's value for a packet of a frame.
pub(crate) fn write(frame: &Frame, layers: u8, size: (u16, u16), part: u16) -> Vec<u8> {
    let all = templates(layers);
    let index = all.iter().position(|place| *place == (frame.phase, frame.key)).unwrap_or(0);
    let mut out = Bits::default();
    let first = part == 0;
    out.put(1, first.into()).put(1, (part + 1 == frame.parts).into());
    out.put(6, OFFSET + index as u32).put(16, frame.number & 0xffff);
    if frame.key && first {
        // A structure, and nothing of the frame's own.
        out.put(5, 0b10000);
        structure(&mut out, layers, size);
    }
    out.bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_wire::dd::{DependencyDescriptor, TemplateStructure};

    #[test]
    fn the_parser_reads_what_is_written() {
        for layers in 1..=3 {
            let mut known = TemplateStructure::default();
            for number in 0..9_u32 {
                let phase = (number % u32::from(period(layers))) as u8;
                let key = number == 0;
                let frame = Frame { key, phase, number, parts: 2, ..Frame::default() };
                for part in 0..2 {
                    let value = write(&frame, layers, (640, 360), part);
                    if let Some(new) = TemplateStructure::parse(&value).unwrap() {
                        known = new;
                    }
                    let read = DependencyDescriptor::parse(&value, &known).unwrap();
                    assert_eq!((read.start_of_frame, read.end_of_frame), (part == 0, part == 1));
                    assert_eq!(read.key_frame(), key && part == 0);
                    assert_eq!(read.layer.unwrap().temporal, temporal(layers, phase));
                    assert_eq!(read.frame_number, number as u16);
                    let expected = if key { vec![] } else { vec![u16::from(back(layers, phase))] };
                    assert_eq!(read.fdiffs(), expected, "{layers} {number}");
                }
            }
            assert_eq!(known.decode_target_count(), layers);
        }
    }
}
