//! Sender reports to receivers and receiver reports to publishers (RFC 3550 6.4).

use crate::peer::Peer;
use crate::room::Track;
use crate::slab::Slab;
use crate::slot::Slot;
use std::time::Instant;
use weir_wire::rtcp::{self, ReportBlock, SenderInfo};

/// The source behind a slot: its report state, copied so that the receiver can be written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceTime {
    /// RTP time of the source at our `ntp`.
    pub(crate) rtp_now: u32,
}

/// RTP time of what `slot` forwards, at our NTP time `ntp`.
pub(crate) fn source_time(
    slot: &Slot,
    tracks: &Slab<Track>,
    peers: &Slab<Peer>,
    ntp: u64,
) -> Option<SourceTime> {
    let uid = slot.rewriter.current()?;
    let track = tracks.get(slot.track?)?;
    let publisher = peers.get(track.publisher)?;
    let publication = publisher.publications.get(usize::from(track.publication))?;
    let stream = publication
        .layers
        .iter()
        .filter_map(|layer| layer.stream.as_ref())
        .find(|stream| stream.uid == uid)?;
    // Publishers' clocks are mapped to ours, so that all streams of one stay in sync.
    let source_ntp = ntp.wrapping_sub(publisher.ntp_offset?.cast_unsigned());
    Some(SourceTime { rtp_now: stream.rtp_at(source_ntp)? })
}

/// Appends a sender report with CNAME for one slot.
pub(crate) fn write_sender_report(
    slot: &Slot,
    source: SourceTime,
    ntp: u64,
    out: &mut Vec<u8>,
) -> Option<()> {
    let offset = slot.rewriter.timestamp_offset()?;
    let info = SenderInfo {
        ntp,
        rtp_timestamp: source.rtp_now.wrapping_add(offset),
        packet_count: slot.sent_packets as u32,
        octet_count: slot.sent_octets as u32,
    };
    rtcp::write_sender_report(out, slot.ssrc, &info, &[]);
    rtcp::write_sdes_cname(out, slot.ssrc, &slot.answer.cname);
    Some(())
}

/// Appends receiver reports on everything the peer publishes. Gives the worst loss (of 256) and
/// the bits per second received.
pub(crate) fn write_receiver_reports(
    peer: &mut Peer,
    now: Instant,
    blocks: &mut Vec<ReportBlock>,
    out: &mut Vec<u8>,
) -> (u8, u64) {
    blocks.clear();
    let mut bps = 0u64;
    for publication in &mut peer.publications {
        for layer in &mut publication.layers {
            if let Some(stream) = layer.stream.as_mut().filter(|stream| stream.is_active(now)) {
                blocks.extend(stream.report(now));
                bps = bps.saturating_add(stream.bitrate_bps);
            }
        }
    }
    let worst = blocks.iter().map(|block| block.fraction_lost).max().unwrap_or(0);
    // At most 31 blocks fit one report (5-bit count).
    for chunk in blocks.chunks(31) {
        rtcp::write_receiver_report(out, peer.feedback_ssrc, chunk);
    }
    (worst, bps)
}

/// The publisher's NTP `sender` arrived when ours was `ours`: keeps the smallest offset, which is
/// that of the least delayed report, and follows a drifting clock by a little each time.
pub(crate) fn update_ntp_offset(peer: &mut Peer, sender: u64, ours: u64) {
    let offset = ours.wrapping_sub(sender).cast_signed();
    peer.ntp_offset = Some(match peer.ntp_offset {
        None => offset,
        Some(known) => {
            let diff = offset.wrapping_sub(known);
            // More than 5 s apart: the clock was set. Smaller: less delayed.
            if diff < 0 || diff.unsigned_abs() > 5 << 32 {
                offset
            } else {
                known.wrapping_add(diff >> 6)
            }
        }
    });
}

/// Round trip from a report block (RFC 3550 6.4.1) in microseconds.
pub(crate) fn round_trip(block: &ReportBlock, now_compact: u32) -> Option<u64> {
    if block.last_sr == 0 {
        return None;
    }
    let rtt = now_compact.wrapping_sub(block.last_sr).wrapping_sub(block.delay_since_last_sr);
    // A negative value is a clock that ran backwards at the peer.
    (rtt.cast_signed() >= 0).then(|| crate::clock::compact_to_micros(rtt))
}

/// Where a new layer's first packet belongs in the receiver's time, when both layers have sender
/// reports of the same publisher: `old` and `new` are the layers' streams.
pub(crate) fn align(
    old: &crate::ingress::stream::Stream,
    new: &crate::ingress::stream::Stream,
    timestamp: u32,
    offset: u32,
) -> Option<u32> {
    let captured = new.ntp_of(timestamp)?;
    Some(old.rtp_at(captured)?.wrapping_add(offset))
}
