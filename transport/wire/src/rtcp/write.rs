//! Writers. Each appends one packet.

use super::{
    BYE, DlrrItem, FMT_AFB, FMT_FIR, FMT_NACK, FMT_PLI, FirEntry, PSFB, RR, RTPFB, ReportBlock,
    SDES, SR, SenderInfo, XR,
};
use crate::read::put;

/// Most report blocks in one SR or RR; more need another packet.
pub const MAX_REPORT_BLOCKS: usize = 31;
/// Most PID+BLP pairs [`write_nack`] puts into one packet.
pub const MAX_NACK_PAIRS: usize = 256;

/// Appends a packet whose body `fill` writes, padded to 32 bits with the P bit when needed.
pub(super) fn packet(out: &mut Vec<u8>, kind: u8, count: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | (count & 0x1f), kind, 0, 0]);
    fill(out);
    let len = out.len().saturating_sub(start);
    let missing = len.next_multiple_of(4).saturating_sub(len);
    if missing != 0 {
        out.resize(out.len().saturating_add(missing), 0);
        if let Some(last) = out.last_mut() {
            *last = u8::try_from(missing).unwrap_or(0);
        }
        if let Some(first) = out.get_mut(start) {
            *first |= 0x20;
        }
    }
    let words = (out.len().saturating_sub(start) / 4).saturating_sub(1);
    let words = u16::try_from(words).unwrap_or(u16::MAX);
    put(out, start.saturating_add(2), &words.to_be_bytes());
}

fn push(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// As many items as five bits can count, and that count.
fn at_most_31<T>(items: &[T]) -> (&[T], u8) {
    let items = items.get(..MAX_REPORT_BLOCKS).unwrap_or(items);
    (items, u8::try_from(items.len()).unwrap_or(0))
}

/// Appends an SR; blocks after the 31st are left out.
pub fn write_sender_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    info: &SenderInfo,
    reports: &[ReportBlock],
) {
    let (reports, count) = at_most_31(reports);
    packet(out, SR, count, |out| {
        push(out, ssrc);
        out.extend_from_slice(&info.ntp.to_be_bytes());
        push(out, info.rtp_timestamp);
        push(out, info.packet_count);
        push(out, info.octet_count);
        for report in reports {
            report.write(out);
        }
    });
}

/// Appends an RR; blocks after the 31st are left out.
pub fn write_receiver_report(out: &mut Vec<u8>, ssrc: u32, reports: &[ReportBlock]) {
    let (reports, count) = at_most_31(reports);
    packet(out, RR, count, |out| {
        push(out, ssrc);
        for report in reports {
            report.write(out);
        }
    });
}

/// Appends an SDES with one CNAME, cut at 255 bytes.
pub fn write_sdes_cname(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let text = cut_at_255(cname);
    packet(out, SDES, 1, |out| {
        push(out, ssrc);
        out.extend_from_slice(&[1, u8::try_from(text.len()).unwrap_or(0)]);
        out.extend_from_slice(text);
        // One zero ends the items, more fill the word. SSRC and packet header are aligned.
        let zeros = 4_usize.saturating_sub(text.len().saturating_add(2) % 4);
        out.resize(out.len().saturating_add(zeros), 0);
    });
}

fn cut_at_255(text: &str) -> &[u8] {
    text.get(..text.floor_char_boundary(255)).unwrap_or_default().as_bytes()
}

/// Appends a BYE; sources after the 31st are left out, the reason is cut at 255 bytes.
pub fn write_bye(out: &mut Vec<u8>, ssrcs: &[u32], reason: Option<&str>) {
    let (ssrcs, count) = at_most_31(ssrcs);
    packet(out, BYE, count, |out| {
        for ssrc in ssrcs {
            push(out, *ssrc);
        }
        if let Some(reason) = reason {
            let text = cut_at_255(reason);
            out.push(u8::try_from(text.len()).unwrap_or(0));
            out.extend_from_slice(text);
            let len = text.len().saturating_add(1);
            let zeros = len.next_multiple_of(4).saturating_sub(len);
            out.resize(out.len().saturating_add(zeros), 0);
        }
    });
}

