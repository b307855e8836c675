//! No input makes a parser panic, and what a parser accepts can be walked to its end.

use std::hint::black_box;

use weir_wire::payload::{av1, h264, opus, red, vp8, vp9};
use weir_wire::rtcp::{self, RtcpPacket};
use weir_wire::rtp::{self, FixedHeader, RtpPacket};
use weir_wire::stun::{StunMessage, StunWriter};
use weir_wire::{classify, dd, dtls, ext};

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

    fn byte(&mut self) -> u8 {
        (self.next() >> 32) as u8
    }
}

/// Everything that reads bytes from the network.
fn read_all(bytes: &[u8]) {
    black_box(classify(bytes));
    if let Ok(packet) = RtpPacket::parse(bytes) {
        black_box(packet.csrcs().count());
        let ranges = packet.extensions().ranges().filter(|(_, range)| range.end <= bytes.len());
        assert_eq!(packet.extensions().count(), ranges.count());
        let parts = [packet.header_len(), packet.payload().len(), packet.padding_len()];
        assert_eq!(parts.iter().sum::<usize>(), bytes.len());
        black_box(packet.extension_range(5));
    }
    if let Ok(header) = rtp::parse_header(bytes) {
        assert!(header.header_len <= bytes.len());
        black_box(header.extensions(&bytes[..header.header_len / 2]).count());
    }
    for packet in rtcp::packets(bytes).flatten() {
        read_rtcp(&packet);
    }
    if let Ok(message) = StunMessage::parse(bytes) {
        black_box((message.class(), message.method(), message.transaction_id()));
        black_box((message.username(), message.software(), message.error_code()));
        black_box((message.xor_mapped_address(), message.priority(), message.nomination()));
        black_box((message.use_candidate(), message.ice_controlled(), message.ice_controlling()));
        black_box((message.fingerprint_ok(), message.unknown_required().count()));
        let mut input = Vec::new();
        message.integrity_input(&mut input);
        assert_eq!(message.message_integrity().is_none(), input.is_empty());
    }
    for record in dtls::records(bytes).flatten() {
        black_box(dtls::handshake_header(record.fragment));
    }
    black_box(dtls::is_client_hello(bytes));
    read_payload(bytes);
    black_box((ext::AudioLevel::read(bytes), ext::VideoOrientation::read(bytes)));
    black_box((ext::read_abs_send_time(bytes), ext::read_transport_cc(bytes)));
}

fn read_rtcp(packet: &RtcpPacket<'_>) {
    match packet {
        RtcpPacket::SenderReport(p) => drop(black_box(p.reports().last())),
        RtcpPacket::ReceiverReport(p) => drop(black_box(p.reports().last())),
        RtcpPacket::Sdes(p) => drop(black_box(p.chunks().last())),
        RtcpPacket::Bye(p) => drop(black_box((p.ssrcs().last(), p.reason()))),
        RtcpPacket::Nack(p) => drop(black_box(p.sequence_numbers().last())),
        RtcpPacket::TransportCc(p) => {
            assert_eq!(p.statuses().count(), usize::from(p.status_count));
        }
        RtcpPacket::Fir(p) => drop(black_box(p.entries().last())),
        RtcpPacket::Remb(p) => drop(black_box(p.ssrcs().last())),
        RtcpPacket::Xr(p) => {
            black_box((p.rrtr(), p.dlrr().last(), p.blocks().last()));
        }
        _ => {}
    }
}

fn read_payload(bytes: &[u8]) {
    let mut copy = bytes.to_vec();
    if let Ok(d) = vp8::parse(bytes) {
        vp8::rewrite(&mut copy, &d, Some(0x7fff), Some(1), Some(2));
        let again = vp8::parse(&copy).unwrap();
        assert_eq!((again.header_len, again.picture_id_bits), (d.header_len, d.picture_id_bits));
        // A descriptor of another payload does no harm.
        vp8::rewrite(&mut copy[..1], &d, Some(1), Some(1), Some(2));
    }
    copy.copy_from_slice(bytes);
    if let Ok(d) = vp9::parse(bytes) {
        vp9::rewrite(&mut copy, &d, Some(0x7fff), Some(1));
        assert_eq!(vp9::parse(&copy).unwrap().header_len, d.header_len);
    }
    black_box((h264::parse(bytes).ok(), av1::parse(bytes).ok(), opus::parse(bytes).ok()));
    black_box(red::primary(bytes).ok());
    let known = dd::TemplateStructure::parse(bytes).ok().flatten().unwrap_or_default();
    if let Ok(d) = dd::DependencyDescriptor::parse(bytes, &known) {
        black_box((d.key_frame(), d.dti(40), d.fdiffs().len()));
    }
    if let Some(rest) = bytes.get(1..) {
        black_box(dd::DependencyDescriptor::parse(rest, &known).ok());
    }
}

