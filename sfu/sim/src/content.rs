//! Synthetic media whose content tells what it is: payloads look like their codec's to a forwarder
//! and end in a trailer with the frame's number, its references and a checksum.

pub mod dd;
pub mod shape;
mod start;

use shape::{Place, REFS};
pub use start::{RED_START, picture_id, tl0_pic_idx};
use start::{av1_start, h264_start, vp8_start, vp9_start};
use weir_sfu_api::CodecKind;

/// Bytes of the trailer.
const TRAILER: usize = 48;
/// The shortest body.
pub const MIN_BODY: usize = TRAILER + 1;
/// Keeps a H264 slice header's first bit set: first_mb_in_slice is 0.
const BODY_START: u8 = 0x80;

/// What one packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    /// Who made it.
    pub source: u32,
    /// Simulcast layer, 0 without.
    pub layer: u8,
    /// Frame number of the layer, without gaps.
    pub frame: u32,
    /// Picture number of the layer, without gaps: frames of spatial layers share it.
    pub picture: u32,
    /// Spatial layer.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// How far back the frames are that it refers to, 0 for none.
    pub refs: [u16; REFS],
    /// Pixels.
    pub resolution: (u16, u16),
    /// Position in the frame.
    pub part: u16,
    /// Packets of the frame.
    pub parts: u16,
    /// Belongs to a frame that needs no other.
    pub key: bool,
    /// When it was made, in microseconds of virtual time.
    pub created_us: u64,
}

/// Numbers of a frame that its codec writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameIds {
    /// VP8 and VP9, 15 bits.
    pub picture_id: u16,
    /// VP8 and VP9.
    pub tl0_pic_idx: u8,
    /// VP8, 5 bits.
    pub key_idx: u8,
    /// Where the frame stands.
    pub place: Place,
    /// VP9: the descriptor lists references.
    pub flexible: bool,
    /// Pixels by spatial layer.
    pub resolutions: [(u16, u16); 3],
    /// All behind the payload descriptor looks random.
    pub encrypted: bool,
}

fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(23);
    let sum =
        words.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| step(sum, u64::from_be_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}

/// What stands in for encryption: random to whoever does not know, the same for each frame.
fn encrypt(bytes: &mut [u8]) {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for byte in bytes.iter_mut().rev() {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        *byte ^= (state >> 56) as u8;
    }
}

impl Content {
    /// `len` bytes, at least [`MIN_BODY`], that [`Self::read`] understands.
    fn body(&self, len: usize) -> Vec<u8> {
        let len = len.max(MIN_BODY);
        let mut body = Vec::with_capacity(len);
        body.push(BODY_START);
        let salt = self.frame.wrapping_mul(31).wrapping_add(u32::from(self.part)) as u8;
        body.extend((1..len - TRAILER).map(|n| salt.wrapping_add(n as u8)));
        body.extend((len as u16).to_be_bytes());
        body.extend(self.source.to_be_bytes());
        let place = self.spatial << 4 | self.temporal << 1 | u8::from(self.key);
        body.extend([self.layer, place]);
        body.extend(self.frame.to_be_bytes());
        body.extend(self.picture.to_be_bytes());
        body.extend(self.refs.iter().flat_map(|diff| diff.to_be_bytes()));
        body.extend(self.resolution.0.to_be_bytes());
        body.extend(self.resolution.1.to_be_bytes());
        body.extend(self.part.to_be_bytes());
        body.extend(self.parts.to_be_bytes());
        body.extend(self.created_us.to_be_bytes());
        body.resize(len - 8, 0);
        body.extend(checksum(&body).to_be_bytes());
        body
    }

    /// Reads the end of a payload; `None` when a byte of the body changed.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        Self::read_plain(payload).or_else(|| {
            let mut plain = payload.to_vec();
            encrypt(&mut plain);
            Self::read_plain(&plain)
        })
    }

    fn read_plain(payload: &[u8]) -> Option<Self> {
        let trailer = payload.last_chunk::<TRAILER>()?;
        let number = |from: usize, to: usize| {
            trailer[from..to].iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte))
        };
        let start = payload.len().checked_sub(number(0, 2) as usize)?;
        let body = &payload[start..];
        if body.first() != Some(&BODY_START)
            || checksum(body.get(..body.len() - 8)?) != number(40, 48)
        {
            return None;
        }
        let place = number(7, 8) as u8;
        Some(Self {
            source: number(2, 6) as u32,
            layer: number(6, 7) as u8,
            spatial: place >> 4,
            temporal: place >> 1 & 7,
            key: place & 1 != 0,
            frame: number(8, 12) as u32,
            picture: number(12, 16) as u32,
            refs: [number(16, 18) as u16, number(18, 20) as u16],
            resolution: (number(20, 22) as u16, number(22, 24) as u16),
            part: number(24, 26) as u16,
            parts: number(26, 28) as u16,
            created_us: number(28, 36),
        })
    }

    /// A payload of `codec` of about `len` bytes.
    #[must_use]
    pub fn payload(&self, codec: CodecKind, ids: &FrameIds, len: usize) -> Vec<u8> {
        let first = self.part == 0;
        let last = self.part + 1 == self.parts;
        // What follows the descriptor and looks like the codec's own data.
        let (mut out, mut data) = match codec {
            CodecKind::Opus => (Vec::new(), Vec::new()),
            CodecKind::Red => (RED_START.to_vec(), Vec::new()),
            CodecKind::Vp8 => vp8_start(ids, first),
            CodecKind::Vp9 => (vp9_start(ids, self, first, last), Vec::new()),
            CodecKind::H264 => (h264_start(first, self.key, len), Vec::new()),
            CodecKind::Av1 => (av1_start(ids, first), Vec::new()),
        };
        let left = len.saturating_sub(out.len() + data.len());
        data.extend(self.body(left));
        if ids.encrypted {
            encrypt(&mut data);
        }
        out.extend(data);
        out
    }
}

#[cfg(test)]
mod tests;
