//! Offsets from source numbering to the receiver's, per stretch of one source.

use crate::limits;
use crate::packet::{Facts, PacketMeta};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A stretch of packets of one source stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    /// The source stream's uid.
    pub(crate) stream: u32,
    in_start: u64,
    out_start: u64,
    timestamp_offset: u32,
    picture_id_offset: u16,
    tl0_offset: u8,
    key_idx_offset: u8,
    frame_number_offset: u16,
}

/// A packet in the receiver's numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Extended sequence number (the SRTP index).
    pub(crate) seq: u64,
    pub(crate) timestamp: u32,
    pub(crate) picture_id: Option<u16>,
    pub(crate) tl0_pic_idx: Option<u8>,
    pub(crate) key_idx: Option<u8>,
    pub(crate) frame_number: Option<u16>,
}

/// The state of one slot's outgoing stream.
#[derive(Debug)]
pub(crate) struct Rewriter {
    clock_rate: u32,
    segments: VecDeque<Segment>,
    highest: Option<u64>,
    first_seq: u64,
    first_timestamp: u32,
    last_timestamp: u32,
    last_sent: Option<Instant>,
    picture_id: u16,
    tl0_pic_idx: u8,
    key_idx: u8,
    frame_number: u16,
}

impl Rewriter {
    /// `first_seq` and `first_timestamp` are random starting points (RFC 3550 5.1).
    pub(crate) fn new(clock_rate: u32, first_seq: u16, first_timestamp: u32) -> Self {
        Self {
            clock_rate,
            segments: VecDeque::with_capacity(limits::SEGMENTS),
            highest: None,
            // Half the range at most, so that a receiver sees no early wrap; RFC 3711 3.3.1 wants
            // the first number below 2^15 for the same reason.
            first_seq: u64::from(first_seq & 0x7fff),
            first_timestamp,
            last_timestamp: first_timestamp,
            last_sent: None,
            picture_id: 0,
            tl0_pic_idx: 0,
            key_idx: 0,
            frame_number: 0,
        }
    }

    /// The stream that is being forwarded.
    pub(crate) fn current(&self) -> Option<u32> {
        self.segments.back().map(|segment| segment.stream)
    }

    /// Highest sequence number sent.
    #[cfg(test)]
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Last timestamp sent and when.
    #[cfg(test)]
    pub(crate) fn last_timestamp(&self) -> u32 {
        self.last_timestamp
    }

    /// Offset from the current source's RTP time to the receiver's.
    pub(crate) fn timestamp_offset(&self) -> Option<u32> {
        self.segments.back().map(|segment| segment.timestamp_offset)
    }

    /// From `packet` on another source is forwarded. `aligned` is the timestamp, in the old
    /// source's time as the receiver sees it, at which the new source's packet belongs: known when
    /// both are layers of one track with sender reports. Otherwise time elapsed counts.
    pub(crate) fn switch(&mut self, packet: &PacketMeta, aligned: Option<u32>, now: Instant) {
        let out_start = self.highest.map_or(self.first_seq, |highest| highest.wrapping_add(1));
        let timestamp = match self.last_sent {
            None => self.first_timestamp,
            Some(last) => {
                let elapsed = now.saturating_duration_since(last);
                let by_time =
                    self.last_timestamp.wrapping_add(ticks(elapsed, self.clock_rate).max(1));
                // Alignment must not go backwards nor far from what the clock says.
                aligned
                    .filter(|aligned| {
                        let ahead = aligned.wrapping_sub(self.last_timestamp).cast_signed();
                        let off = aligned.wrapping_sub(by_time).cast_signed();
                        ahead > 0 && off.unsigned_abs() < self.clock_rate
                    })
                    .unwrap_or(by_time)
            }
        };
        let facts = &packet.facts;
        let first = self.segments.is_empty();
        let next_picture = self.picture_id.wrapping_add(1);
        let segment = Segment {
            stream: packet.stream,
            in_start: packet.seq,
            out_start,
            timestamp_offset: timestamp.wrapping_sub(packet.timestamp),
            picture_id_offset: match facts.picture_id {
                Some(id) if !first => next_picture.wrapping_sub(id),
                _ => 0,
            },
            tl0_offset: match facts.tl0_pic_idx {
                Some(id) if !first => self.tl0_pic_idx.wrapping_add(1).wrapping_sub(id),
                _ => 0,
            },
            key_idx_offset: match facts.key_idx {
                Some(id) if !first => self.key_idx.wrapping_add(1).wrapping_sub(id),
                _ => 0,
            },
            frame_number_offset: match facts.frame_number {
                Some(id) if !first => self.frame_number.wrapping_add(1).wrapping_sub(id),
                _ => 0,
            },
        };
        if self.segments.len() >= limits::SEGMENTS {
            self.segments.pop_front();
        }
        self.segments.push_back(segment);
    }

