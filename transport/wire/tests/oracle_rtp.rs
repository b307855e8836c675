//! RTP headers and payload descriptors as webrtc-rs writes and reads them.

use bytes::Bytes;
use rtc_rtp::codec::{vp8::Vp8Packet, vp9::Vp9Packet};
use rtc_rtp::packetizer::Depacketizer;
use rtc_rtp::{Header, Packet};
use rtc_shared::marshal::{Marshal, Unmarshal};
use weir_wire::payload::{vp8, vp9};
use weir_wire::rtp::{FixedHeader, RtpPacket, write_header};

/// xorshift64*: the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 16) as usize % n
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 32) as u8).collect()
    }
}

#[test]
fn packets_of_webrtc_rs_read_the_same() {
    let mut random = Random(1);
    for round in 0..5_000 {
        let mut header = Header {
            version: 2,
            padding: random.below(3) == 0,
            marker: random.below(2) == 0,
            payload_type: random.below(128) as u8,
            sequence_number: random.next() as u16,
            timestamp: random.next() as u32,
            ssrc: random.next() as u32,
            csrc: (0..random.below(16)).map(|i| i as u32).collect(),
            ..Header::default()
        };
        // The first one's size decides the form: up to 16 bytes one-byte, else two-byte.
        let two_byte = random.below(2) == 0;
        for id in 1..=random.below(4) as u8 {
            let len = if two_byte { 17 + random.below(30) } else { 1 + random.below(16) };
            header.set_extension(id * 2, random.bytes(len).into()).unwrap();
        }
        let len = random.below(40);
        let packet = Packet { header, payload: random.bytes(len).into() };
        let bytes = packet.marshal().unwrap();
        let read = RtpPacket::parse(&bytes).unwrap_or_else(|e| panic!("round {round}: {e}"));
        let h = &packet.header;
        assert_eq!(read.payload(), packet.payload);
        assert_eq!((read.marker(), read.payload_type()), (h.marker, h.payload_type));
        assert_eq!((read.sequence_number(), read.timestamp()), (h.sequence_number, h.timestamp));
        assert_eq!((read.ssrc(), read.has_padding_bit()), (h.ssrc, h.padding));
        assert!(read.csrcs().eq(h.csrc.iter().copied()));
        let extensions = h.extensions.iter().map(|e| (e.id, &e.payload[..]));
        assert!(read.extensions().eq(extensions), "round {round}");
        for e in &h.extensions {
            assert_eq!(bytes[read.extension_range(e.id).unwrap()], e.payload);
        }
    }
}

#[test]
fn webrtc_rs_reads_our_headers_the_same() {
    let mut random = Random(2);
    for round in 0..5_000 {
        let fixed = FixedHeader {
            marker: random.below(2) == 0,
            payload_type: random.below(128) as u8,
            sequence_number: random.next() as u16,
            timestamp: random.next() as u32,
            ssrc: random.next() as u32,
        };
        let (longest, ids) = if random.below(2) == 0 { (16, 1) } else { (40, 20) };
        let values: Vec<(u8, Vec<u8>)> = (0..random.below(5) as u8)
            .map(|i| {
                let len = 1 + random.below(longest);
                (ids + i, random.bytes(len))
            })
            .collect();
        let extensions: Vec<_> = values.iter().map(|(id, v)| (*id, &v[..])).collect();
        let mut bytes = [0; 300];
        let len = write_header(&mut bytes, &fixed, &extensions).unwrap();
        let read = Packet::unmarshal(&mut &bytes[..len]).unwrap();
        let h = &read.header;
        assert!(read.payload.is_empty(), "round {round}");
        assert_eq!((h.marker, h.payload_type), (fixed.marker, fixed.payload_type));
        assert_eq!((h.sequence_number, h.timestamp), (fixed.sequence_number, fixed.timestamp));
        assert_eq!((h.ssrc, h.extensions.len()), (fixed.ssrc, extensions.len()));
        for (id, value) in extensions {
            assert_eq!(h.get_extension(id).unwrap(), value);
        }
    }
}

#[test]
fn vp8_descriptors_read_the_same() {
    let mut random = Random(3);
    let mut good = 0;
    for _ in 0..50_000 {
        let len = 4 + random.below(8);
        let bytes = random.bytes(len);
        let mut theirs = Vp8Packet::default();
        let (Ok(rest), Ok(ours)) =
            (theirs.depacketize(&Bytes::from(bytes.clone())), vp8::parse(&bytes))
        else {
            continue;
        };
        good += 1;
        assert_eq!(ours.header_len, bytes.len() - rest.len());
        assert_eq!(ours.partition_start, theirs.s == 1);
        assert_eq!((ours.partition_id, ours.non_reference), (theirs.pid, theirs.n == 1));
        assert_eq!(ours.picture_id, (theirs.i == 1).then_some(theirs.picture_id));
        assert_eq!(ours.tl0_pic_idx, (theirs.l == 1).then_some(theirs.tl0_pic_idx));
        assert_eq!(ours.temporal_id, (theirs.t == 1).then_some(theirs.tid));
        assert_eq!(ours.layer_sync, theirs.y == 1);
        assert_eq!(ours.key_idx, (theirs.k == 1).then_some(theirs.key_idx));
    }
    assert!(good > 40_000, "{good}");
}

#[test]
fn vp9_descriptors_read_the_same() {
    let mut random = Random(4);
    let mut good = 0;
    for round in 0..50_000 {
        let len = 12 + random.below(60);
        let mut bytes = random.bytes(len);
        // Theirs takes reserved bits of a scalability structure for its G bit: keep them 0.
        if round % 2 == 0 {
            bytes[0] &= !0x02;
        } else {
            bytes.iter_mut().skip(1).for_each(|byte| *byte &= !0x06);
        }
        let mut theirs = Vp9Packet::default();
        let (Ok(rest), Ok(ours)) =
            (theirs.depacketize(&Bytes::from(bytes.clone())), vp9::parse(&bytes))
        else {
            continue;
        };
        good += 1;
        assert_eq!(ours.header_len, bytes.len() - rest.len());
        assert_eq!(ours.picture_id, theirs.i.then_some(theirs.picture_id));
        assert_eq!((ours.inter_picture, ours.flexible), (theirs.p, theirs.f));
        assert_eq!((ours.frame_start, ours.frame_end), (theirs.b, theirs.e));
        assert_eq!(ours.temporal_id, theirs.l.then_some(theirs.tid));
        assert_eq!(ours.spatial_id, theirs.l.then_some(theirs.sid));
        assert_eq!((ours.switching_up, ours.inter_layer), (theirs.u, theirs.d));
        assert_eq!(ours.tl0_pic_idx, (theirs.l && !theirs.f).then_some(theirs.tl0picidx));
        assert_eq!(ours.spatial_layers, theirs.v.then_some(theirs.ns + 1));
        let sizes = theirs.width.iter().copied().zip(theirs.height.iter().copied());
        assert!(ours.resolutions.iter().flatten().copied().eq(sizes));
    }
    assert!(good > 15_000, "{good}");
}
