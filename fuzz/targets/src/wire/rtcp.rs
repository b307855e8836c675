//! RTCP: what was read is written and read again.

use crate::bytes::Bytes;
use std::collections::BTreeSet;
use std::hint::black_box;
use weir_wire::rtcp::{self, Nack, RtcpPacket, TransportCc};

pub(super) fn check(data: &[u8]) {
    let mut compound = Vec::new();
    let mut written = 0;
    for packet in rtcp::packets(data).flatten() {
        let before = compound.len();
        again(&packet, &mut compound);
        written += usize::from(compound.len() > before);
    }
    assert_eq!(rtcp::packets(&compound).filter(Result::is_ok).count(), written);
    assert_eq!(rtcp::packets(&compound).count(), written);
}

/// Writes what `packet` says behind `out` and compares.
fn again(packet: &RtcpPacket<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    match packet {
        RtcpPacket::SenderReport(p) => {
            let blocks: Vec<_> = p.reports().collect();
            rtcp::write_sender_report(out, p.ssrc, &p.info, &blocks);
            let Some(RtcpPacket::SenderReport(q)) = only(&out[start..]) else { panic!("SR") };
            assert_eq!((q.ssrc, q.info, q.compact_ntp()), (p.ssrc, p.info, p.compact_ntp()));
            assert!(q.reports().eq(blocks));
        }
        RtcpPacket::ReceiverReport(p) => {
            let blocks: Vec<_> = p.reports().collect();
            rtcp::write_receiver_report(out, p.ssrc, &blocks);
            let Some(RtcpPacket::ReceiverReport(q)) = only(&out[start..]) else { panic!("RR") };
            assert_eq!(q.ssrc, p.ssrc);
            assert!(q.reports().eq(blocks));
        }
        RtcpPacket::Sdes(p) => {
            let named = p.chunks().find_map(|chunk| Some((chunk.ssrc, chunk.cname?)));
            let Some((ssrc, cname)) = named else { return };
            rtcp::write_sdes_cname(out, ssrc, cname);
            let Some(RtcpPacket::Sdes(q)) = only(&out[start..]) else { panic!("SDES") };
            assert!(q.chunks().map(|chunk| (chunk.ssrc, chunk.cname)).eq([(ssrc, Some(cname))]));
        }
        RtcpPacket::Bye(p) => {
            let sources: Vec<_> = p.ssrcs().collect();
            rtcp::write_bye(out, &sources, p.reason());
            let Some(RtcpPacket::Bye(q)) = only(&out[start..]) else { panic!("BYE") };
            assert!(q.ssrcs().eq(sources));
            assert_eq!(q.reason(), p.reason());
        }
        RtcpPacket::Nack(p) => nack_again(p, out),
        RtcpPacket::TransportCc(p) => feedback_again(p, out),
        RtcpPacket::Pli { sender_ssrc, media_ssrc } => {
            rtcp::write_pli(out, *sender_ssrc, *media_ssrc);
            let Some(RtcpPacket::Pli { sender_ssrc: a, media_ssrc: b }) = only(&out[start..])
            else {
                panic!("PLI")
            };
            assert_eq!((a, b), (*sender_ssrc, *media_ssrc));
        }
        RtcpPacket::Fir(p) => {
            let entries: Vec<_> = p.entries().take(rtcp::MAX_NACK_PAIRS).collect();
            rtcp::write_fir(out, p.sender_ssrc, &entries);
            let Some(RtcpPacket::Fir(q)) = only(&out[start..]) else { panic!("FIR") };
            assert_eq!(q.sender_ssrc, p.sender_ssrc);
            assert!(q.entries().eq(entries));
        }
        RtcpPacket::Remb(p) => {
            let sources: Vec<_> = p.ssrcs().collect();
            rtcp::write_remb(out, p.sender_ssrc, p.bitrate_bps, &sources);
            let Some(RtcpPacket::Remb(q)) = only(&out[start..]) else { panic!("REMB") };
            // What does not fit 64 bits was cut already.
            let cut = p.bitrate_bps == u64::MAX;
            assert!(cut || q.bitrate_bps == p.bitrate_bps, "{} {}", p.bitrate_bps, q.bitrate_bps);
            assert!(q.ssrcs().eq(sources));
        }
        RtcpPacket::Xr(p) => {
            black_box(p.blocks().count());
            if let Some(ntp) = p.rrtr() {
                rtcp::write_xr_rrtr(out, p.ssrc, ntp);
                let Some(RtcpPacket::Xr(q)) = only(&out[start..]) else { panic!("XR") };
                assert_eq!((q.ssrc, q.rrtr()), (p.ssrc, Some(ntp)));
                return;
            }
            let items: Vec<_> = p.dlrr().take(256).collect();
            rtcp::write_xr_dlrr(out, p.ssrc, &items);
            let Some(RtcpPacket::Xr(q)) = only(&out[start..]) else { panic!("XR") };
            assert!(q.dlrr().eq(items));
        }
        _ => {}
    }
}

