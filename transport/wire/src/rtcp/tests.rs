use super::*;

fn one(bytes: &[u8]) -> RtcpPacket<'_> {
    let mut all = packets(bytes);
    let packet = all.next().unwrap().unwrap();
    assert!(all.next().is_none());
    packet
}

fn error(bytes: &[u8]) -> ParseError {
    packets(bytes).last().unwrap().unwrap_err()
}

const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0xbc5e_9a40,
    fraction_lost: 85,
    cumulative_lost: -3,
    ext_highest_seq: 0x46e1,
    jitter: 273,
    last_sr: 0x09f3_6432,
    delay_since_last_sr: 150_137,
};

#[test]
fn a_compound_packet_of_all_kinds_reads_back() {
    let info = SenderInfo {
        ntp: 0x0123_4567_89ab_cdef,
        rtp_timestamp: 1,
        packet_count: 2,
        octet_count: 3,
    };
    let mut out = Vec::new();
    write_sender_report(&mut out, 10, &info, &[BLOCK]);
    write_receiver_report(&mut out, 11, &[BLOCK, ReportBlock::default()]);
    write_sdes_cname(&mut out, 12, "née");
    write_bye(&mut out, &[13, 14], Some("gone"));
    write_pli(&mut out, 15, 16);
    write_fir(&mut out, 17, &[FirEntry { ssrc: 18, seq_nr: 19 }]);
    write_remb(&mut out, 20, 2_500_000, &[21, 22]);
    let item = DlrrItem { ssrc: 23, last_rr: 24, delay_since_last_rr: 25 };
    write_xr_dlrr(&mut out, 26, &[item]);
    write_xr_rrtr(&mut out, 27, 28);
    out.extend([0x81, APP, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e']);
    assert_eq!(out.len() % 4, 0);
    let all: Vec<_> = packets(&out).map(Result::unwrap).collect();
    assert_eq!(all.len(), 10);
    let RtcpPacket::SenderReport(sr) = &all[0] else { panic!() };
    assert_eq!((sr.ssrc, sr.info, sr.compact_ntp()), (10, info, 0x4567_89ab));
    assert_eq!(sr.reports().collect::<Vec<_>>(), [BLOCK]);
    let RtcpPacket::ReceiverReport(rr) = &all[1] else { panic!() };
    assert_eq!(rr.ssrc, 11);
    assert_eq!(rr.reports().collect::<Vec<_>>(), [BLOCK, ReportBlock::default()]);
    let RtcpPacket::Sdes(sdes) = &all[2] else { panic!() };
    let chunk = SdesChunk { ssrc: 12, cname: Some("née") };
    assert_eq!(sdes.chunks().collect::<Vec<_>>(), [chunk]);
    let RtcpPacket::Bye(bye) = &all[3] else { panic!() };
    assert_eq!((bye.ssrcs().collect::<Vec<_>>(), bye.reason()), (vec![13, 14], Some("gone")));
    assert!(matches!(all[4], RtcpPacket::Pli { sender_ssrc: 15, media_ssrc: 16 }));
    let RtcpPacket::Fir(fir) = &all[5] else { panic!() };
    assert_eq!(fir.sender_ssrc, 17);
    assert_eq!(fir.entries().collect::<Vec<_>>(), [FirEntry { ssrc: 18, seq_nr: 19 }]);
    let RtcpPacket::Remb(remb) = &all[6] else { panic!() };
    assert_eq!((remb.sender_ssrc, remb.bitrate_bps), (20, 2_500_000));
    assert_eq!(remb.ssrcs().collect::<Vec<_>>(), [21, 22]);
    let RtcpPacket::Xr(xr) = &all[7] else { panic!() };
    assert_eq!((xr.ssrc, xr.rrtr(), xr.dlrr().collect::<Vec<_>>()), (26, None, vec![item]));
    let RtcpPacket::Xr(xr) = &all[8] else { panic!() };
    assert_eq!((xr.ssrc, xr.rrtr(), xr.dlrr().count()), (27, Some(28), 0));
    assert!(matches!(all[9], RtcpPacket::Other { packet_type: APP, count: 1 }));
}

#[test]
fn errors_name_the_place_and_end_the_list() {
    let mut out = Vec::new();
    write_pli(&mut out, 1, 2);
    let good = out.len();
    out.extend([0x40, RR, 0, 1, 0, 0, 0, 0, 9, 9]);
    let all: Vec<_> = packets(&out).collect();
    assert_eq!(all.len(), 2);
    assert!(all[0].is_ok());
    assert_eq!(*all[1].as_ref().unwrap_err(), ParseError::new("RTCP version", good));
    assert_eq!(error(&[0x80]).what, "RTCP header");
    assert_eq!(error(&[0x80, RR, 0, 1, 0]).what, "RTCP length");
    assert_eq!(error(&[0x81, RR, 0, 1, 0, 0, 0, 0]), ParseError::new("report blocks", 8));
    assert_eq!(error(&[0x81, SDES, 0, 2, 0, 0, 0, 0, 1, 3, 0, 0]).what, "SDES item length");
    assert_eq!(error(&[0x81, SDES, 0, 2, 0, 0, 0, 0, 1, 2, b'a', b'b']).what, "SDES item");
    assert_eq!(error(&[0x80, BYE, 0, 1, 9, b'a', b'b', b'c']).what, "BYE reason length");
    assert_eq!(error(&[0x80, XR, 0, 2, 0, 0, 0, 0, 4, 0, 0, 1]).what, "XR block length");
    assert_eq!(packets(&[]).count(), 0);
}

#[test]
fn padding_is_stripped_and_checked() {
    let padded = [0xa0, RR, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4];
    assert!(matches!(one(&padded), RtcpPacket::ReceiverReport(rr) if rr.ssrc == 9));
    for count in [0, 9] {
        let mut bytes = padded;
        bytes[11] = count;
        assert_eq!(error(&bytes).what, "RTCP padding count");
    }
    assert_eq!(error(&[0xa0, RR, 0, 0]).what, "RTCP padding count");
}

#[test]
fn nacks_pack_a_number_and_the_sixteen_after_it() {
    let missing = [65_534, 65_535, 0, 14, 15, 15, 40];
    let mut out = Vec::new();
    assert_eq!(write_nack(&mut out, 1, 2, &missing), missing.len());
    // 65534 + 16 = 14; 15 starts the next pair.
    assert_eq!(out[12..], [0xff, 0xfe, 0x80, 0x03, 0, 15, 0, 0, 0, 40, 0, 0]);
    let RtcpPacket::Nack(nack) = one(&out) else { panic!() };
    assert_eq!((nack.sender_ssrc, nack.media_ssrc), (1, 2));
    let read: Vec<_> = nack.sequence_numbers().collect();
    assert_eq!(read, [65_534, 65_535, 0, 14, 15, 40]);
    out.clear();
    assert_eq!(write_nack(&mut out, 1, 2, &[]), 0);
    assert!(out.is_empty());
    let sparse: Vec<u16> = (0..1000).map(|i| i * 60).collect();
    assert_eq!(write_nack(&mut out, 1, 2, &sparse), MAX_NACK_PAIRS);
    let RtcpPacket::Nack(nack) = one(&out) else { panic!() };
    assert!(nack.sequence_numbers().eq(sparse[..MAX_NACK_PAIRS].iter().copied()));
}

#[test]
fn counts_and_texts_are_cut_to_their_fields() {
    let mut out = Vec::new();
    write_receiver_report(&mut out, 1, &[BLOCK; 40]);
    write_sdes_cname(&mut out, 1, &"é".repeat(200));
    write_bye(&mut out, &[7; 40], Some(&"x".repeat(300)));
    write_sdes_cname(&mut out, 1, "");
    write_bye(&mut out, &[], None);
    let all: Vec<_> = packets(&out).map(Result::unwrap).collect();
    let RtcpPacket::ReceiverReport(rr) = &all[0] else { panic!() };
    assert_eq!(rr.reports().count(), MAX_REPORT_BLOCKS);
    let RtcpPacket::Sdes(sdes) = &all[1] else { panic!() };
    assert_eq!(sdes.chunks().next().unwrap().cname.unwrap().len(), 254);
    let RtcpPacket::Bye(bye) = &all[2] else { panic!() };
    assert_eq!((bye.ssrcs().count(), bye.reason().unwrap().len()), (31, 255));
    let RtcpPacket::Sdes(sdes) = &all[3] else { panic!() };
    assert_eq!(sdes.chunks().next().unwrap().cname, Some(""));
    let RtcpPacket::Bye(bye) = &all[4] else { panic!() };
    assert_eq!((bye.ssrcs().count(), bye.reason()), (0, None));
}

#[test]
fn remb_rounds_down_and_saturates() {
    for bps in [0, 1, 0x3ffff, 0x40000, 1_234_567, u64::from(u32::MAX), u64::MAX] {
        let mut out = Vec::new();
        write_remb(&mut out, 1, bps, &[]);
        let RtcpPacket::Remb(remb) = one(&out) else { panic!() };
        let read = remb.bitrate_bps;
        assert!(read <= bps && bps - read <= bps >> 17, "{bps} {read}");
    }
    let mut out = Vec::new();
    write_remb(&mut out, 1, 1, &[]);
    out[17..20].fill(0xff);
    let RtcpPacket::Remb(remb) = one(&out) else { panic!() };
    assert_eq!(remb.bitrate_bps, u64::MAX);
    out[12] = b'X';
    assert!(matches!(one(&out), RtcpPacket::Other { packet_type: PSFB, count: 15 }));
}

/// What a receiver of the feedback learns: sequence numbers and arrival in ticks of 250 us.
fn arrivals(bytes: &[u8]) -> Vec<(u16, Option<i64>)> {
    let RtcpPacket::TransportCc(cc) = one(bytes) else { panic!() };
    assert_eq!(cc.statuses().count(), usize::from(cc.status_count));
    let mut tick = i64::from(cc.reference_time) * 256;
    let absolute = |(seq, delta): (u16, Option<i32>)| {
        (
            seq,
            delta.map(|d| {
                tick += i64::from(d);
                tick
            }),
        )
    };
    cc.statuses().map(absolute).collect()
}

#[test]
fn transport_wide_feedback_uses_the_chunk_that_covers_most() {
    let write = |list: &[Option<i64>]| {
        let mut out = Vec::new();
        assert_eq!(write_transport_cc(&mut out, 1, 2, 65_530, 3, 9, list), list.len());
        assert_eq!(out.len() % 4, 0);
        let read = arrivals(&out);
        for (i, (status, arrival)) in read.iter().zip(list).enumerate() {
            assert_eq!(status.0, 65_530_u16.wrapping_add(i as u16));
            assert_eq!(status.1, arrival.map(|us| us / 250));
        }
        assert_eq!(read.len(), list.len());
        out
    };
    let start = 192_000; // 3 * 64 ms
    // All received, 1 ms apart: one run.
    let run: Vec<_> = (0..40).map(|i| Some(start + i * 1000)).collect();
    let out = write(&run);
    assert_eq!(out[12..22], [0xff, 0xfa, 0, 40, 0, 0, 3, 9, 0x20, 40]);
    // Every other one: one-bit vectors of 14.
    let holes: Vec<_> = (0..28).map(|i| (i % 2 == 0).then_some(start + i * 1000)).collect();
    let out = write(&holes);
    assert_eq!(out[20..24], [0xaa, 0xaa, 0xaa, 0xaa]);
    // A large and a negative delta: two-bit vectors of 7; the last is not full.
    let mut large = vec![Some(start), None, Some(start + 100_000), Some(start + 90_000)];
    large.extend([None, Some(start + 91_000), None, Some(start + 92_000)]);
    let out = write(&large);
    assert_eq!(out[20..24], [0b1101_0010, 0b1000_0100, 0x20, 1]);
    assert_eq!(out[24..], [0, 1, 0x90, 0xff, 0xd8, 4, 4, 1], "P bit with one byte of padding");
    assert_eq!(out[0], 0xaf);
    // A long loss: one run of not received.
    let mut loss = vec![Some(start)];
    loss.extend([None; 1000]);
    loss.push(Some(start + 250));
    write(&loss);
}

#[test]
fn transport_wide_feedback_stops_where_it_must_and_goes_on() {
    // A gap of 9 s does not fit a delta.
    let list = [Some(1_000), None, Some(9_001_000), Some(9_002_000)];
    let mut out = Vec::new();
    let covered = write_transport_cc(&mut out, 1, 2, 0, reference_time_64ms(1_000), 0, &list);
    assert_eq!(covered, 2);
    assert_eq!(arrivals(&out), [(0, Some(4)), (1, None)]);
    out.clear();
    let reference = reference_time_64ms(9_001_000);
    assert_eq!(write_transport_cc(&mut out, 1, 2, 2, reference, 1, &list[2..]), 2);
    assert_eq!(arrivals(&out), [(2, Some(36_004)), (3, Some(36_008))]);
    // Nothing received: nothing to say.
    out.clear();
    assert_eq!(write_transport_cc(&mut out, 1, 2, 0, 0, 0, &[None; 5]), 5);
    assert_eq!(write_transport_cc(&mut out, 1, 2, 0, 0, 0, &[]), 0);
    assert!(out.is_empty());
    // Negative and huge reference times wrap to 24 bits.
    assert_eq!(write_transport_cc(&mut out, 1, 2, 0, -1, 0, &[Some(-250)]), 1);
    assert_eq!(arrivals(&out), [(0, Some(-1))]);
}

#[test]
fn long_transport_wide_feedback_fits_datagrams() {
    let list: Vec<_> =
        (0..5000_i64).map(|i| (i % 3 != 0).then_some(i * 5_000 + (i % 7) * 70_000)).collect();
    let mut rest = &list[..];
    let (mut base, mut seen) = (0_u16, Vec::new());
    while let Some(first) = rest.iter().flatten().next() {
        let mut out = Vec::new();
        let reference = reference_time_64ms(*first);
        let covered = write_transport_cc(&mut out, 1, 2, base, reference, 0, rest);
        assert!(covered > 100 && out.len() <= MAX_TRANSPORT_CC_BYTES, "{covered} {}", out.len());
        seen.extend(arrivals(&out));
        rest = &rest[covered..];
        base = base.wrapping_add(covered as u16);
    }
    let wanted = list.iter().enumerate().map(|(i, us)| (i as u16, us.map(|us| us / 250)));
    assert!(seen.iter().copied().eq(wanted.take(seen.len())));
    assert!(seen.len() >= 4999);
}

#[test]
fn transport_wide_feedback_is_checked_when_parsed() {
    let mut out = Vec::new();
    write_transport_cc(&mut out, 1, 2, 0, 0, 0, &[Some(0), Some(250), Some(500)]);
    assert_eq!(out.len(), 28);
    let mut more = out.clone();
    more[15] = 200;
    assert_eq!(error(&more).what, "transport-cc status chunk");
    let mut reserved = out.clone();
    reserved[20] = 0x60;
    assert_eq!(error(&reserved).what, "transport-cc symbol");
    let mut large = out.clone();
    large[20] = 0x40;
    assert_eq!(error(&large).what, "transport-cc deltas");
    let mut vector = out.clone();
    vector[20..22].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(error(&vector).what, "transport-cc symbol");
}
