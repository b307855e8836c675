//! What comes in at a peer.

use super::{Crypto, Feedback, LOOK, SimPeer, check, describe};
use std::net::SocketAddr;
use std::time::Instant;
use weir_session::{Output, TransportEvent};
use weir_sfu_api::{CodecKind, ExtensionKind, MediaKind};
use weir_wire::classify::{DatagramKind, classify};
use weir_wire::ext;
use weir_wire::rtp::{RtpPacket, parse_header};
use weir_wire::stun::{StunClass, StunMessage};

const CODECS: [CodecKind; 5] =
    [CodecKind::Opus, CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::Av1];

impl SimPeer {
    /// A datagram from the server at `src`.
    pub fn handle_input(&mut self, now: Instant, src: SocketAddr, data: &[u8]) {
        if !self.alive {
            return;
        }
        match classify(data) {
            DatagramKind::Stun => self.on_stun(now, src, data),
            DatagramKind::Dtls => {
                if let Crypto::Dtls(transport) = &mut self.crypto {
                    let _ = transport.handle_dtls(now, src, data);
                    self.drain_dtls(now);
                }
            }
            DatagramKind::Rtp => self.on_rtp(now, data),
            DatagramKind::Rtcp => self.on_rtcp(now, data),
            DatagramKind::Unknown => self.faults.push("unknown datagram".to_owned()),
        }
        if self.next_look.is_none() && self.wants_look() {
            self.next_look = Some(now + LOOK);
        }
    }

    fn on_stun(&mut self, now: Instant, src: SocketAddr, data: &[u8]) {
        let good =
            StunMessage::parse(data).is_ok_and(|message| message.class() == StunClass::Success);
        if !good {
            return;
        }
        self.checks_answered += 1;
        let Some(server) = self.server.as_ref() else { return };
        if let Crypto::Dtls(transport) = &mut self.crypto
            && transport.path().is_none()
        {
            // This transport is lite too and wants a check: as if the server had sent one.
            let request = check(&self.ice, &server.ice.ufrag, *b"as from peer");
            let _ = transport.handle_stun(now, src, None, &request);
            self.drain_dtls(now);
        }
    }

    pub(super) fn drain_dtls(&mut self, _now: Instant) {
        let Crypto::Dtls(transport) = &mut self.crypto else { return };
        while let Some(output) = transport.poll_output() {
            match output {
                Output::Transmit { data, .. } if classify(&data) == DatagramKind::Dtls => {
                    self.out.push_back(data.to_vec());
                }
                Output::Event(TransportEvent::Connected { .. }) => self.connected = true,
                Output::Event(TransportEvent::ClosedByPeer) => self.connected = false,
                Output::Event(TransportEvent::HandshakeFailed(why)) => self.faults.push(why),
                Output::Transmit { .. } | Output::Event(_) => {}
            }
        }
    }

    fn note_arrival(&mut self, now: Instant, rtp: &RtpPacket<'_>, bytes: usize) {
        let wide =
            describe::extensions(self.setup.dialect, MediaKind::Audio, self.setup.transport_cc)
                .id(ExtensionKind::TransportCc)
                .map(|id| rtp.extension(id).and_then(ext::read_transport_cc));
        match wide {
            Some(Some(number)) => {
                let arrival_us = now.saturating_duration_since(self.base).as_micros() as i64;
                self.arrivals.note(number, rtp.ssrc(), arrival_us, bytes);
                if self.next_feedback.is_none() && self.manners.feedback != Feedback::Never {
                    self.next_feedback = Some(now + self.manners.feedback_interval);
                }
            }
            Some(None) => self.arrivals.without_number += 1,
            None => {}
        }
    }

    /// Reads the header, which is in clear, and nothing else.
    fn skim(&mut self, now: Instant, header_len: usize, data: &[u8]) {
        let mut bytes = [0; 300];
        let Some(head) = data.get(..header_len).filter(|head| head.len() < bytes.len()) else {
            return self.faults.push("a long header".to_owned());
        };
        bytes[..header_len].copy_from_slice(head);
        // How much padding there is stands in the sealed part.
        bytes[0] &= !0x20;
        let Ok(rtp) = RtpPacket::parse(&bytes[..=header_len]) else {
            return self.faults.push("malformed RTP".to_owned());
        };
        self.note_arrival(now, &rtp, data.len());
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.ssrc == rtp.ssrc()) {
            slot.skim(now, rtp.sequence_number(), rtp.marker(), data.len());
        } else if !self.slots.iter().any(|slot| slot.rtx_ssrc == Some(rtp.ssrc())) {
            self.faults.push(format!("SSRC {} belongs to no slot", rtp.ssrc()));
        }
    }

    fn on_rtp(&mut self, now: Instant, data: &[u8]) {
        let Ok(header) = parse_header(data) else {
            return self.faults.push("malformed RTP".to_owned());
        };
        if self.setup.skims {
            return self.skim(now, header.header_len, data);
        }
        let mut plain = vec![0; data.len()];
        let opened = match &mut self.crypto {
            Crypto::Keyed(srtp) => srtp.open_rtp(
                header.ssrc,
                header.sequence_number,
                header.header_len,
                data,
                &mut plain,
            ),
            Crypto::Dtls(transport) => transport.open_rtp(data, &header, &mut plain),
            Crypto::None => return,
        };
        let len = match opened {
            Ok(opened) => opened.len,
            // The network's copy.
            Err(weir_session::SrtpError::Replayed) => return,
            Err(error) => return self.faults.push(format!("{header:?}: {error}")),
        };
        let Ok(rtp) = RtpPacket::parse(&plain[..len]) else {
            return self.faults.push("malformed RTP".to_owned());
        };
        let dialect = self.setup.dialect;
        self.note_arrival(now, &rtp, data.len());
        let slot = self
            .slots
            .iter_mut()
            .find(|slot| slot.ssrc == rtp.ssrc() || slot.rtx_ssrc == Some(rtp.ssrc()));
        let Some(slot) = slot else {
            return self.faults.push(format!("SSRC {} belongs to no slot", rtp.ssrc()));
        };
        let rtx = slot.rtx_ssrc == Some(rtp.ssrc());
        let codec = CODECS.into_iter().find(|codec| {
            let (media, repair) = describe::numbers(dialect, *codec);
            if rtx { repair == Some(rtp.payload_type()) } else { media == rtp.payload_type() }
        });
        let Some(codec) = codec.filter(|codec| !self.setup.without.contains(codec)) else {
            return self.faults.push(format!("payload type {} unknown", rtp.payload_type()));
        };
        if rtx && rtp.payload().len() < 2 {
            // Padding on the RTX stream, as a probe. With a number alone it repeats an empty packet.
            slot.counters.probes += 1;
            slot.counters.padding += rtp.padding_len() as u64;
            return;
        }
        let map = describe::extensions(dialect, slot.kind, self.setup.transport_cc);
        let value = |kind| map.id(kind).and_then(|id| rtp.extension(id));
        if let Some(level) = value(ExtensionKind::AudioLevel).and_then(<[u8]>::first) {
            *slot.levels.entry(level & 0x7f).or_default() += 1;
        }
        let original = rtx.then(|| {
            let number = rtp.payload().first_chunk::<2>().copied().unwrap_or_default();
            u16::from_be_bytes(number)
        });
        slot.take(now, &rtp, codec, original, value(ExtensionKind::DependencyDescriptor));
    }
}
