//! IVF: a header of 32 bytes, then frames with a header of 12 bytes each.

use super::{Part, Recording, Stored, cut};
use crate::media::MAX_PAYLOAD;
use crate::plan::Codec;
use std::time::Duration;

fn word(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(super) fn read(data: Vec<u8>, codec: Codec) -> Result<Recording, String> {
    if !data.starts_with(b"DKIF") {
        return Err("is no IVF file".to_owned());
    }
    let name: &[u8] = match codec {
        Codec::Vp8 => b"VP80",
        Codec::Vp9 => b"VP90",
        _ => b"AV01",
    };
    if data.get(8..12) != Some(name) {
        let found = String::from_utf8_lossy(data.get(8..12).unwrap_or_default()).into_owned();
        return Err(format!("holds {found}, not {}", codec.name()));
    }
    let header = data.get(6..8).map_or(32, |b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let (rate, scale) = (word(&data, 16).unwrap_or(0), word(&data, 20).unwrap_or(0));
    let mut frames = Vec::new();
    let mut at = header;
    while let Some(len) = word(&data, at).map(|len| len as usize) {
        let from = at + 12;
        let Some(bytes) = data.get(from..from.saturating_add(len)) else {
            return Err("ends within a frame".to_owned());
        };
        at = from + len;
        if len == 0 {
            continue;
        }
        let stored = match codec {
            // RFC 6386 9.1.
            Codec::Vp8 => Stored { key: bytes[0] & 1 == 0, parts: cut(from, len) },
            // VP9 specification 6.2, profiles 0 to 2: marker, profile, show_existing_frame, frame_type.
            Codec::Vp9 => Stored { key: bytes[0] & 0x0c == 0, parts: cut(from, len) },
            _ => temporal_unit(&data, from, len)?,
        };
        if !stored.parts.is_empty() {
            frames.push(stored);
        }
    }
    let fps = f64::from(rate) / f64::from(scale.max(1));
    let interval = (1.0..=240.0).contains(&fps).then(|| Duration::from_secs_f64(1.0 / fps));
    Recording::new(data, frames, interval)
}

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

/// OBUs without their sizes, each in packets of its own (AOM "RTP Payload Format For AV1" 4.4, 5).
fn temporal_unit(data: &[u8], from: usize, len: usize) -> Result<Stored, String> {
    let end = from + len;
    let mut at = from;
    let mut stored = Stored::default();
    let broken = || "has a broken OBU".to_owned();
    while at < end {
        let header = data[at];
        let kind = header >> 3 & 15;
        let head = if header & 4 != 0 { 2 } else { 1 };
        let mut body = at + head;
        let mut size = end.checked_sub(body).ok_or_else(broken)?;
        if header & 2 != 0 {
            let mut value = 0_usize;
            let mut shift = 0;
            loop {
                let byte = *data.get(body).filter(|_| body < end).ok_or_else(broken)?;
                body += 1;
                value |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
                if shift > 28 {
                    return Err(broken());
                }
            }
            size = value;
        }
        if body + size > end {
            return Err(broken());
        }
        let next = body + size;
        if matches!(kind, TEMPORAL_DELIMITER | TILE_LIST | PADDING) {
            at = next;
            continue;
        }
        let sequence = kind == SEQUENCE_HEADER;
        let first = stored.parts.is_empty();
        stored.key |= sequence;
        // The OBU's own header goes before its first part, without the size bit.
        let mut pieces = cut(body, size);
        if pieces.is_empty() {
            pieces.push(Part { from: body, len: 0, lead: [0; 4], lead_len: 0 });
        }
        let last = pieces.len() - 1;
        for (number, piece) in pieces.iter_mut().enumerate() {
            let (begins, ends) = (number == 0, number == last);
            let new = u8::from(sequence && first && begins) << 3;
            piece.lead[0] = u8::from(!begins) << 7 | u8::from(!ends) << 6 | 0x10 | new;
            piece.lead_len = 1;
            if begins {
                piece.lead[1] = header & !2;
                piece.lead[2] = data.get(at + 1).copied().unwrap_or(0);
                piece.lead_len = 1 + head as u8;
            }
            debug_assert!(piece.len <= MAX_PAYLOAD);
        }
        stored.parts.append(&mut pieces);
        at = next;
    }
    Ok(stored)
}
