//! RTCP: compound (RFC 3550 section 6.1) and reduced-size (RFC 5506) packets.
//!
//! Feedback: RFC 4585, RFC 5104, transport-wide congestion control
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01), REMB (draft-alvestrand-rmcat-remb-03),
//! extended reports (RFC 3611).

mod feedback;
mod report;
mod transport_cc;
mod write;

#[cfg(test)]
mod tests;

pub use feedback::{DlrrItem, Fir, FirEntry, Nack, Remb, Xr};
pub use report::{Bye, ReceiverReport, ReportBlock, Sdes, SdesChunk, SenderInfo, SenderReport};
pub use transport_cc::{
    MAX_TRANSPORT_CC_BYTES, MAX_TRANSPORT_CC_STATUSES, TransportCc, TransportCcStatuses,
    reference_time_64ms, write_transport_cc,
};
pub use write::{
    MAX_NACK_PAIRS, MAX_REPORT_BLOCKS, write_bye, write_fir, write_nack, write_pli,
    write_receiver_report, write_remb, write_sdes_cname, write_sender_report, write_xr_dlrr,
    write_xr_rrtr,
};

use crate::{ParseError, read::Reader};

/// Sender report.
pub const SR: u8 = 200;
/// Receiver report.
pub const RR: u8 = 201;
/// Source description.
pub const SDES: u8 = 202;
/// Goodbye.
pub const BYE: u8 = 203;
/// Application-defined.
pub const APP: u8 = 204;
/// Transport-layer feedback.
pub const RTPFB: u8 = 205;
/// Payload-specific feedback.
pub const PSFB: u8 = 206;
/// Extended report.
pub const XR: u8 = 207;

const FMT_NACK: u8 = 1;
const FMT_TRANSPORT_CC: u8 = 15;
const FMT_PLI: u8 = 1;
const FMT_FIR: u8 = 4;
const FMT_AFB: u8 = 15;

/// One packet of a compound packet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RtcpPacket<'a> {
    /// SR.
    SenderReport(SenderReport<'a>),
    /// RR.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES.
    Sdes(Sdes<'a>),
    /// BYE.
    Bye(Bye<'a>),
    /// Generic NACK.
    Nack(Nack<'a>),
    /// Transport-wide congestion control feedback.
    TransportCc(TransportCc<'a>),
    /// Picture loss indication: a request for a key frame.
    Pli {
        /// Who asks.
        sender_ssrc: u32,
        /// The stream that shall send one.
        media_ssrc: u32,
    },
    /// Full intra request: a request for a key frame.
    Fir(Fir<'a>),
    /// Receiver estimated maximum bitrate.
    Remb(Remb<'a>),
    /// Extended report.
    Xr(Xr<'a>),
    /// Well-formed but not understood here.
    Other {
        /// Packet type, 192 to 223 on a shared port.
        packet_type: u8,
        /// The header's five bits: count, subtype or feedback message type.
        count: u8,
    },
}

/// Iterator made by [`packets`].
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    reader: Reader<'a>,
    failed: bool,
}

/// The packets in `bytes` (decrypted, without SRTCP's trailer). The first error is the last item.
#[must_use]
pub fn packets(bytes: &[u8]) -> Packets<'_> {
    Packets { reader: Reader::new(bytes), failed: false }
}

impl<'a> Packets<'a> {
    fn read(&mut self) -> Result<RtcpPacket<'a>, ParseError> {
        let at = self.reader.pos();
        let [first, packet_type] = self.reader.array::<2>("RTCP header")?;
        if first >> 6 != 2 {
            return Err(ParseError::new("RTCP version", at));
        }
        let words = self.reader.u16("RTCP header")?;
        let mut body = self.reader.take(usize::from(words).saturating_mul(4), "RTCP length")?;
        if first & 0x20 != 0 {
            let padding = usize::from(body.last().copied().unwrap_or(0));
            let end = body.len().checked_sub(padding).filter(|_| padding != 0);
            body = end
                .and_then(|end| body.get(..end))
                .ok_or(ParseError::new("RTCP padding count", self.reader.pos()))?;
        }
        parse_body(packet_type, first & 0x1f, body)
            .map_err(|e| ParseError::new(e.what, at.saturating_add(4).saturating_add(e.offset)))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.reader.is_empty() {
            return None;
        }
        let packet = self.read();
        self.failed = packet.is_err();
        Some(packet)
    }
}

fn parse_body(packet_type: u8, count: u8, body: &[u8]) -> Result<RtcpPacket<'_>, ParseError> {
    let mut r = Reader::new(body);
    Ok(match (packet_type, count) {
        (SR, _) => RtcpPacket::SenderReport(SenderReport::parse(&mut r, count)?),
        (RR, _) => RtcpPacket::ReceiverReport(ReceiverReport::parse(&mut r, count)?),
        (SDES, _) => RtcpPacket::Sdes(Sdes::parse(body, count)?),
        (BYE, _) => RtcpPacket::Bye(Bye::parse(&mut r, count)?),
        (RTPFB, FMT_NACK) => RtcpPacket::Nack(Nack::parse(&mut r)?),
        (RTPFB, FMT_TRANSPORT_CC) => RtcpPacket::TransportCc(TransportCc::parse(&mut r)?),
        (PSFB, FMT_PLI) => RtcpPacket::Pli {
            sender_ssrc: r.u32("PLI sender SSRC")?,
            media_ssrc: r.u32("PLI media SSRC")?,
        },
        (PSFB, FMT_FIR) => RtcpPacket::Fir(Fir::parse(&mut r)?),
        (PSFB, FMT_AFB) => match Remb::parse(&mut r)? {
            Some(remb) => RtcpPacket::Remb(remb),
            None => RtcpPacket::Other { packet_type, count },
        },
        (XR, _) => RtcpPacket::Xr(Xr::parse(&mut r)?),
        _ => RtcpPacket::Other { packet_type, count },
    })
}
