//! RTP: edits in place and written headers.

use crate::bytes::Bytes;
use weir_wire::rtp::{self, FixedHeader, RtpPacket, RtpPacketMut};

pub(super) fn check(data: &[u8]) {
    if let Ok(header) = rtp::parse_header(data) {
        assert!(header.header_len <= data.len());
        // An encrypted packet's header may be asked for extensions of a shorter copy.
        header.extensions(&data[..header.header_len / 2]).for_each(drop);
    }
    let Ok(packet) = RtpPacket::parse(data) else { return };
    assert_eq!(rtp::parse_header(data).as_ref(), Ok(packet.header()));
    assert_eq!(packet.csrcs().count(), usize::from(packet.csrc_count()));
    assert_eq!(
        packet.header_len() + packet.payload().len() + packet.padding_len(),
        data.len(),
        "header, payload and padding make up the packet"
    );
    let values: Vec<(u8, &[u8])> = packet.extensions().collect();
    let ranges: Vec<_> = packet.extensions().ranges().collect();
    assert_eq!(values.len(), ranges.len());
    for ((id, value), (other, range)) in values.iter().zip(ranges) {
        assert_eq!((*id, *value), (other, &data[range]));
    }

    // All edits, then back to a packet that differs in nothing else.
    let mut copy = data.to_vec();
    let pad = packet.has_padding_bit();
    RtpPacketMut(&mut copy)
        .sequence_number(packet.sequence_number().wrapping_add(0x1234))
        .timestamp(!packet.timestamp())
        .ssrc(packet.ssrc() ^ 0x55aa_00ff)
        .payload_type(packet.payload_type() ^ 0x7f)
        .marker(!packet.marker())
        .padding_bit(pad);
    let edited = RtpPacket::parse(&copy).expect("an edited packet is one");
    assert_eq!(edited.sequence_number(), packet.sequence_number().wrapping_add(0x1234));
    assert_eq!(
        (edited.timestamp(), edited.ssrc()),
        (!packet.timestamp(), packet.ssrc() ^ 0x55aa_00ff)
    );
    assert_eq!(edited.payload_type(), packet.payload_type() ^ 0x7f);
    assert_eq!((edited.marker(), edited.has_padding_bit()), (!packet.marker(), pad));
    assert_eq!((edited.payload(), edited.padding_len()), (packet.payload(), packet.padding_len()));
    assert!(edited.extensions().eq(packet.extensions()));

    // As it is written for a receiver: a new header before the old payload.
    let fixed = FixedHeader {
        marker: packet.marker(),
        payload_type: packet.payload_type(),
        sequence_number: packet.sequence_number(),
        timestamp: packet.timestamp(),
        ssrc: packet.ssrc(),
    };
    written(&fixed, &values, packet.payload());
}

/// A header out of nothing.
pub(super) fn write(bytes: &mut Bytes<'_>) {
    let [flags, number, ..] = bytes.array::<2>();
    let fixed = FixedHeader {
        marker: flags & 0x80 != 0,
        payload_type: flags & 0x7f,
        sequence_number: bytes.u16(),
        timestamp: bytes.u32(),
        ssrc: bytes.u32(),
    };
    let list: Vec<(u8, &[u8])> = (0..number % 16)
        .map(|_| {
            let [id, len] = bytes.array();
            (id, bytes.take(usize::from(len)))
        })
        .collect();
    written(&fixed, &list, bytes.rest());
}

fn written(fixed: &FixedHeader, extensions: &[(u8, &[u8])], payload: &[u8]) {
    let mut buffer = vec![0xee; 20 + 4 * 64 * 256];
    let Some(len) = rtp::write_header(&mut buffer, fixed, extensions) else {
        assert!(extensions.iter().any(|(id, _)| *id == 0), "a large buffer takes all but id 0");
        return;
    };
    // Every shorter buffer is refused.
    assert_eq!(rtp::write_header(&mut vec![0; len - 1], fixed, extensions), None);
    assert_eq!(rtp::write_header(&mut vec![0; len], fixed, extensions), Some(len));
    buffer.truncate(len);
    buffer.extend_from_slice(payload);
    let packet = RtpPacket::parse(&buffer).expect("a written packet is one");
    assert_eq!((packet.header_len(), packet.payload()), (len, payload));
    assert_eq!((packet.marker(), packet.payload_type()), (fixed.marker, fixed.payload_type));
    assert_eq!(packet.sequence_number(), fixed.sequence_number);
    assert_eq!((packet.timestamp(), packet.ssrc()), (fixed.timestamp, fixed.ssrc));
    assert!(packet.extensions().eq(extensions.iter().copied()), "{extensions:?}");
}
