//! Opus in Ogg (RFC 3533, RFC 7845): packets put together from pages.

use super::{Part, Recording, Stored};
use std::time::Duration;
use weir_wire::payload::opus;

pub(super) fn read(data: Vec<u8>) -> Result<Recording, String> {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let mut open: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let page = &data[at..];
        if !page.starts_with(b"OggS") || page.len() < 27 {
            return Err("is no Ogg file".to_owned());
        }
        let count = usize::from(page[26]);
        let Some(table) = page.get(27..27 + count) else {
            return Err("ends within a page".to_owned());
        };
        let mut from = 27 + count;
        for size in table.iter().map(|size| usize::from(*size)) {
            let Some(segment) = page.get(from..from + size) else {
                return Err("ends within a page".to_owned());
            };
            open.extend_from_slice(segment);
            from += size;
            if size < 255 {
                packets.push(std::mem::take(&mut open));
            }
        }
        at += from;
    }
    if !packets.first().is_some_and(|head| head.starts_with(b"OpusHead")) {
        return Err("holds no Opus".to_owned());
    }
    // Head and tags are not sound.
    let mut sound = Vec::new();
    let mut frames = Vec::new();
    for packet in packets.iter().skip(2).filter(|packet| !packet.is_empty()) {
        let facts = opus::parse(packet).map_err(|error| error.to_string())?;
        if facts.duration_us() != 20_000 {
            return Err(format!("has packets of {} us; 20 ms are needed", facts.duration_us()));
        }
        if packet.len() > crate::media::MAX_PAYLOAD {
            return Err("has a packet that is too long".to_owned());
        }
        let part = Part { from: sound.len(), len: packet.len(), lead: [0; 4], lead_len: 0 };
        frames.push(Stored { key: false, parts: vec![part] });
        sound.extend_from_slice(packet);
    }
    Recording::new(sound, frames, Some(Duration::from_millis(20)))
}
