//! H264 in Annex B: NAL units between start codes, grouped into pictures.

use super::{Part, Recording, Stored, cut};
use crate::media::MAX_PAYLOAD;

/// NAL units as (start, end).
fn units(data: &[u8]) -> Vec<(usize, usize)> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= data.len() {
        if data[at..].starts_with(&[0, 0, 1]) {
            starts.push((at, at + 3));
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).map(|(code, _)| *code).chain([data.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((_, from), mut end)| {
            // Zeros before a start code belong to it.
            while end > *from && data[end - 1] == 0 {
                end -= 1;
            }
            (*from, end)
        })
        .filter(|(from, end)| end > from)
        .collect()
}

pub(super) fn read(data: Vec<u8>) -> Result<Recording, String> {
    let mut frames: Vec<Stored> = Vec::new();
    let mut current = Stored::default();
    let mut has_slice = false;
    for (from, end) in units(&data) {
        let kind = data[from] & 0x1f;
        let slice = matches!(kind, 1 | 5);
        // first_mb_in_slice is 0: its first bit is set (H.264 7.3.3).
        let first = slice && data.get(from + 1).is_some_and(|byte| byte & 0x80 != 0);
        let begins = first || matches!(kind, 6..=9);
        if begins && has_slice {
            frames.push(std::mem::take(&mut current));
            has_slice = false;
        }
        has_slice |= slice;
        current.key |= kind == 5;
        // Access unit delimiters and fillers are not sent.
        if !matches!(kind, 9 | 12) {
            current.parts.extend(fragments(&data, from, end));
        }
    }
    if has_slice {
        frames.push(current);
    }
    if frames.is_empty() {
        return Err("has no H264 pictures in Annex B".to_owned());
    }
    Recording::new(data, frames, None)
}

/// RFC 6184 5.6 and 5.8: a single NAL unit, or FU-A.
fn fragments(data: &[u8], from: usize, end: usize) -> Vec<Part> {
    if end - from <= MAX_PAYLOAD {
        return vec![Part { from, len: end - from, lead: [0; 4], lead_len: 0 }];
    }
    let header = data[from];
    let mut all = cut(from + 1, end - from - 1);
    let last = all.len() - 1;
    for (number, part) in all.iter_mut().enumerate() {
        let bounds = u8::from(number == 0) << 7 | u8::from(number == last) << 6;
        part.lead = [header & 0x60 | 28, bounds | header & 0x1f, 0, 0];
        part.lead_len = 2;
    }
    all
}
