//! Changing a descriptor for another receiver.

use super::{MANDATORY_LEN, TemplateStructure, read_head};
use crate::read::BitReader;

/// Copies the descriptor in `value` to `out` with another frame number and, where `active` is given,
/// with that active-decode-targets bitmask in place of its own, if it had one. `targets` is the
/// number of decode targets (1 to 32) of the structure the descriptor refers to. All else is copied
/// bit by bit. Returns the length, at most 5 bytes more than before; `None` when the descriptor cannot
/// be read or `out` is too short (it is then partly overwritten).
pub fn rewrite(
    value: &[u8],
    frame_number: u16,
    active: Option<u32>,
    targets: u8,
    out: &mut [u8],
) -> Option<usize> {
    let Some(active) = active.filter(|_| (1..=32).contains(&targets)) else {
        let copy = out.get_mut(..value.len())?;
        copy.copy_from_slice(value);
        copy.get_mut(1..MANDATORY_LEN)?.copy_from_slice(&frame_number.to_be_bytes());
        return Some(value.len());
    };
    let mut r = BitReader::new(value);
    let head = read_head(&mut r, value.len()).ok()?;
    let targets = u32::from(targets);
    let mut w = BitWriter { out, bit: 0 };
    w.put(8, u32::from(*value.first()?))?;
    w.put(16, u32::from(frame_number))?;
    w.put(1, u32::from(head.structure))?;
    w.put(1, 1)?;
    for flag in [head.custom_dtis, head.custom_fdiffs, head.custom_chains] {
        w.put(1, u32::from(flag))?;
    }
    if head.structure {
        let start = r.bit_pos();
        TemplateStructure::default().read(&mut r).ok()?;
        let mut structure = BitReader::new(value);
        structure.skip(start);
        w.copy(&mut structure, r.bit_pos().checked_sub(start)?)?;
    }
    if head.active_targets {
        r.bits(targets, "active decode targets").ok()?;
    }
    w.put(targets, active)?;
    // Without a structure, flags or custom fields nothing follows but padding.
    if head.custom_dtis || head.custom_fdiffs || head.custom_chains {
        let rest = r.bits_left();
        w.copy(&mut r, rest)?;
    }
    w.finish()
}

/// Writes fields of some bits, most significant bit first.
struct BitWriter<'a> {
    out: &'a mut [u8],
    bit: usize,
}

impl BitWriter<'_> {
    /// The lower `count` bits of `value`, at most 32.
    fn put(&mut self, count: u32, value: u32) -> Option<()> {
        for shift in (0..count.min(32)).rev() {
            let byte = self.out.get_mut(self.bit / 8)?;
            let mask = 0x80_u8 >> (self.bit % 8);
            if value.checked_shr(shift)? & 1 == 1 {
                *byte |= mask;
            } else {
                *byte &= !mask;
            }
            self.bit = self.bit.saturating_add(1);
        }
        Some(())
    }

    fn copy(&mut self, from: &mut BitReader<'_>, mut bits: usize) -> Option<()> {
        while bits > 0 {
            let part = u32::try_from(bits.min(32)).ok()?;
            self.put(part, from.bits(part, "dependency descriptor").ok()?)?;
            bits = bits.saturating_sub(part as usize);
        }
        Some(())
    }

    /// Fills the last byte with zeros; gives the bytes written.
    fn finish(mut self) -> Option<usize> {
        while !self.bit.is_multiple_of(8) {
            self.put(1, 0)?;
        }
        Some(self.bit / 8)
    }
}