/// Appends a PLI.
pub fn write_pli(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32) {
    packet(out, PSFB, FMT_PLI, |out| {
        push(out, sender_ssrc);
        push(out, media_ssrc);
    });
}

/// Appends a FIR.
pub fn write_fir(out: &mut Vec<u8>, sender_ssrc: u32, entries: &[FirEntry]) {
    packet(out, PSFB, FMT_FIR, |out| {
        push(out, sender_ssrc);
        push(out, 0);
        for entry in entries.iter().take(MAX_NACK_PAIRS) {
            push(out, entry.ssrc);
            push(out, u32::from(entry.seq_nr) << 24);
        }
    });
}

/// Appends a NACK of `missing`, which should ascend (with wrap-around) to be packed well.
/// Nothing is written for no numbers. Returns how many of them are in the packet: fewer than all
/// when [`MAX_NACK_PAIRS`] are full.
pub fn write_nack(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32, missing: &[u16]) -> usize {
    let mut rest = missing;
    if rest.is_empty() {
        return 0;
    }
    packet(out, RTPFB, FMT_NACK, |out| {
        push(out, sender_ssrc);
        push(out, media_ssrc);
        for _ in 0..MAX_NACK_PAIRS {
            let Some((first, mut tail)) = rest.split_first() else { break };
            let mut mask = 0_u16;
            while let Some((next, after)) = tail.split_first() {
                match next.wrapping_sub(*first) {
                    0 => {}
                    ahead @ 1..=16 => mask |= 1 << u32::from(ahead).saturating_sub(1),
                    _ => break,
                }
                tail = after;
            }
            rest = tail;
            out.extend_from_slice(&first.to_be_bytes());
            out.extend_from_slice(&mask.to_be_bytes());
        }
    });
    missing.len().saturating_sub(rest.len())
}

/// Appends a REMB; the bitrate is rounded down to 18 significant bits, streams after the 255th
/// are left out.
pub fn write_remb(out: &mut Vec<u8>, sender_ssrc: u32, bitrate_bps: u64, ssrcs: &[u32]) {
    let ssrcs = ssrcs.get(..255).unwrap_or(ssrcs);
    let exponent = 64_u32.saturating_sub(bitrate_bps.leading_zeros()).saturating_sub(18);
    let mantissa = bitrate_bps.checked_shr(exponent).unwrap_or(0);
    let [.., m0, m1, m2] = mantissa.to_be_bytes();
    let exponent = u8::try_from(exponent).unwrap_or(0);
    packet(out, PSFB, FMT_AFB, |out| {
        push(out, sender_ssrc);
        push(out, 0);
        out.extend_from_slice(b"REMB");
        let count = u8::try_from(ssrcs.len()).unwrap_or(0);
        out.extend_from_slice(&[count, exponent << 2 | (m0 & 3), m1, m2]);
        for ssrc in ssrcs {
            push(out, *ssrc);
        }
    });
}

/// Appends an XR with one DLRR block; items after the 256th are left out.
pub fn write_xr_dlrr(out: &mut Vec<u8>, sender_ssrc: u32, items: &[DlrrItem]) {
    let items = items.get(..256).unwrap_or(items);
    packet(out, XR, 0, |out| {
        push(out, sender_ssrc);
        let words = u16::try_from(items.len().saturating_mul(3)).unwrap_or(0);
        out.extend_from_slice(&[5, 0]);
        out.extend_from_slice(&words.to_be_bytes());
        for item in items {
            push(out, item.ssrc);
            push(out, item.last_rr);
            push(out, item.delay_since_last_rr);
        }
    });
}

/// Appends an XR with a receiver reference time in NTP format.
pub fn write_xr_rrtr(out: &mut Vec<u8>, sender_ssrc: u32, ntp: u64) {
    packet(out, XR, 0, |out| {
        push(out, sender_ssrc);
        out.extend_from_slice(&[4, 0, 0, 2]);
        out.extend_from_slice(&ntp.to_be_bytes());
    });
}
