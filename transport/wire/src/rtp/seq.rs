//! Sequence numbers and timestamps without their wrap-around.

/// Whether `a` is newer than `b`, half the number space ahead at most (RFC 1982).
#[must_use]
pub fn newer_u16(a: u16, b: u16) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 0x8000
}

/// Whether the timestamp `a` is newer than `b`.
#[must_use]
pub fn newer_u32(a: u32, b: u32) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead != 0 && ahead < 0x8000_0000
}

/// Extends 16-bit sequence numbers to 64 bits. A number is taken as the one nearest to the
/// highest seen, so reordering by up to 32,768 is understood.
///
/// The first number `v` becomes `65536 + v`, so that older ones stay positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeqUnwrapper {
    highest: Option<u64>,
}

impl SeqUnwrapper {
    /// Extends `value` and remembers it when it is the highest so far.
    pub fn unwrap(&mut self, value: u16) -> u64 {
        let extended = self.peek(value);
        self.highest = Some(self.highest.map_or(extended, |h| h.max(extended)));
        extended
    }

    /// Extends `value` without remembering it.
    #[must_use]
    pub fn peek(&self, value: u16) -> u64 {
        let Some(highest) = self.highest else {
            return u64::from(value) | 0x1_0000;
        };
        let [.., h, l] = highest.to_be_bytes();
        let ahead = value.wrapping_sub(u16::from_be_bytes([h, l])).cast_signed();
        highest.saturating_add_signed(i64::from(ahead))
    }

    /// The highest extended number so far.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

/// Extends 32-bit timestamps to 64 bits in the same way; the first one becomes `2^32 + v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TsUnwrapper {
    highest: Option<u64>,
}

impl TsUnwrapper {
    /// Extends `value` and remembers it when it is the highest so far.
    pub fn unwrap(&mut self, value: u32) -> u64 {
        let extended = self.peek(value);
        self.highest = Some(self.highest.map_or(extended, |h| h.max(extended)));
        extended
    }

    /// Extends `value` without remembering it.
    #[must_use]
    pub fn peek(&self, value: u32) -> u64 {
        let Some(highest) = self.highest else {
            return u64::from(value) | 0x1_0000_0000;
        };
        let [.., a, b, c, d] = highest.to_be_bytes();
        let ahead = value.wrapping_sub(u32::from_be_bytes([a, b, c, d])).cast_signed();
        highest.saturating_add_signed(i64::from(ahead))
    }

    /// The highest extended timestamp so far.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}
