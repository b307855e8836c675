//! RTCP packets as webrtc-rs writes and reads them.

use bytes::Bytes;
use rtc_rtcp::extended_report::ReceiverReferenceTimeReportBlock;
use rtc_rtcp::extended_report::{DLRRReport, DLRRReportBlock, ExtendedReport};
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::{Packet, marshal, unmarshal};
use rtc_rtcp::payload_feedbacks::full_intra_request::{FirEntry as TheirFir, FullIntraRequest};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, StatusVectorChunk,
    SymbolSizeTypeTcc, SymbolTypeTcc, TransportLayerCc,
};
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use weir_wire::rtcp::*;

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
}

fn their_block(random: &mut Random) -> ReceptionReport {
    ReceptionReport {
        ssrc: random.next() as u32,
        fraction_lost: random.next() as u8,
        total_lost: random.next() as u32 & 0x7f_ffff,
        last_sequence_number: random.next() as u32,
        jitter: random.next() as u32,
        last_sender_report: random.next() as u32,
        delay: random.next() as u32,
    }
}

fn our_block(b: &ReceptionReport) -> ReportBlock {
    ReportBlock {
        ssrc: b.ssrc,
        fraction_lost: b.fraction_lost,
        cumulative_lost: b.total_lost as i32,
        ext_highest_seq: b.last_sequence_number,
        jitter: b.jitter,
        last_sr: b.last_sender_report,
        delay_since_last_sr: b.delay,
    }
}

#[test]
fn reports_read_the_same_both_ways() {
    let mut random = Random(1);
    for _ in 0..2_000 {
        let reports: Vec<_> = (0..random.below(32)).map(|_| their_block(&mut random)).collect();
        let ours: Vec<_> = reports.iter().map(our_block).collect();
        let sr = SenderReport {
            ssrc: random.next() as u32,
            ntp_time: random.next(),
            rtp_time: random.next() as u32,
            packet_count: random.next() as u32,
            octet_count: random.next() as u32,
            reports: reports.clone(),
            ..SenderReport::default()
        };
        let rr = ReceiverReport { ssrc: 7, reports, ..ReceiverReport::default() };
        let theirs = marshal(&[Box::new(sr.clone()), Box::new(rr)]).unwrap();
        let all: Vec<_> = packets(&theirs).map(Result::unwrap).collect();
        let [RtcpPacket::SenderReport(a), RtcpPacket::ReceiverReport(b)] = &all[..] else {
            panic!("{all:?}")
        };
        let info = SenderInfo {
            ntp: sr.ntp_time,
            rtp_timestamp: sr.rtp_time,
            packet_count: sr.packet_count,
            octet_count: sr.octet_count,
        };
        assert_eq!((a.ssrc, a.info, b.ssrc), (sr.ssrc, info, 7));
        assert!(a.reports().eq(ours.iter().copied()));
        assert!(b.reports().eq(ours.iter().copied()));

        let mut written = Vec::new();
        write_sender_report(&mut written, sr.ssrc, &info, &ours);
        write_receiver_report(&mut written, 7, &ours);
        assert_eq!(written, theirs);
    }
}

