//! Offsets from source numbering to the receiver's, per stretch of one source.

use super::left_out::LeftOut;
use crate::limits;
use crate::packet::{Facts, PacketMeta};
use crate::select::Level;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use weir_sfu_api::CodecKind;

/// Picture ids are counted up from here, so that earlier ones do not underflow.
const PICTURES_FROM: u64 = 1 << 32;

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
    /// Of the layers at its beginning.
    level: Level,
    /// Something was left out, or the level changed: see the [`Detail`] with the same out_start.
    detailed: bool,
}

/// What was left out of one segment, and when that changed.
#[derive(Debug, Default)]
struct Detail {
    /// The segment's first number sent.
    out_start: u64,
    packets: LeftOut<{ limits::LEFT_OUT_PACKETS }>,
    /// VP8 only.
    pictures: LeftOut<{ limits::LEFT_OUT_PICTURES }>,
    /// From which packet on which level holds; a ring.
    levels: [(u64, u8, u8); limits::LEVEL_CHANGES],
    changes: usize,
}

/// A packet in the receiver's numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    /// Extended sequence number (the SRTP index).
    pub(crate) seq: u64,
    pub(crate) timestamp: u32,
    /// The last of a picture for this receiver.
    pub(crate) marker: bool,
    /// Only its number is sent, without content: it belongs to a layer that was left out, which was
    /// not known when the numbers after it were given.
    pub(crate) empty: bool,
    pub(crate) picture_id: Option<u16>,
    pub(crate) tl0_pic_idx: Option<u8>,
    pub(crate) key_idx: Option<u8>,
    pub(crate) frame_number: Option<u16>,
    /// The layers that the receiver had at this packet.
    pub(crate) level: Level,
    /// Decode targets that stay active for this receiver, where it is to be told.
    pub(crate) active_targets: Option<u32>,
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
    /// How much of the current stream is forwarded.
    level: Level,
    /// Newest packet of the current stream, forwarded or not.
    newest: Option<(u64, u32)>,
    /// Of the current segment and of the one before it that has one. Present from the first video on.
    details: Option<Box<[Detail; 2]>>,
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
            level: Level::FULL,
            newest: None,
            details: None,
        }
    }

    /// The stream that is being forwarded.
    pub(crate) fn current(&self) -> Option<u32> {
        self.segments.back().map(|segment| segment.stream)
    }

    /// How much of it.
    pub(crate) fn level(&self) -> Level {
        self.level
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

    /// From `packet` on another source is forwarded, as much of it as `level` says. `aligned` is the
    /// timestamp, in the old source's time as the receiver sees it, at which the new source's packet
    /// belongs: known when both are layers of one track with sender reports. Otherwise time elapsed
    /// counts.
    pub(crate) fn switch(
        &mut self,
        packet: &PacketMeta,
        level: Level,
        aligned: Option<u32>,
        now: Instant,
    ) {
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
        let first = self.highest.is_none();
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
            level,
            detailed: false,
        };
        if packet.codec.is_some_and(CodecKind::is_video) && self.details.is_none() {
            self.details = Some(Box::default());
        }
        self.level = level;
        self.newest = None;
        self.push(segment);
    }

    fn push(&mut self, segment: Segment) {
        if self.segments.len() >= limits::SEGMENTS {
            self.segments.pop_front();
        }
        self.segments.push_back(segment);
    }

    /// Whether `packet`, of the current stream, begins the next picture. It does not where the
    /// picture's own beginning may still be on its way.
    pub(crate) fn begins_picture(&self, packet: &PacketMeta) -> bool {
        packet.facts.frame_start
            && self.newest.is_none_or(|(seq, timestamp)| {
                packet.seq > seq
                    && packet.timestamp != timestamp
                    && (packet.facts.spatial == 0 || packet.seq == seq.wrapping_add(1))
            })
    }

    /// Whether `packet`, of the current stream, begins a frame later than all before.
    pub(crate) fn begins_frame(&self, packet: &PacketMeta) -> bool {
        packet.facts.frame_start && self.newest.is_none_or(|(seq, _)| packet.seq > seq)
    }

    /// From `packet` on, which begins a frame of the current stream, this much is forwarded.
    pub(crate) fn set_level(&mut self, packet: &PacketMeta, level: Level) {
        if self.level == level {
            return;
        }
        self.level = level;
        let Some(detail) = self.detail() else { return };
        let place = detail.changes % limits::LEVEL_CHANGES;
        detail.changes = detail.changes.wrapping_add(1);
        if let Some(entry) = detail.levels.get_mut(place) {
            *entry = (packet.seq, level.spatial(), level.temporal());
        }
    }

    /// The detail of the current segment.
    fn detail(&mut self) -> Option<&mut Detail> {
        let segment = self.segments.back_mut()?;
        let [current, previous] = &mut **self.details.as_mut()?;
        if !segment.detailed {
            segment.detailed = true;
            std::mem::swap(current, previous);
            current.out_start = segment.out_start;
            current.packets.clear();
            current.pictures.clear();
            current.changes = 0;
        }
        Some(current)
    }

    fn detail_of(&self, segment: &Segment) -> Option<&Detail> {
        self.details.as_ref()?.iter().find(|detail| detail.out_start == segment.out_start)
    }

    /// Maps a packet of the current source; `None` for packets that must not be sent: of another
    /// source, from before the switch to this one, of layers that are left out, or too late to tell.
    pub(crate) fn map(&mut self, packet: &PacketMeta, now: Instant) -> Option<Mapped> {
        let segment = *self.segments.back()?;
        if packet.stream != segment.stream || packet.seq < segment.in_start {
            return None;
        }
        let newer = self.newest.is_none_or(|(newest, _)| packet.seq > newest);
        if newer {
            self.newest = Some((packet.seq, packet.timestamp));
            let picture = packet.facts.picture_id.filter(|_| packet.codec == Some(CodecKind::Vp8));
            if !packet.facts.needed.contains(self.level) {
                let detail = self.detail()?;
                detail.packets.leave_out(packet.seq);
                if let Some(id) = picture {
                    detail.leave_out_picture(id, packet.facts.long_picture_id);
                }
                return None;
            }
            if segment.detailed
                && let Some([detail, _]) = self.details.as_deref_mut()
            {
                detail.packets.pass(packet.seq);
                if let Some(id) = picture
                    && let Some(id) = detail.extend(id, packet.facts.long_picture_id)
                {
                    detail.pictures.pass(id);
                }
            }
        }
        let mapped = self.apply(&segment, packet)?;
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

    /// The source packet behind a sequence number that the receiver asks for again: the segment,
    /// source sequence number and the extended number of our own.
    pub(crate) fn source_of(&self, number: u16) -> Option<(Segment, u64, u64)> {
        let highest = self.highest?;
        let behind = u64::from((highest as u16).wrapping_sub(number));
        let out = highest.checked_sub(behind)?;
        let segment = self.segments.iter().rev().find(|segment| segment.out_start <= out)?;
        let position = out.wrapping_sub(segment.out_start);
        let seq = if segment.detailed {
            self.detail_of(segment)?.packets.at(segment.in_start, position)?
        } else {
            segment.in_start.wrapping_add(position)
        };
        Some((*segment, seq, out))
    }

    /// `packet` as the receiver sees it in `segment`, one of those of [`Self::source_of`]. `None` when
    /// that is too long ago.
    pub(crate) fn apply(&self, segment: &Segment, packet: &PacketMeta) -> Option<Mapped> {
        let Facts { picture_id, long_picture_id, tl0_pic_idx, key_idx, frame_number, .. } =
            packet.facts;
        let (mut left_out, mut pictures, mut level) = (0, 0, segment.level);
        if segment.detailed {
            let detail = self.detail_of(segment)?;
            left_out = detail.packets.before(packet.seq)?;
            level = detail.level_at(packet.seq, segment.level)?;
            let vp8 = picture_id.filter(|_| packet.codec == Some(CodecKind::Vp8));
            if let Some(id) = vp8.and_then(|id| detail.extend(id, long_picture_id)) {
                pictures = detail.pictures.before(id)?;
            }
        }
        let mask = if long_picture_id { 0x7fff } else { 0x7f };
        let position = packet.seq.wrapping_sub(segment.in_start).wrapping_sub(left_out);
        let empty = !packet.facts.needed.contains(level);
        let ends = packet.facts.frame_end && packet.facts.spatial == level.spatial();
        Some(Mapped {
            seq: segment.out_start.wrapping_add(position),
            timestamp: packet.timestamp.wrapping_add(segment.timestamp_offset),
            marker: (packet.marker || ends) && !empty,
            empty,
            picture_id: picture_id.map(|id| {
                let id = id.wrapping_add(segment.picture_id_offset);
                id.wrapping_sub(pictures as u16) & mask
            }),
            tl0_pic_idx: tl0_pic_idx.map(|id| id.wrapping_add(segment.tl0_offset)),
            key_idx: key_idx.map(|id| id.wrapping_add(segment.key_idx_offset) & 0x1f),
            frame_number: frame_number.map(|id| id.wrapping_add(segment.frame_number_offset)),
            level,
            active_targets: None,
        })
    }

    /// Takes back numbers that were given but never sent: `last` is the newest packet that left or
    /// still will, `None` for none ever. Nothing follows before a switch, so that no number is given
    /// twice to packets of one stretch.
    pub(crate) fn rewind(&mut self, last: Option<&Mapped>) {
        self.highest = last.map(|last| last.seq);
        if let Some(last) = last {
            self.picture_id = last.picture_id.unwrap_or(self.picture_id);
            self.tl0_pic_idx = last.tl0_pic_idx.unwrap_or(self.tl0_pic_idx);
            self.key_idx = last.key_idx.unwrap_or(self.key_idx);
            self.frame_number = last.frame_number.unwrap_or(self.frame_number);
        }
        // Time went on: what follows is later than what was taken back.
        self.stop();
    }

    /// Forgets the source, for example when the slot is emptied. Numbering goes on.
    pub(crate) fn stop(&mut self) {
        self.newest = None;
        // Once is enough: more of them would push out stretches that NACKs ask for.
        if self.current() == Some(0) {
            return;
        }
        // An empty stretch of no stream (uids start at 1): older ones stay for NACK.
        self.push(Segment {
            stream: 0,
            in_start: u64::MAX,
            out_start: self.highest.map_or(self.first_seq, |highest| highest.wrapping_add(1)),
            timestamp_offset: 0,
            picture_id_offset: 0,
            tl0_offset: 0,
            key_idx_offset: 0,
            frame_number_offset: 0,
            level: Level::FULL,
            detailed: false,
        });
    }
}