    /// Maps a packet of the current source; `None` for packets of another source or from before the
    /// switch to this one (they must not be sent any more).
    pub(crate) fn map(&mut self, packet: &PacketMeta, now: Instant) -> Option<Mapped> {
        let segment = *self.segments.back()?;
        if packet.stream != segment.stream || packet.seq < segment.in_start {
            return None;
        }
        let mapped = apply(&segment, packet);
        if self.highest.is_none_or(|highest| mapped.seq > highest) {
            self.highest = Some(mapped.seq);
            self.last_timestamp = mapped.timestamp;
            self.last_sent = Some(now);
            self.picture_id = mapped.picture_id.unwrap_or(self.picture_id);
            self.tl0_pic_idx = mapped.tl0_pic_idx.unwrap_or(self.tl0_pic_idx);
            self.key_idx = mapped.key_idx.unwrap_or(self.key_idx);
            self.frame_number = mapped.frame_number.unwrap_or(self.frame_number);
        }
        Some(mapped)
    }

    /// The source packet behind a sequence number that the receiver asks for again: stream uid,
    /// source sequence number and the extended number of our own.
    pub(crate) fn source_of(&self, number: u16) -> Option<(Segment, u64, u64)> {
        let highest = self.highest?;
        let behind = u64::from((highest as u16).wrapping_sub(number));
        let out = highest.checked_sub(behind)?;
        let segment = self.segments.iter().rev().find(|segment| segment.out_start <= out)?;
        let seq = segment.in_start.wrapping_add(out.wrapping_sub(segment.out_start));
        Some((*segment, seq, out))
    }

    /// Forgets the source, for example when the slot is emptied. Numbering goes on.
    pub(crate) fn stop(&mut self) {
        // An empty stretch of no stream (uids start at 1): older ones stay for NACK.
        self.segments.push_back(Segment {
            stream: 0,
            in_start: u64::MAX,
            out_start: self.highest.map_or(self.first_seq, |highest| highest.wrapping_add(1)),
            timestamp_offset: 0,
            picture_id_offset: 0,
            tl0_offset: 0,
            key_idx_offset: 0,
            frame_number_offset: 0,
        });
        if self.segments.len() > limits::SEGMENTS {
            self.segments.pop_front();
        }
    }
}

/// `packet` as the receiver sees it in `segment`.
pub(crate) fn apply(segment: &Segment, packet: &PacketMeta) -> Mapped {
    let Facts { picture_id, long_picture_id, tl0_pic_idx, key_idx, frame_number, .. } =
        packet.facts;
    let mask = if long_picture_id { 0x7fff } else { 0x7f };
    Mapped {
        seq: segment.out_start.wrapping_add(packet.seq.wrapping_sub(segment.in_start)),
        timestamp: packet.timestamp.wrapping_add(segment.timestamp_offset),
        picture_id: picture_id.map(|id| id.wrapping_add(segment.picture_id_offset) & mask),
        tl0_pic_idx: tl0_pic_idx.map(|id| id.wrapping_add(segment.tl0_offset)),
        key_idx: key_idx.map(|id| id.wrapping_add(segment.key_idx_offset) & 0x1f),
        frame_number: frame_number.map(|id| id.wrapping_add(segment.frame_number_offset)),
    }
}

fn ticks(elapsed: Duration, clock_rate: u32) -> u32 {
    let ticks = elapsed.as_micros().saturating_mul(u128::from(clock_rate)) / 1_000_000;
    ticks as u32
}