#[test]
fn the_other_packets_are_written_and_read_the_same() {
    let text = Bytes::from_static(b"cname of 17 bytes");
    let item = SourceDescriptionItem { sdes_type: SdesType::SdesCname, text: text.clone() };
    let tool = SourceDescriptionItem { sdes_type: SdesType::SdesTool, text };
    let dlrr = DLRRReport { ssrc: 1, last_rr: 2, dlrr: 3 };
    let theirs: Vec<Box<dyn Packet>> = vec![
        Box::new(SourceDescription {
            chunks: vec![
                SourceDescriptionChunk { source: 5, items: vec![tool, item.clone()] },
                SourceDescriptionChunk { source: 6, items: vec![item] },
            ],
        }),
        Box::new(Goodbye { sources: vec![1, 2, 3], reason: Bytes::from_static(b"because") }),
        Box::new(PictureLossIndication { sender_ssrc: 8, media_ssrc: 9 }),
        Box::new(FullIntraRequest {
            sender_ssrc: 10,
            media_ssrc: 0,
            fir: vec![TheirFir { ssrc: 11, sequence_number: 12 }],
        }),
        Box::new(ReceiverEstimatedMaximumBitrate {
            sender_ssrc: 13,
            bitrate: 8_927_168.0,
            ssrcs: vec![14, 15],
        }),
        Box::new(ExtendedReport {
            sender_ssrc: 16,
            reports: vec![Box::new(DLRRReportBlock { reports: vec![dlrr] })],
        }),
        Box::new(ExtendedReport {
            sender_ssrc: 17,
            reports: vec![Box::new(ReceiverReferenceTimeReportBlock { ntp_timestamp: 18 })],
        }),
    ];
    let bytes = marshal(&theirs).unwrap();
    let all: Vec<_> = packets(&bytes).map(Result::unwrap).collect();
    assert_eq!(all.len(), theirs.len());
    let RtcpPacket::Sdes(sdes) = &all[0] else { panic!() };
    let cname = Some("cname of 17 bytes");
    let chunks = [SdesChunk { ssrc: 5, cname }, SdesChunk { ssrc: 6, cname }];
    assert!(sdes.chunks().eq(chunks));
    let RtcpPacket::Bye(bye) = &all[1] else { panic!() };
    assert!(bye.ssrcs().eq([1, 2, 3]));
    assert_eq!(bye.reason(), Some("because"));
    let RtcpPacket::Remb(remb) = &all[4] else { panic!() };
    assert_eq!(remb.bitrate_bps, 8_927_168);
    assert!(remb.ssrcs().eq([14, 15]));

    // The same from our writers, but for the SDES, of which we write one chunk.
    let mut written = Vec::new();
    write_bye(&mut written, &[1, 2, 3], Some("because"));
    write_pli(&mut written, 8, 9);
    write_fir(&mut written, 10, &[FirEntry { ssrc: 11, seq_nr: 12 }]);
    write_remb(&mut written, 13, 8_927_168, &[14, 15]);
    write_xr_dlrr(&mut written, 16, &[DlrrItem { ssrc: 1, last_rr: 2, delay_since_last_rr: 3 }]);
    write_xr_rrtr(&mut written, 17, 18);
    assert_eq!(written, marshal(&theirs[1..]).unwrap());
    // Theirs fills an SDES chunk with a padding count, ours with zeros as RFC 3550 6.5 says.
    for len in 0..40 {
        let name = "x".repeat(len);
        let mut written = Vec::new();
        write_sdes_cname(&mut written, 5, &name);
        let read = unmarshal(&mut &written[..]).unwrap();
        let read = read[0].as_any().downcast_ref::<SourceDescription>().unwrap();
        assert_eq!((read.chunks.len(), read.chunks[0].source), (1, 5));
        assert_eq!(read.chunks[0].items[0].text, name);
    }
}

#[test]
fn nacks_read_the_same_both_ways() {
    let mut random = Random(2);
    for _ in 0..2_000 {
        let nacks: Vec<_> = (0..1 + random.below(5))
            .map(|_| NackPair {
                packet_id: random.next() as u16,
                lost_packets: random.next() as u16,
            })
            .collect();
        let wanted: Vec<u16> = nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        let theirs = TransportLayerNack { sender_ssrc: 1, media_ssrc: 2, nacks };
        let bytes = marshal(&[Box::new(theirs)]).unwrap();
        let Some(Ok(RtcpPacket::Nack(nack))) = packets(&bytes).next() else { panic!() };
        assert!(nack.sequence_numbers().eq(wanted.iter().copied()));

        let mut written = Vec::new();
        assert_eq!(write_nack(&mut written, 1, 2, &wanted), wanted.len());
        let read = unmarshal(&mut &written[..]).unwrap();
        let read = read[0].as_any().downcast_ref::<TransportLayerNack>().unwrap();
        let mut all: Vec<u16> = read.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        let mut wanted = wanted;
        all.sort_unstable();
        all.dedup();
        wanted.sort_unstable();
        wanted.dedup();
        assert_eq!(all, wanted);
    }
}

/// Statuses of their packet: symbols of the chunks, each received one with its delta.
fn their_statuses(cc: &TransportLayerCc) -> Vec<Option<i32>> {
    let mut deltas = cc.recv_deltas.iter();
    let symbols = cc.packet_chunks.iter().flat_map(|chunk| match chunk {
        PacketStatusChunk::RunLengthChunk(c) => {
            vec![c.packet_status_symbol; usize::from(c.run_length)]
        }
        PacketStatusChunk::StatusVectorChunk(c) => c.symbol_list.clone(),
    });
    symbols
        .take(usize::from(cc.packet_status_count))
        .map(|symbol| match symbol {
            SymbolTypeTcc::PacketNotReceived => None,
            _ => Some((deltas.next().unwrap().delta / 250) as i32),
        })
        .collect()
}

