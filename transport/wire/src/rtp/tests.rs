use super::{seq::*, *};

const FIXED: FixedHeader = FixedHeader {
    marker: true,
    payload_type: 96,
    sequence_number: 0x1234,
    timestamp: 0xdead_beef,
    ssrc: 0x0102_0304,
};

#[test]
fn a_packet_with_everything() {
    let mut bytes = vec![0xb2, 0xe0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4];
    bytes.extend([0, 0, 0, 7, 0, 0, 0, 8]); // two CSRCs
    // RFC 8285 section 4.2: L=0 (one byte), L=1 (two bytes), two of padding, L=3 (four bytes).
    bytes.extend([0xbe, 0xde, 0, 3, 0x10, 0xaa, 0x21, 0xb1, 0xb2, 0, 0, 0x33, 1, 2, 3, 4]);
    bytes.extend(b"payload");
    bytes.extend([0, 0, 3]);
    let p = RtpPacket::parse(&bytes).unwrap();
    assert!(p.marker());
    assert_eq!(p.payload_type(), 96);
    assert_eq!(p.sequence_number(), 0x1234);
    assert_eq!(p.timestamp(), 0xdead_beef);
    assert_eq!(p.ssrc(), 0x0102_0304);
    assert_eq!(p.csrc_count(), 2);
    assert_eq!(p.csrcs().collect::<Vec<_>>(), [7, 8]);
    assert_eq!(p.header_len(), 36);
    assert_eq!(p.payload(), b"payload");
    assert_eq!(p.padding_len(), 3);
    assert!(p.has_padding_bit());
    assert_eq!(
        p.extensions().map(|(id, v)| (id, v.len())).collect::<Vec<_>>(),
        [(1, 1), (2, 2), (3, 4)]
    );
    assert_eq!(p.extension(3), Some(&[1, 2, 3, 4][..]));
    assert_eq!(p.extension(4), None);
    assert_eq!(p.extension_range(2), Some(27..29));
    assert_eq!(&bytes[27..29], [0xb1, 0xb2]);
    assert_eq!(parse_header(&bytes).unwrap(), *p.header());
}

