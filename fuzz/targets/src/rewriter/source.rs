//! Streams of packets as encoders make them.

use weir_sfu::Sample;
use weir_sfu_api::CodecKind;

/// The temporal layers of pictures, over and over.
const TEMPORAL: [u8; 4] = [0, 2, 1, 2];

/// One encoder.
pub(super) struct Source {
    codec: CodecKind,
    spatial_layers: u8,
    long_picture_id: bool,
    /// The next packet's place: picture, spatial layer, packet of the frame.
    picture: u64,
    spatial: u8,
    part: u8,
    /// Pictures since the key frame.
    phase: usize,
    next: Sample,
}

impl Source {
    /// Number 0 is VP8, 1 VP9 with three spatial layers, 2 VP8 with short picture ids, 3 AV1 with two
    /// spatial layers. All are near the end of their numbers.
    pub(super) fn new(number: usize) -> Self {
        let (codec, spatial_layers) = match number {
            0 | 2 => (CodecKind::Vp8, 1),
            1 => (CodecKind::Vp9, 3),
            _ => (CodecKind::Av1, 2),
        };
        let av1 = codec == CodecKind::Av1;
        let next = Sample {
            stream: number as u32 + 1,
            seq: 65_500 + number as u64 * 1_000,
            timestamp: u32::MAX - 10_000,
            codec,
            frame_start: true,
            frame_end: false,
            layer: (0, 0),
            picture_id: (!av1).then_some(0),
            long_picture_id: number != 2,
            tl0_pic_idx: (!av1).then_some(250),
            key_idx: (codec == CodecKind::Vp8).then_some(30),
            frame_number: av1.then_some(65_530),
        };
        Self {
            codec,
            spatial_layers,
            long_picture_id: number != 2,
            picture: 32_700,
            spatial: 0,
            part: 0,
            phase: 0,
            next,
        }
    }

    pub(super) fn stream(&self) -> u32 {
        self.next.stream
    }

    /// Whatever was under way is given up; the first packet of a key frame.
    pub(super) fn key_frame(&mut self) -> Sample {
        if (self.spatial, self.part) != (0, 0) {
            self.next.seq += 1;
            self.next_picture();
        }
        self.phase = 0;
        if let Some(key) = &mut self.next.key_idx {
            *key = (*key + 1) & 0x1f;
        }
        self.next()
    }

    /// The next packet.
    pub(super) fn next(&mut self) -> Sample {
        let temporal = TEMPORAL[self.phase % TEMPORAL.len()];
        if (self.spatial, self.part, temporal) == (0, 0, 0)
            && let Some(index) = &mut self.next.tl0_pic_idx
        {
            *index = index.wrapping_add(1);
        }
        // Frames of one to three packets.
        let parts = 1 + (self.picture as u8 ^ self.spatial) % 3;
        let mask = if self.long_picture_id { 0x7fff } else { 0x7f };
        let packet = Sample {
            frame_start: self.part == 0,
            frame_end: self.codec != CodecKind::Vp8 && self.part + 1 == parts,
            layer: (self.spatial, temporal),
            picture_id: self.next.picture_id.map(|_| self.picture as u16 & mask),
            ..self.next
        };
        self.next.seq += 1;
        self.part += 1;
        if self.part == parts {
            self.part = 0;
            self.spatial += 1;
            if let Some(number) = &mut self.next.frame_number {
                *number = number.wrapping_add(1);
            }
        }
        if self.spatial == self.spatial_layers {
            self.next_picture();
        }
        packet
    }

    fn next_picture(&mut self) {
        (self.spatial, self.part) = (0, 0);
        self.picture += 1;
        self.phase += 1;
        self.next.timestamp = self.next.timestamp.wrapping_add(3_000);
    }
}
