//! An encoder: makes one stream's frames in the pattern of its layers, and keeps their packets.

use super::Source;
use crate::content::dd::{self, Descriptor};
use crate::content::shape::{Place, REFS, Scalability};
use crate::content::{Content, FrameIds};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;
use weir_sfu_api::{CodecKind, Rid};
use weir_wire::rtcp::ReportBlock;

/// Bytes of a video packet's payload, at most: libwebrtc's 1,200 less headers.
pub(super) const PAYLOAD: usize = 1_130;
/// Packets kept for retransmission: 5 s of 2 Mbit/s.
const HISTORY: usize = 1_024;
/// An encoder makes at most this many key frames a second on request.
const KEY_FRAME_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// A packet that was made, without transport-wide number.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) marker: bool,
    pub(super) timestamp: u32,
    pub(super) payload: Vec<u8>,
    pub(super) descriptor: Option<Vec<u8>>,
    pub(super) level: u8,
}

/// One layer of one track: an RTP stream of its own.
#[derive(Debug)]
pub struct Stream {
    /// Its name with simulcast.
    pub rid: Option<Rid>,
    /// The media SSRC; see [`super::SimPeer::change_ssrc`].
    pub ssrc: u32,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: u32,
    /// False: the encoder makes no frames.
    pub active: bool,
    /// False: the server wants none.
    pub wanted: bool,
    /// Bits per second, over all its layers.
    pub bitrate_bps: u64,
    /// Pixels of its best layer.
    pub resolution: (u16, u16),
    /// Spatial layers that are sent, at most: from the lowest on.
    pub spatial_limit: u8,
    /// Frames made.
    pub frames: u32,
    /// Key frames made.
    pub key_frames: u32,
    /// When requests for key frames came.
    pub requests: Vec<Instant>,
    /// Packets asked for again by the server.
    pub nacked: u64,
    /// The last report of the server.
    pub report: Option<ReportBlock>,
    pub(super) layer: u8,
    pub(super) rtx_payload_type: Option<u8>,
    pub(super) packets: u32,
    pub(super) octets: u32,
    pub(super) timestamp_base: u32,
    pub(super) index: u64,
    pub(super) rtx_index: u64,
    pub(super) sent: u64,
    pub(super) picture_id: u16,
    pub(super) tl0_pic_idx: u8,
    pub(super) key_idx: u8,
    pub(super) key_wanted: bool,
    pub(super) last_key: Option<Instant>,
    pub(super) history: BTreeMap<u16, Kept>,
    pub(super) order: VecDeque<u16>,
    pub(super) picture: u32,
    pub(super) phase: u8,
    /// Spatial layers of the last picture.
    pub(super) spatial: u8,
    /// Frame numbers by spatial layer: the last of temporal layer 0, and of 1.
    pub(super) last: [[Option<u32>; 2]; 3],
}

