//! Bounded readers: every parser here goes through them.

use crate::ParseError;

/// Reads big-endian fields from the front of a slice.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    /// Offset of the next byte.
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], ParseError> {
        let end = self.pos.saturating_add(len);
        let taken = self.bytes.get(self.pos..end).ok_or(ParseError::new(what, self.pos))?;
        self.pos = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], ParseError> {
        let at = self.pos;
        self.take(N, what)?.try_into().map_err(|_| ParseError::new(what, at))
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, ParseError> {
        self.array::<1>(what).map(|[b]| b)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, ParseError> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, ParseError> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, ParseError> {
        self.array(what).map(u64::from_be_bytes)
    }
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_be_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

/// Overwrites `bytes[at..]` with `value`; false when it does not fit (nothing is changed then).
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> bool {
    match bytes.get_mut(at..at.saturating_add(value.len())) {
        Some(place) => {
            place.copy_from_slice(value);
            true
        }
        None => false,
    }
}

/// Reads fields of some bits, most significant bit first.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    bit: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, bit: 0 }
    }

    /// Offset of the byte that holds the next bit.
    pub(crate) fn byte_pos(&self) -> usize {
        self.bit / 8
    }

    /// Offset of the next bit.
    pub(crate) fn bit_pos(&self) -> usize {
        self.bit
    }

    /// Bits that were not read yet.
    pub(crate) fn bits_left(&self) -> usize {
        self.bytes.len().saturating_mul(8).saturating_sub(self.bit)
    }

    /// Passes over `bits` bits.
    pub(crate) fn skip(&mut self, bits: usize) {
        self.bit = self.bit.saturating_add(bits);
    }

    pub(crate) fn flag(&mut self, what: &'static str) -> Result<bool, ParseError> {
        let byte = self.bytes.get(self.bit / 8).ok_or(ParseError::new(what, self.byte_pos()))?;
        let mask = 0x80_u8 >> (self.bit % 8);
        self.bit = self.bit.saturating_add(1);
        Ok(byte & mask != 0)
    }

    /// `count` bits, at most 32.
    pub(crate) fn bits(&mut self, count: u32, what: &'static str) -> Result<u32, ParseError> {
        let mut value = 0_u32;
        for _ in 0..count.min(32) {
            value = value << 1 | u32::from(self.flag(what)?);
        }
        Ok(value)
    }

    /// A field of at most 8 bits.
    pub(crate) fn small(&mut self, count: u32, what: &'static str) -> Result<u8, ParseError> {
        self.bits(count.min(8), what).map(|v| v.to_be_bytes()[3])
    }

    /// A value below `n` in the non-symmetric form of AV1 4.10.7.
    pub(crate) fn non_symmetric(&mut self, n: u32, what: &'static str) -> Result<u32, ParseError> {
        if n <= 1 {
            return Ok(0);
        }
        let w = n.ilog2().saturating_add(1);
        let m = 1_u32.checked_shl(w).unwrap_or(u32::MAX).saturating_sub(n);
        let v = self.bits(w.saturating_sub(1), what)?;
        if v < m {
            return Ok(v);
        }
        let extra = u32::from(self.flag(what)?);
        Ok((v << 1).saturating_sub(m).saturating_add(extra))
    }
}
