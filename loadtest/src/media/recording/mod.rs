//! Recorded media, sent in a loop: IVF (VP8, VP9, AV1), Annex B (H264), Ogg (Opus).
//!
//! Recorded payloads have no room for a stamp. [`Sent`] remembers when each was sent, by a hash of its last bytes.

mod annexb;
mod ivf;
mod ogg;
mod sent;

use super::{Frame, MAX_PAYLOAD, Shape, start};
use crate::error::LoadError;
use crate::plan::Codec;
pub use sent::{Sent, sent};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// The longest file that is read.
const MAX_FILE: u64 = 1 << 30;

/// What a packet takes from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    from: usize,
    len: usize,
    /// Payload headers before it, of [`Self::lead_len`] bytes.
    lead: [u8; 4],
    lead_len: u8,
}

/// A frame.
#[derive(Debug, Clone, Default)]
struct Stored {
    key: bool,
    parts: Vec<Part>,
}

/// A frame of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) number: u32,
    pub(super) key: bool,
    pub(super) parts: u16,
}

/// A file.
#[derive(Debug)]
pub struct Recording {
    data: Vec<u8>,
    frames: Vec<Stored>,
    /// From frame to frame, where the file says so.
    pub interval: Option<Duration>,
}

impl Recording {
    /// The frame with this number of an endless loop.
    pub(super) fn sample(&self, number: u32) -> Sample {
        let number = number % self.frames.len().max(1) as u32;
        let frame = &self.frames[number as usize];
        Sample { number, key: frame.key, parts: frame.parts.len() as u16 }
    }

    pub(super) fn payload(&self, shape: &Shape, frame: &Frame, part: u16, out: &mut Vec<u8>) {
        match shape.codec {
            Codec::Vp8 => start::vp8_descriptor(shape, frame, part, out),
            Codec::Vp9 => start::vp9_descriptor(shape, frame, part, out),
            _ => {}
        }
        let stored = self.frames.get(frame.sample as usize);
        let Some(part) = stored.and_then(|stored| stored.parts.get(usize::from(part))) else {
            return;
        };
        out.extend_from_slice(&part.lead[..usize::from(part.lead_len)]);
        out.extend_from_slice(&self.data[part.from..part.from + part.len]);
    }

    fn new(data: Vec<u8>, frames: Vec<Stored>, interval: Option<Duration>) -> Result<Self, String> {
        if frames.is_empty() || frames.iter().any(|frame| frame.parts.is_empty()) {
            return Err("it has no frames".to_owned());
        }
        if frames.iter().any(|frame| frame.parts.len() > usize::from(u16::MAX)) {
            return Err("a frame is too large".to_owned());
        }
        Ok(Self { data, frames, interval })
    }
}

/// Even parts of a range.
fn cut(from: usize, len: usize) -> Vec<Part> {
    let parts = len.div_ceil(MAX_PAYLOAD).max(1);
    let each = len.div_ceil(parts).max(1);
    let starts = (0..len).step_by(each);
    starts
        .map(|at| Part { from: from + at, len: each.min(len - at), lead: [0; 4], lead_len: 0 })
        .collect()
}

/// Reads a file, once for all who send it.
///
/// # Errors
/// Says what is wrong with it.
pub fn load(path: &Path, codec: Codec) -> Result<Arc<Recording>, LoadError> {
    type Known = Mutex<HashMap<(PathBuf, Codec), Arc<Recording>>>;
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Known::default).lock().expect("nobody panics with it");
    let key = (path.to_owned(), codec);
    if let Some(recording) = known.get(&key) {
        return Ok(recording.clone());
    }
    let wrong = |what: String| LoadError::Usage(format!("{}: {what}", path.display()));
    let len = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if len > MAX_FILE {
        return Err(wrong("is longer than 1 GiB".to_owned()));
    }
    let data = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let recording = Arc::new(read(data, codec).map_err(wrong)?);
    known.insert(key, recording.clone());
    Ok(recording)
}

fn read(data: Vec<u8>, codec: Codec) -> Result<Recording, String> {
    match codec {
        Codec::Opus => ogg::read(data),
        Codec::H264 => annexb::read(data),
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 => ivf::read(data, codec),
    }
}

#[cfg(test)]
mod tests;