#[test]
fn two_byte_extensions_may_be_empty() {
    let mut bytes = vec![0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([0x10, 0x05, 0, 2, 1, 0, 0, 200, 3, 7, 8, 9]);
    let p = RtpPacket::parse(&bytes).unwrap();
    let all: Vec<_> = p.extensions().collect();
    assert_eq!(all, [(1, &[][..]), (200, &[7, 8, 9][..])]);
}

#[test]
fn reserved_ids_and_elements_that_do_not_fit_end_the_list() {
    let head = [0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1];
    let ids = |element: [u8; 4]| -> Vec<u8> {
        let bytes = [&head[..], &element].concat();
        let p = RtpPacket::parse(&bytes).unwrap();
        p.extensions().map(|(id, _)| id).collect()
    };
    assert_eq!(ids([0x10, 1, 0x20, 2]), [1, 2]);
    assert_eq!(ids([0x10, 1, 0xf0, 2]), [1], "id 15 stops");
    assert_eq!(ids([0x10, 1, 0x01, 2]), [1], "id 0 with a length stops");
    assert_eq!(ids([0x10, 1, 0x21, 2]), [1], "the second needs one byte more");
    let mut unknown = [&head[..], &[0x10, 1, 0x20, 2]].concat();
    unknown[12] = 0x20;
    assert_eq!(RtpPacket::parse(&unknown).unwrap().extensions().count(), 0);
}

#[test]
fn bounds_are_checked() {
    let good = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    assert!(RtpPacket::parse(&good).is_ok());
    assert_eq!(RtpPacket::parse(&good[..11]).unwrap_err().offset, 8);
    let refused = |first: u8, tail: &[u8]| {
        let mut bytes = good.to_vec();
        bytes[0] = first;
        bytes.extend(tail);
        RtpPacket::parse(&bytes).unwrap_err().what
    };
    assert_eq!(refused(0x40, &[]), "RTP version");
    assert_eq!(refused(0x81, &[0; 3]), "RTP CSRC list");
    assert_eq!(refused(0x90, &[0xbe, 0xde, 0]), "RTP extension header");
    assert_eq!(refused(0x90, &[0xbe, 0xde, 0, 1, 0]), "RTP extension length");
    assert_eq!(refused(0xa0, &[]), "RTP padding count");
    assert_eq!(refused(0xa0, &[0, 0, 0]), "RTP padding count");
    assert_eq!(refused(0xa0, &[1, 4]), "RTP padding count");
    let mut only_padding = good.to_vec();
    only_padding[0] = 0xa0;
    only_padding.extend([0, 0, 0, 4]);
    let p = RtpPacket::parse(&only_padding).unwrap();
    assert_eq!((p.payload().len(), p.padding_len()), (0, 4));
    // A header alone does not look at (encrypted) padding.
    only_padding.push(0xff);
    assert!(RtpPacket::parse(&only_padding).is_err());
    assert!(parse_header(&only_padding).unwrap().has_padding);
}

#[test]
fn written_headers_read_back() {
    let mut buf = [0xff; 64];
    assert_eq!(write_header(&mut buf, &FIXED, &[]), Some(12));
    let len = write_header(&mut buf, &FIXED, &[(1, b"0"), (14, &[7; 16])]).unwrap();
    let p = RtpPacket::parse(&buf[..len]).unwrap();
    assert_eq!((p.header_len(), len), (36, 36));
    assert_eq!(&buf[12..16], [0xbe, 0xde, 0, 5]);
    assert_eq!(p.extension(1), Some(&b"0"[..]));
    assert_eq!(p.extension(14), Some(&[7; 16][..]));
    assert_eq!((p.ssrc(), p.marker(), p.sequence_number()), (0x0102_0304, true, 0x1234));
    for extensions in
        [&[(15, &b"x"[..]), (1, b"y")][..], &[(1, &[][..])], &[(2, &[9; 17][..]), (255, b"z")]]
    {
        let len = write_header(&mut buf, &FIXED, extensions).unwrap();
        assert_eq!(&buf[12..14], [0x10, 0]);
        let p = RtpPacket::parse(&buf[..len]).unwrap();
        assert_eq!(p.extensions().collect::<Vec<_>>(), extensions);
    }
}

#[test]
fn a_header_that_does_not_fit_is_not_written() {
    let extensions: &[(u8, &[u8])] = &[(1, b"ab"), (2, b"c")];
    for len in 0..24 {
        assert_eq!(write_header(&mut vec![0; len], &FIXED, extensions), None, "{len}");
    }
    assert_eq!(write_header(&mut [0; 24], &FIXED, extensions), Some(24));
    assert_eq!(write_header(&mut [0; 64], &FIXED, &[(0, b"a")]), None);
    assert_eq!(write_header(&mut [0; 640], &FIXED, &[(1, &[0; 256])]), None);
}

#[test]
fn fields_change_in_place_and_nothing_else() {
    let mut buf = [0; 13];
    write_header(&mut buf, &FIXED, &[]).unwrap();
    let mut edit = RtpPacketMut(&mut buf);
    edit.sequence_number(9).timestamp(8).ssrc(7).payload_type(0xff).marker(false);
    edit.padding_bit(true);
    assert_eq!(buf, [0xa0, 0x7f, 0, 9, 0, 0, 0, 8, 0, 0, 0, 7, 0]);
    edit = RtpPacketMut(&mut buf);
    edit.padding_bit(false).marker(true).payload_type(0);
    assert_eq!(buf[..2], [0x80, 0x80]);
    let mut short = [1, 2, 3];
    RtpPacketMut(&mut short).sequence_number(9).timestamp(9).ssrc(9);
    assert_eq!(short, [1, 2, 3]);
    RtpPacketMut(&mut []).marker(true).payload_type(1).padding_bit(true);
}

#[test]
fn sequence_numbers_unwrap_over_reordering() {
    let mut u = SeqUnwrapper::default();
    assert_eq!(u.peek(5), 65_541);
    assert_eq!(u.unwrap(5), 65_541);
    assert_eq!(u.unwrap(65_533), 65_533, "from before the start");
    assert_eq!(u.highest(), Some(65_541));
    assert_eq!(u.unwrap(40_005), 65_536 - (65_536 - 40_005), "more than half ahead is behind");
    assert_eq!(u.unwrap(32_000), 97_536);
    assert_eq!(u.unwrap(64_000), 129_536);
    assert_eq!(u.unwrap(3), 131_075, "wraps");
    assert_eq!(u.unwrap(65_535), 131_071, "late, from before the wrap");
    assert_eq!(u.unwrap(4), 131_076);
    let mut t = TsUnwrapper::default();
    assert_eq!(t.unwrap(u32::MAX), (1 << 33) - 1);
    assert_eq!(t.unwrap(1), (1 << 33) + 1);
    assert_eq!(t.unwrap(u32::MAX - 1), (1 << 33) - 2);
    assert_eq!(t.highest(), Some((1 << 33) + 1));
}

#[test]
fn newer_is_half_a_circle_ahead() {
    assert!(newer_u16(1, 0));
    assert!(newer_u16(0, 65_535));
    assert!(!newer_u16(7, 7));
    assert!(!newer_u16(65_535, 0));
    assert!(newer_u16(0x7fff, 0));
    assert!(!newer_u16(0x8000, 0));
    assert!(newer_u32(5, u32::MAX));
    assert!(!newer_u32(u32::MAX, 5));
}
