//! RTCP of a peer: its reports, and what the server asks and tells.

use super::send::Outgoing;
use super::{Crypto, SimPeer, ntp_of, seal_rtcp};
use std::time::Instant;
use weir_wire::rtcp::{self, RtcpPacket, SenderInfo};

impl SimPeer {
    pub(super) fn report(&mut self, now: Instant) {
        let now_us = self.micros(now);
        let ntp = ntp_of(now_us + self.setup.clock_ahead.as_micros() as u64);
        for track in &self.tracks {
            let rate = u64::from(track.source.codec.clock_rate());
            let mut out = Vec::new();
            for stream in track.streams.iter().filter(|stream| stream.packets > 0) {
                let ticks = (now_us * rate / 1_000_000) as u32;
                let info = SenderInfo {
                    ntp,
                    rtp_timestamp: stream.timestamp_base.wrapping_add(ticks),
                    packet_count: stream.packets,
                    octet_count: stream.octets,
                };
                rtcp::write_sender_report(&mut out, stream.ssrc, &info, &[]);
                rtcp::write_sdes_cname(&mut out, stream.ssrc, "sim");
            }
            if !out.is_empty() {
                self.out.extend(seal_rtcp(&mut self.crypto, &out));
            }
        }
        let blocks: Vec<_> = self.slots.iter_mut().filter_map(|slot| slot.report(now)).collect();
        let mut out = Vec::new();
        rtcp::write_receiver_report(&mut out, self.feedback_ssrc, &blocks);
        self.send_rtcp(&out);
    }

    pub(super) fn on_rtcp(&mut self, now: Instant, data: &[u8]) {
        let mut plain = vec![0; data.len()];
        let opened = match &mut self.crypto {
            Crypto::Keyed(srtp) => srtp.open_rtcp(data, &mut plain),
            Crypto::Dtls(transport) => transport.open_rtcp(data, &mut plain),
            Crypto::None => return,
        };
        let len = match opened {
            Ok(len) => len,
            Err(weir_session::SrtpError::Replayed) => return,
            Err(error) => return self.faults.push(format!("RTCP: {error}")),
        };
        self.largest_rtcp = self.largest_rtcp.max(data.len());
        let mut resent = Vec::new();
        for packet in rtcp::packets(&plain[..len]) {
            match packet {
                Ok(packet) => self.on_rtcp_packet(now, &packet, &mut resent),
                Err(error) => self.faults.push(format!("RTCP: {error}")),
            }
        }
        for packet in &resent {
            self.seal(packet);
        }
    }

    fn on_rtcp_packet(
        &mut self,
        now: Instant,
        packet: &RtcpPacket<'_>,
        resent: &mut Vec<Outgoing>,
    ) {
        match packet {
            RtcpPacket::SenderReport(report) => {
                if let Some(slot) = self.slots.iter_mut().find(|slot| slot.ssrc == report.ssrc) {
                    slot.last_sr = Some((report.info.ntp, report.info.rtp_timestamp, now));
                }
            }
            RtcpPacket::ReceiverReport(report) => {
                for block in report.reports() {
                    let mut streams = self.tracks.iter_mut().flat_map(|track| &mut track.streams);
                    if let Some(stream) = streams.find(|stream| stream.ssrc == block.ssrc) {
                        stream.report = Some(block);
                    }
                }
            }
            RtcpPacket::Nack(nack) => {
                for number in nack.sequence_numbers() {
                    for track in &mut self.tracks {
                        let wide = &mut self.wide;
                        resent.extend(track.resend(nack.media_ssrc, number, now, wide));
                    }
                }
            }
            RtcpPacket::Pli { media_ssrc, .. } => {
                for track in &mut self.tracks {
                    track.request_key_frame(*media_ssrc, now);
                }
            }
            RtcpPacket::Fir(fir) => {
                for entry in fir.entries() {
                    for track in &mut self.tracks {
                        track.request_key_frame(entry.ssrc, now);
                    }
                }
            }
            RtcpPacket::TransportCc(feedback) => {
                self.wide.feedbacks += 1;
                for (number, delta) in feedback.statuses() {
                    self.wide.feedback(number, delta.is_some());
                }
            }
            RtcpPacket::Remb(remb) => self.remb_bps = Some(remb.bitrate_bps),
            _ => {}
        }
    }
}