/// The one packet in `bytes`.
fn only(bytes: &[u8]) -> Option<RtcpPacket<'_>> {
    let mut all = rtcp::packets(bytes);
    let first = all.next()?.ok()?;
    all.next().is_none().then_some(first)
}

fn nack_again(p: &Nack<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    let numbers: Vec<_> = p.sequence_numbers().collect();
    let told = rtcp::write_nack(out, p.sender_ssrc, p.media_ssrc, &numbers);
    if numbers.is_empty() {
        assert_eq!((told, out.len()), (0, start));
        return;
    }
    assert!(told > 0);
    let Some(RtcpPacket::Nack(q)) = only(&out[start..]) else { panic!("NACK") };
    assert_eq!((q.sender_ssrc, q.media_ssrc), (p.sender_ssrc, p.media_ssrc));
    let set: BTreeSet<u16> = q.sequence_numbers().collect();
    assert_eq!(set, numbers[..told].iter().copied().collect());
}

fn feedback_again(p: &TransportCc<'_>, out: &mut Vec<u8>) {
    let statuses: Vec<_> = p.statuses().collect();
    assert_eq!(statuses.len(), usize::from(p.status_count));
    let reference = i64::from(p.reference_time);
    let mut at = reference * 64_000;
    let arrivals: Vec<Option<i64>> = statuses
        .iter()
        .map(|(_, delta)| {
            at += i64::from((*delta)?) * 250;
            Some(at)
        })
        .collect();
    feedback(out, [p.sender_ssrc, p.media_ssrc], p.base_seq, reference, p.fb_pkt_count, &arrivals);
}

/// Feedback about arrivals of any order and distance.
pub(super) fn write_feedback(bytes: &mut Bytes<'_>) {
    let (base, reference) = (bytes.u16(), i64::from(bytes.u32().cast_signed() >> 8));
    let mut at = reference * 64_000;
    let mut arrivals = Vec::new();
    while !bytes.is_empty() && arrivals.len() < 4_096 {
        match bytes.u8() {
            run @ 0..0x20 => arrivals.extend((0..=run).map(|_| None)),
            run @ 0x20..0x40 => arrivals.extend((0x20..=run).map(|_| Some(at))),
            step @ 0x40..0xc0 => {
                at += i64::from(step - 0x40) * 250;
                arrivals.push(Some(at));
            }
            step @ 0xc0..0xf0 => {
                at += (i64::from(step) - 0xd0) * 20_000;
                arrivals.push(Some(at));
            }
            _ => {
                at += i64::from(bytes.u32().cast_signed());
                arrivals.push(Some(at));
            }
        }
    }
    // The caller's loop, as the shard has it: it ends.
    let (mut done, mut rounds) = (0, 0);
    let mut base = base;
    while done < arrivals.len() {
        let first = arrivals[done..].iter().flatten().next();
        let reference = first.map_or(reference, |at| rtcp::reference_time_64ms(*at));
        let mut out = Vec::new();
        let covered = feedback(&mut out, [1, 2], base, reference, 3, &arrivals[done..]);
        assert!(covered > 0, "at least the first received packet is covered");
        done += covered;
        base = base.wrapping_add(covered as u16);
        rounds += 1;
        assert!(rounds <= arrivals.len());
    }
}

/// Writes feedback and reads it again; gives how many arrivals it covers.
fn feedback(
    out: &mut Vec<u8>,
    [sender, media]: [u32; 2],
    base: u16,
    reference: i64,
    count: u8,
    arrivals: &[Option<i64>],
) -> usize {
    let start = out.len();
    let covered = rtcp::write_transport_cc(out, sender, media, base, reference, count, arrivals);
    assert!(covered <= arrivals.len());
    if arrivals[..covered].iter().all(Option::is_none) {
        assert_eq!(out.len(), start, "nothing received, nothing told");
        return covered;
    }
    assert!(out.len() - start <= 1_200, "{} bytes", out.len() - start);
    let Some(RtcpPacket::TransportCc(q)) = only(&out[start..]) else { panic!("transport-cc") };
    assert_eq!((q.sender_ssrc, q.media_ssrc, q.fb_pkt_count), (sender, media, count));
    assert_eq!((q.base_seq, usize::from(q.status_count)), (base, covered));
    assert_eq!(i64::from(q.reference_time), i64::from((reference as i32) << 8 >> 8));
    let mut at = reference * 64_000;
    for (number, (told, arrival)) in q.statuses().zip(arrivals).enumerate() {
        let (seq, delta) = told;
        assert_eq!(seq, base.wrapping_add(number as u16));
        assert_eq!(delta.is_some(), arrival.is_some(), "number {number}");
        if let (Some(delta), Some(arrival)) = (delta, arrival) {
            at += i64::from(delta) * 250;
            assert_eq!(at, arrival.div_euclid(250) * 250, "number {number}");
        }
    }
    covered
}