impl Stream {
    /// Sends now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.active && self.wanted
    }

    /// Pixels by spatial layer: each half of the one above.
    fn resolutions(&self, shape: Scalability) -> [(u16, u16); 3] {
        let (width, height) = self.resolution;
        let top = shape.spatial() - 1;
        std::array::from_fn(|n| {
            let halves = top.saturating_sub(n as u8);
            (width >> halves, height >> halves)
        })
    }

    /// Everything anew: other numbers, no layer continues.
    pub(super) fn forget(&mut self) {
        self.key_wanted = true;
        self.last_key = None;
        self.sent = 0;
        self.history.clear();
        self.order.clear();
    }

    /// Makes the next picture; gives the numbers of its packets.
    pub(super) fn make_picture(
        &mut self,
        source: &Source,
        (source_id, level): (u32, u8),
        now: Instant,
        now_us: u64,
    ) -> Vec<u64> {
        let (codec, shape) = (source.codec, source.scalability);
        let video = codec.is_video();
        let may = self.last_key.is_none_or(|last| now - last >= KEY_FRAME_PAUSE);
        let spatial = shape.spatial().min(self.spatial_limit).max(1);
        // A layer that comes back needs the ones below: a key picture.
        let grown = video && spatial > self.spatial && self.picture > 0;
        let key = !video || self.key_wanted && may || grown;
        if key {
            self.key_wanted = false;
            self.last_key = Some(now);
            self.key_frames += 1;
            self.phase = 0;
            self.key_idx = self.key_idx.wrapping_add(1) & 0x1f;
        }
        let shrunk = spatial < self.spatial;
        self.spatial = spatial;
        let phase = self.phase;
        self.phase = (phase + 1) % shape.period();
        self.picture_id = self.picture_id.wrapping_add(1) & 0x7fff;
        if shape.temporal_id(phase) == 0 {
            self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
        }
        let rate = u64::from(codec.clock_rate());
        let timestamp = self.timestamp_base.wrapping_add((now_us * rate / 1_000_000) as u32);
        let mut numbers = Vec::new();
        for layer in 0..spatial {
            let place = Place { shape, spatial: layer, phase, key: key && video };
            let ids = FrameIds {
                picture_id: self.picture_id,
                tl0_pic_idx: self.tl0_pic_idx,
                key_idx: self.key_idx,
                place,
                flexible: source.flexible,
                resolutions: self.resolutions(shape),
                encrypted: source.encrypted,
            };
            let content = Content {
                source: source_id,
                layer: self.layer,
                frame: self.frames,
                picture: self.picture,
                spatial: layer,
                temporal: place.temporal(),
                refs: self.refs(place),
                resolution: ids.resolutions[usize::from(layer)],
                part: 0,
                parts: 0,
                key: key && layer == 0,
                created_us: now_us,
            };
            let limited = spatial < shape.spatial();
            let mask = (limited && (shrunk || phase == 0))
                .then(|| (1u32 << (u32::from(spatial) * u32::from(shape.temporal()))) - 1);
            let bytes = self.frame_bytes(source, place);
            let frame = NewFrame { ids, content, bytes, mask, timestamp, level };
            self.packetize(source, &frame, layer + 1 == spatial, &mut numbers);
            match place.temporal() {
                0 => self.last[usize::from(layer)] = [Some(self.frames), None],
                1 => self.last[usize::from(layer)][1] = Some(self.frames),
                _ => {}
            }
            self.frames += 1;
        }
        self.picture += 1;
        numbers
    }

    /// How far back the frames are that the next one refers to.
    fn refs(&self, place: Place) -> [u16; REFS] {
        let mut refs = [0; REFS];
        let mut count = 0;
        if !place.key {
            let [base, middle] = self.last[usize::from(place.spatial)];
            let third = place.shape.temporal() == 3 && place.phase == 3;
            if let Some(frame) = if third { middle.or(base) } else { base } {
                refs[count] = (self.frames - frame) as u16;
                count += 1;
            }
        }
        if place.on_below() {
            refs[count] = 1;
        }
        refs
    }

    fn frame_bytes(&self, source: &Source, place: Place) -> usize {
        if !source.codec.is_video() {
            return 100;
        }
        let shape = source.scalability;
        let per_picture = self.bitrate_bps / 8 / u64::from(source.fps);
        let share = shape.share(place.phase) * u64::from(shape.period());
        let bytes = per_picture * share / 100 * shape.spatial_share(place.spatial) / 100;
        let bytes = bytes
            * if place.key { source.key_factor } else { 1 }
            * if self.picture % 10 == 9 { source.burst_factor } else { 1 };
        bytes as usize
    }

    fn packetize(
        &mut self,
        source: &Source,
        frame: &NewFrame,
        last_of_picture: bool,
        numbers: &mut Vec<u64>,
    ) {
        let (codec, bytes) = (source.codec, frame.bytes);
        let parts = bytes.div_ceil(PAYLOAD).max(1);
        let content = frame.content;
        for part in 0..parts {
            // As libwebrtc: packets of a frame differ by a byte or so.
            let len = bytes / parts + usize::from(part < bytes % parts);
            let content = Content { part: part as u16, parts: parts as u16, ..content };
            let last = part + 1 == parts;
            let described = codec == CodecKind::Av1 || source.descriptor && codec.is_video();
            let kept = Kept {
                marker: codec.is_video() && last && last_of_picture,
                timestamp: frame.timestamp,
                payload: content.payload(codec, &frame.ids, len),
                descriptor: described.then(|| {
                    dd::write(&Descriptor {
                        start: part == 0,
                        end: last,
                        frame: content.frame,
                        place: frame.ids.place,
                        refs: content.refs,
                        resolutions: &frame.ids.resolutions,
                        active: frame.mask.filter(|_| part == 0),
                    })
                }),
                level: frame.level,
            };
            let index = self.index;
            self.index += 1;
            self.packets = self.packets.wrapping_add(1);
            self.octets = self.octets.wrapping_add(kept.payload.len() as u32);
            if self.history.insert(index as u16, kept).is_none() {
                self.order.push_back(index as u16);
            }
            if self.order.len() > HISTORY
                && let Some(oldest) = self.order.pop_front()
            {
                self.history.remove(&oldest);
            }
            numbers.push(index);
        }
    }
}

/// A frame before it is cut into packets.
struct NewFrame {
    ids: FrameIds,
    content: Content,
    bytes: usize,
    mask: Option<u32>,
    timestamp: u32,
    level: u8,
}