#[test]
fn webrtc_rs_reads_our_transport_wide_feedback() {
    let mut random = Random(3);
    for round in 0..2_000 {
        let mut now = random.below(1 << 30) as i64;
        let lossy = 1 + random.below(20);
        let arrivals: Vec<Option<i64>> = (0..1 + random.below(200))
            .map(|_| {
                now += match random.below(10) {
                    0 => -(random.below(20_000) as i64),
                    1 => random.below(500_000) as i64,
                    _ => random.below(5_000) as i64,
                };
                (random.below(lossy) != 1).then_some(now)
            })
            .collect();
        let Some(first) = arrivals.iter().flatten().next() else { continue };
        let reference = reference_time_64ms(*first);
        let mut written = Vec::new();
        let base = random.next() as u16;
        let covered = write_transport_cc(&mut written, 1, 2, base, reference, 3, &arrivals);
        assert_eq!(covered, arrivals.len());
        let read = unmarshal(&mut &written[..]).unwrap();
        assert_eq!(read.len(), 1, "round {round}");
        let cc = read[0].as_any().downcast_ref::<TransportLayerCc>().unwrap();
        assert_eq!((cc.sender_ssrc, cc.media_ssrc, cc.fb_pkt_count), (1, 2, 3));
        assert_eq!((cc.base_sequence_number, cc.reference_time), (base, reference as u32));
        let mut tick = i64::from(cc.reference_time) * 256;
        let absolute: Vec<_> = their_statuses(cc)
            .into_iter()
            .map(|delta| {
                delta.map(|d| {
                    tick += i64::from(d);
                    tick
                })
            })
            .collect();
        let wanted: Vec<_> = arrivals.iter().map(|us| us.map(|us| us.div_euclid(250))).collect();
        assert_eq!(absolute, wanted, "round {round}");
        // And we read it as they do.
        let Some(Ok(RtcpPacket::TransportCc(ours))) = packets(&written).next() else { panic!() };
        assert!(ours.statuses().map(|(_, delta)| delta).eq(their_statuses(cc)));
    }
}

#[test]
fn we_read_transport_wide_feedback_of_webrtc_rs() {
    let mut random = Random(4);
    for round in 0..2_000 {
        let mut symbols = Vec::new();
        let mut packet_chunks = Vec::new();
        for _ in 0..1 + random.below(6) {
            let mut any = |n: usize| SymbolTypeTcc::from(random.below(n) as u16);
            packet_chunks.push(match any(3) as u16 {
                0 => {
                    let symbol = any(3);
                    let run_length = 1 + random.below(30) as u16;
                    symbols.extend(vec![symbol; usize::from(run_length)]);
                    PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                        type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                        packet_status_symbol: symbol,
                        run_length,
                    })
                }
                kind => {
                    let (symbol_size, len, n) = if kind == 1 {
                        (SymbolSizeTypeTcc::OneBit, 14, 2)
                    } else {
                        (SymbolSizeTypeTcc::TwoBit, 7, 3)
                    };
                    let symbol_list: Vec<_> = (0..len).map(|_| any(n)).collect();
                    symbols.extend(&symbol_list);
                    PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                        type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
                        symbol_size,
                        symbol_list,
                    })
                }
            });
        }
        let recv_deltas: Vec<_> = symbols
            .iter()
            .filter(|s| **s != SymbolTypeTcc::PacketNotReceived)
            .map(|symbol| RecvDelta {
                type_tcc_packet: *symbol,
                delta: 250
                    * match symbol {
                        SymbolTypeTcc::PacketReceivedSmallDelta => random.below(256) as i64,
                        _ => random.below(65_536) as i64 - 32_768,
                    },
            })
            .collect();
        let cc = TransportLayerCc {
            sender_ssrc: 1,
            media_ssrc: 2,
            base_sequence_number: 65_500,
            packet_status_count: symbols.len() as u16,
            reference_time: 0xff_fffe,
            fb_pkt_count: 200,
            packet_chunks,
            recv_deltas,
        };
        let bytes = marshal(&[Box::new(cc.clone())]).unwrap();
        let read = packets(&bytes).next().unwrap();
        let Ok(RtcpPacket::TransportCc(ours)) = read else { panic!("round {round}: {read:?}") };
        assert_eq!((ours.reference_time, ours.fb_pkt_count), (-2, 200));
        let wanted = their_statuses(&cc).into_iter().enumerate();
        assert!(ours.statuses().eq(wanted.map(|(i, d)| (65_500_u16.wrapping_add(i as u16), d))));
    }
}