impl Detail {
    /// The level at a packet; `None` when it is too old to tell.
    fn level_at(&self, seq: u64, first: Level) -> Option<Level> {
        let known = self.changes.min(limits::LEVEL_CHANGES);
        for back in 1..=known {
            let place = self.changes.wrapping_sub(back) % limits::LEVEL_CHANGES;
            if let Some((from, spatial, temporal)) = self.levels.get(place)
                && seq >= *from
            {
                return Some(Level::new(*spatial, *temporal));
            }
        }
        (self.changes <= limits::LEVEL_CHANGES).then_some(first)
    }

    /// A picture id without its wrap, once one was left out.
    fn extend(&self, id: u16, long: bool) -> Option<u64> {
        let head = self.pictures.head()?;
        let shift = if long { 1 } else { 9 };
        let ahead = id.wrapping_sub(head as u16).wrapping_shl(shift).cast_signed() >> shift;
        Some(head.wrapping_add_signed(i64::from(ahead)))
    }

    fn leave_out_picture(&mut self, id: u16, long: bool) {
        match self.extend(id, long) {
            None => self.pictures.leave_out(PICTURES_FROM.wrapping_add(u64::from(id))),
            Some(id) if self.pictures.head().is_some_and(|head| id > head) => {
                self.pictures.leave_out(id);
            }
            Some(_) => {}
        }
    }
}

fn ticks(elapsed: Duration, clock_rate: u32) -> u32 {
    let ticks = elapsed.as_micros().saturating_mul(u128::from(clock_rate)) / 1_000_000;
    ticks as u32
}