/// One valid packet of each kind, to be mutated.
fn valid() -> Vec<Vec<u8>> {
    let fixed =
        FixedHeader { marker: true, payload_type: 96, sequence_number: 1, timestamp: 2, ssrc: 3 };
    let mut one_byte = vec![0; 60];
    rtp::write_header(&mut one_byte, &fixed, &[(1, b"abc"), (3, b"d"), (5, b"x")]).unwrap();
    let mut two_byte = vec![0; 80];
    rtp::write_header(&mut two_byte, &fixed, &[(1, b""), (30, &[7; 20]), (5, b"x")]).unwrap();
    rtp::set_padding_bit(&mut two_byte, true);
    *two_byte.last_mut().unwrap() = 4;
    let mut list = vec![one_byte, two_byte];

    let block = rtcp::ReportBlock::default();
    let mut reports = Vec::new();
    rtcp::write_sender_report(&mut reports, 1, &rtcp::SenderInfo::default(), &[block; 2]);
    rtcp::write_sdes_cname(&mut reports, 1, "somebody");
    rtcp::write_bye(&mut reports, &[1, 2], Some("why"));
    rtcp::write_xr_rrtr(&mut reports, 1, 7);
    let item = rtcp::DlrrItem { ssrc: 1, last_rr: 2, delay_since_last_rr: 3 };
    rtcp::write_xr_dlrr(&mut reports, 1, &[item; 2]);
    list.push(reports);
    let mut feedback = Vec::new();
    rtcp::write_receiver_report(&mut feedback, 1, &[block]);
    rtcp::write_nack(&mut feedback, 1, 2, &[1, 3, 5, 40]);
    rtcp::write_pli(&mut feedback, 1, 2);
    rtcp::write_fir(&mut feedback, 1, &[rtcp::FirEntry { ssrc: 2, seq_nr: 3 }]);
    rtcp::write_remb(&mut feedback, 1, 1_000_000, &[1, 2]);
    list.push(feedback);
    let arrivals = [Some(0), None, Some(1_000), Some(90_000), None, Some(80_000), Some(80_250)];
    let mut cc = Vec::new();
    rtcp::write_transport_cc(&mut cc, 1, 2, 3, 0, 4, &arrivals);
    list.push(cc);

    let mut request = StunWriter::binding_request([7; 12]);
    request.username("abcd:efgh").priority(1).ice_controlling(2).use_candidate().nomination(3);
    list.push(request.finish(Some(&|_: &[u8]| [9; 20])));
    let mut success = StunWriter::binding_success([7; 12]);
    success.xor_mapped_address(([192, 0, 2, 1], 5).into());
    list.push(success.finish(None));
    let mut refusal = StunWriter::binding_error([7; 12], 420, "Unknown Attribute");
    refusal.unknown_attributes(&[1, 2]);
    list.push(refusal.finish(None));

    let mut hello = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 1, 0, 0, 8];
    hello.extend([0; 16]);
    list.push(hello);
    list.push(vec![0x90, 0xf0, 0x92, 0x67, 200, 0xb1, 0x10, 2, 0, 0x9d, 1, 0x2a, 0, 2, 0, 1]);
    list.push(vec![0xaa, 0x81, 0x2c, 0x10, 7, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 1, 4, 1, 9]);
    list.push(vec![0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3, 0, 2, 0x65, 0x88]);
    list.push(vec![0x28, 3, 0x08, 1, 2, 0x34, 0x48, 0xff]);
    list.push(vec![0xef, 0x0f, 0x00, 2, 0xef, 0x07, 0x80, 1, 0x6f, 1, 2, 3, 4, 5]);
    // A dependency descriptor with one template, one target, one chain and a size.
    list.push(vec![0xc0, 0, 1, 0x80, 0x00, 0xe4, 0x20, 0x27, 0xe0, 0x16, 0x60]);
    list
}

#[test]
fn what_is_mutated_below_was_valid() {
    let list = valid();
    assert!(list[..2].iter().all(|bytes| RtpPacket::parse(bytes).is_ok()));
    let compound = [5, 5, 1];
    for (bytes, count) in list[2..5].iter().zip(compound) {
        assert_eq!(rtcp::packets(bytes).filter(Result::is_ok).count(), count);
    }
    assert!(list[5..8].iter().all(|bytes| StunMessage::parse(bytes).is_ok()));
    assert!(dtls::is_client_hello(&list[8]));
    assert!(vp8::parse(&list[9]).unwrap().resolution.is_some());
    assert!(vp9::parse(&list[10]).unwrap().resolution().is_some());
    assert!(h264::parse(&list[11]).unwrap().key_frame);
    assert!(av1::parse(&list[12]).unwrap().key_frame());
    assert_eq!(red::primary(&list[13]).unwrap().redundant, 2);
    let structure = dd::TemplateStructure::parse(&list[14]).unwrap().unwrap();
    assert_eq!((structure.chain_count(), structure.resolution(0)), (1, Some((320, 180))));
    assert_eq!(list.len(), 15);
}

#[test]
fn random_bytes_are_survived() {
    let mut random = Random(0x5eed);
    let mut bytes = Vec::new();
    for round in 0..200_000 {
        bytes.clear();
        let len = random.below(if round % 50 == 0 { 1_500 } else { 80 });
        bytes.extend((0..len).map(|_| random.byte()));
        // Most first bytes would be refused at once.
        if let Some(first) = bytes.first_mut()
            && round % 3 != 0
        {
            *first = 0x80 | (*first & 0x3f);
        }
        if let Some(second) = bytes.get_mut(1)
            && round % 3 == 1
        {
            *second = 200 + *second % 8;
        }
        read_all(&bytes);
    }
}

#[test]
fn mutated_packets_are_survived() {
    let mut random = Random(0xbad5eed);
    let valid = valid();
    for packet in &valid {
        read_all(packet);
        for len in 0..packet.len() {
            read_all(&packet[..len]);
        }
    }
    for round in 0..300_000 {
        let mut bytes = valid[round % valid.len()].clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            match random.below(6) {
                0 => bytes[at] = random.byte(),
                1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                3 => bytes.truncate(at.max(1)),
                4 => bytes.insert(at, random.byte()),
                _ => bytes.push(random.byte()),
            }
        }
        read_all(&bytes);
    }
}
