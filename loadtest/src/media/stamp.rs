//! What synthetic payloads say of themselves, at their end: who sent them when, as which of how many.
//!
//! A forwarder may write another payload descriptor (VP8 and VP9 picture ids), other header extensions and padding.
//! The checksum covers what it leaves alone: everything behind the descriptor.

/// Bytes of a stamp.
pub const STAMP: usize = 38;
const MAGIC: [u8; 4] = *b"WLs1";

/// One packet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Publisher and track.
    pub source: u32,
    /// Simulcast layer, 0 without.
    pub layer: u8,
    /// Temporal layer, 0 to 2.
    pub temporal: u8,
    /// Temporal layers of the stream, 1 to 3.
    pub temporal_layers: u8,
    /// Belongs to a key frame.
    pub key: bool,
    /// Lines.
    pub height: u16,
    /// Number of the packet in its layer.
    pub number: u32,
    /// Number of the packet in its temporal layer of its layer.
    pub number_in_temporal: u32,
    /// Number of the frame in its layer.
    pub frame: u32,
    /// Microseconds since 1970.
    pub sent_us: u64,
}

impl Stamp {
    /// Ends a payload whose checked part begins at `start`.
    pub fn write(&self, out: &mut Vec<u8>, start: usize) {
        let covered = out.len() - start + STAMP;
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&(covered as u16).to_be_bytes());
        out.extend_from_slice(&self.source.to_be_bytes());
        let flags = self.temporal | self.temporal_layers << 2 | u8::from(self.key) << 4;
        out.extend_from_slice(&[self.layer, flags]);
        out.extend_from_slice(&self.height.to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.number_in_temporal.to_be_bytes());
        out.extend_from_slice(&self.frame.to_be_bytes());
        out.extend_from_slice(&self.sent_us.to_be_bytes());
        let sum = checksum(&out[start..]);
        out.extend_from_slice(&sum.to_be_bytes());
    }

    /// Reads a payload's end. `Ok(None)`: not one of ours.
    ///
    /// # Errors
    /// One of ours, and not as it was.
    pub fn read(payload: &[u8]) -> Result<Option<Self>, Damaged> {
        let Some(end) = payload.last_chunk::<STAMP>() else { return Ok(None) };
        if end[..4] != MAGIC {
            return Ok(None);
        }
        let number = |from: usize, len: usize| {
            end[from..from + len].iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte))
        };
        let covered = payload.len().checked_sub(number(4, 2) as usize).ok_or(Damaged)?;
        let checked = payload.get(covered..payload.len() - 4).ok_or(Damaged)?;
        if u64::from(checksum(checked)) != number(STAMP - 4, 4) {
            return Err(Damaged);
        }
        let flags = end[11];
        Ok(Some(Self {
            source: number(6, 4) as u32,
            layer: end[10],
            temporal: flags & 3,
            temporal_layers: flags >> 2 & 3,
            key: flags & 0x10 != 0,
            height: number(12, 2) as u16,
            number: number(14, 4) as u32,
            number_in_temporal: number(18, 4) as u32,
            frame: number(22, 4) as u32,
            sent_us: number(26, 8),
        }))
    }
}

/// A payload of ours that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// Of 8 bytes at a time; finds any single change.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let step =
        |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(29);
    let sum =
        words.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| step(sum, u64::from_le_bytes(*word)));
    let sum = rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)));
    (sum >> 32) as u32 ^ sum as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_written_and_each_changed_byte_is_found() {
        let stamp = Stamp {
            source: 7,
            layer: 2,
            temporal: 1,
            temporal_layers: 3,
            key: true,
            height: 720,
            number: 1 << 31,
            number_in_temporal: 9,
            frame: 5,
            sent_us: 1 << 50,
        };
        let mut payload = vec![0x90, 0x80, 1, 2, 3, 4, 5, 6, 7, 8];
        stamp.write(&mut payload, 4);
        assert_eq!(payload.len(), 10 + STAMP);
        assert_eq!(Stamp::read(&payload), Ok(Some(stamp)));
        for at in 0..payload.len() {
            let mut other = payload.clone();
            other[at] ^= 0x10;
            let read = Stamp::read(&other);
            match at {
                0..4 => assert_eq!(read, Ok(Some(stamp)), "the descriptor is not covered"),
                10..14 => assert_eq!(read, Ok(None), "magic"),
                _ => assert_eq!(read, Err(Damaged), "{at}"),
            }
        }
        assert_eq!(Stamp::read(&[1, 2]), Ok(None));
    }
}
