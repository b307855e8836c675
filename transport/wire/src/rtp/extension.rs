//! Reading header extensions (RFC 8285).

use std::ops::Range;

/// `defined by profile` of the one-byte form (RFC 8285 section 4.2).
pub const ONE_BYTE_PROFILE: u16 = 0xbede;
/// `defined by profile` of the two-byte form with appbits 0 (RFC 8285 section 4.3).
pub const TWO_BYTE_PROFILE: u16 = 0x1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    OneByte,
    TwoByte,
    Unknown,
}

/// Iterator over (id, value). An element that does not fit ends it.
#[derive(Debug, Clone)]
pub struct Extensions<'a> {
    packet: &'a [u8],
    pos: usize,
    end: usize,
    form: Form,
}

impl<'a> Extensions<'a> {
    pub(super) fn new(packet: &'a [u8], profile: u16, range: Range<usize>) -> Self {
        let form = match profile {
            ONE_BYTE_PROFILE => Form::OneByte,
            0x1000..=0x100f => Form::TwoByte,
            _ => Form::Unknown,
        };
        Self { packet, pos: range.start, end: range.end.min(packet.len()), form }
    }

    pub(super) fn none() -> Self {
        Self { packet: &[], pos: 0, end: 0, form: Form::Unknown }
    }

    /// The same elements as (id, range from the start of the packet).
    pub fn ranges(mut self) -> impl Iterator<Item = (u8, Range<usize>)> + use<'a> {
        std::iter::from_fn(move || self.next_range())
    }

    fn byte(&mut self) -> Option<u8> {
        if self.pos >= self.end {
            return None;
        }
        let byte = self.packet.get(self.pos).copied();
        self.pos = self.pos.saturating_add(1);
        byte
    }

    fn next_range(&mut self) -> Option<(u8, Range<usize>)> {
        loop {
            let first = self.byte()?;
            if first == 0 {
                // Padding. In the two-byte form an id of 0 is a single byte, too.
                continue;
            }
            let (id, len) = match self.form {
                Form::OneByte => (first >> 4, usize::from(first & 0x0f).saturating_add(1)),
                Form::TwoByte => (first, usize::from(self.byte()?)),
                Form::Unknown => (0, 0),
            };
            let start = self.pos;
            let end = start.saturating_add(len);
            // Id 15 stops the one-byte form; so does id 0 with a length (RFC 8285 section 4.2).
            let stop = id == 0 || (self.form == Form::OneByte && id == 15);
            if stop || end > self.end {
                self.pos = self.end;
                return None;
            }
            self.pos = end;
            return Some((id, start..end));
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, range) = self.next_range()?;
        Some((id, self.packet.get(range)?))
    }
}
