//! Frames that say who sent them and whether they arrived as they were sent.

use std::time::Instant;

const MAGIC: &[u8; 4] = b"WEIR";
const CHECKSUM_BYTES: usize = 8;

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Audio,
    Video,
}

/// What a frame says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sender: u32,
    /// Counts up from 0 for each source.
    pub(crate) number: u32,
    pub(crate) is_key: bool,
}

/// A frame that arrived whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) stamp: Stamp,
    pub(crate) at: Instant,
}

/// The size of a camera's picture.
pub(crate) const FULL: (u16, u16) = (1280, 720);

/// A VP8 frame as far as a forwarder looks into it: frame tag, and start code and size of a key
/// frame (RFC 6386 9.1). 100 to 4,000 bytes, so of one to four packets.
pub(crate) fn video(stamp: Stamp, (width, height): (u16, u16)) -> Vec<u8> {
    let filler = if stamp.is_key { 3_900 } else { 60 + (stamp.number as usize * 397) % 2_500 };
    // Shown, first partition of `filler` bytes; bit 0 is 0 in key frames.
    let tag = (filler as u32) << 5 | 1 << 4 | u32::from(!stamp.is_key);
    let mut frame = tag.to_le_bytes()[..3].to_vec();
    if stamp.is_key {
        frame.extend([0x9d, 0x01, 0x2a]);
        frame.extend(width.to_le_bytes());
        frame.extend(height.to_le_bytes());
    }
    content(frame, stamp, filler)
}

/// An Opus packet: one CELT frame of 20 ms (RFC 6716 3.1).
pub(crate) fn audio(stamp: Stamp) -> Vec<u8> {
    content(vec![31 << 3], stamp, 20 + (stamp.number as usize * 13) % 90)
}

fn content(mut frame: Vec<u8>, stamp: Stamp, filler: usize) -> Vec<u8> {
    frame.extend(MAGIC);
    frame.extend(stamp.sender.to_le_bytes());
    frame.extend(stamp.number.to_le_bytes());
    let mut state = u64::from(stamp.sender) << 32 | u64::from(stamp.number) | 1;
    for _ in 0..filler {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        frame.push(state.to_le_bytes()[3]);
    }
    let sum = checksum(&frame);
    frame.extend(sum.to_le_bytes());
    frame
}

/// Reads a frame, or says what is wrong with it.
pub(crate) fn read(kind: Kind, frame: &[u8]) -> Result<Stamp, String> {
    let bad = |what: &str| format!("{kind:?} of {} bytes: {what}", frame.len());
    let is_key = kind == Kind::Video && frame.first().is_some_and(|first| first & 1 == 0);
    let head = match (kind, is_key) {
        (Kind::Audio, _) => 1,
        (Kind::Video, true) => 10,
        (Kind::Video, false) => 3,
    };
    let (body, sum) = frame.split_at_checked(frame.len().saturating_sub(CHECKSUM_BYTES)).unwrap();
    if sum != checksum(body).to_le_bytes() {
        return Err(bad("wrong checksum"));
    }
    let number =
        |at: usize| body.get(at..at + 4).map(|b| u32::from_le_bytes(b.try_into().unwrap()));
    match (body.get(head..head + 4), number(head + 4), number(head + 8)) {
        (Some(magic), Some(sender), Some(number)) if magic == MAGIC => {
            Ok(Stamp { sender, number, is_key })
        }
        _ => Err(bad("not ours")),
    }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
