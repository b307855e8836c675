//! The full `rtc` peer (webrtc-rs) as a client.

use super::frames::Kind;
use super::stack::{Make, Polled, Received, Source, Stack};
use bytes::{Bytes, BytesMut};
use rtc::crypto::{self, SignatureScheme};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::{RTCPeerConnectionEvent, RTCTrackEvent};
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp::Packet;
use rtc::rtp::packetizer::{Packetizer, new_packetizer};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{
    RTCRtpReceiverId, RTCRtpSenderId, RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Largest RTP packet.
const MTU: usize = 1200;
/// Packets kept while a frame is not whole.
const WINDOW: usize = 512;

/// A webrtc-rs client, and what is unusual about it.
#[derive(Default)]
pub(crate) struct Rtc {
    /// The SRTP profiles it offers in DTLS, in its order; its own choice when empty.
    pub(crate) profiles: Vec<SrtpProtectionProfile>,
    /// Its certificate has an RSA key in place of one on P-256.
    pub(crate) rsa: bool,
}

impl Make for Rtc {
    fn make(self, local: SocketAddr, now: Instant) -> Box<dyn Stack> {
        let mut media = MediaEngine::default();
        media.register_default_codecs().unwrap();
        let registry =
            register_default_interceptors(rtc::interceptor::Registry::new(), &mut media).unwrap();
        let mut settings = SettingEngineBuilder::new();
        if !self.profiles.is_empty() {
            settings = settings.with_srtp_protection_profiles(self.profiles);
        }
        let mut config = RTCConfigurationBuilder::new();
        if self.rsa {
            config = config.with_certificates(vec![rsa_certificate()]);
        }
        let pc = RTCPeerConnectionBuilder::new()
            .with_configuration(config.build())
            .with_setting_engine(settings.build())
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .build(now)
            .unwrap();
        let mut stack = RtcStack {
            pc,
            local,
            senders: BTreeMap::new(),
            answered: Vec::new(),
            outgoing: BTreeMap::new(),
            receivers: HashMap::new(),
            incoming: HashMap::new(),
            connected: false,
            failed: None,
        };
        stack.add_candidate();
        Box::new(stack)
    }
}

fn rsa_certificate() -> RTCCertificate {
    let provider = crypto::default_provider().unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let key = provider
        .crypto()
        .import_signing_key(SignatureScheme::RsaPkcs1Sha256, &key.serialize_der())
        .unwrap();
    let params = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    RTCCertificate::generate_from_signing_key(params, SignatureScheme::RsaPkcs1Sha256, key).unwrap()
}

struct RtcStack {
    pc: RTCPeerConnection,
    local: SocketAddr,
    senders: BTreeMap<Source, RTCRtpSenderId>,
    answered: Vec<Source>,
    outgoing: BTreeMap<Source, Box<dyn Packetizer>>,
    /// By track id.
    receivers: HashMap<String, (String, Kind)>,
    incoming: HashMap<(String, u32), Assembly>,
    connected: bool,
    failed: Option<String>,
}

fn codec_kind(kind: Kind) -> RtpCodecKind {
    match kind {
        Kind::Audio => RtpCodecKind::Audio,
        Kind::Video => RtpCodecKind::Video,
    }
}

fn codec(kind: Kind) -> RTCRtpCodec {
    let (mime_type, clock_rate, channels) = match kind {
        Kind::Audio => (MIME_TYPE_OPUS, 48_000, 2),
        Kind::Video => (MIME_TYPE_VP8, 90_000, 0),
    };
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![],
    }
}

impl Stack for RtcStack {
    fn publish(&mut self, source: Source) {
        let word = source.word();
        // Any number that is not another source's.
        let ssrc = 0x5200_0000 + u32::from(self.local.port()) * 8 + source as u32;
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec: codec(source.kind()),
            ..RTCRtpEncodingParameters::default()
        };
        let track = MediaStreamTrack::new(
            format!("stream-{word}"),
            format!("track-{word}"),
            word.to_owned(),
            codec_kind(source.kind()),
            vec![encoding.clone()],
        );
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: vec![format!("stream-{word}")],
            send_encodings: vec![encoding],
        };
        let id = self.pc.add_transceiver_from_track(track, Some(init)).unwrap();
        let sender = self.pc.rtp_transceiver(id).unwrap().sender().unwrap();
        self.senders.insert(source, sender);
    }

    fn slot(&mut self, kind: Kind) {
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            streams: vec![],
            send_encodings: vec![],
        };
        self.pc.add_transceiver_from_kind(codec_kind(kind), Some(init)).unwrap();
    }

    fn restart_ice(&mut self) {
        self.pc.restart_ice();
    }

    fn offer(&mut self, now: Instant) -> String {
        let offer = self.pc.create_offer(None).unwrap();
        let old = self.pc.local_description().is_some();
        self.pc.set_local_description(now, offer).unwrap();
        if old {
            // A restart of ICE forgets the candidates it had.
            self.add_candidate();
        }
        self.pc.local_description().unwrap().sdp
    }

    fn answer(&mut self, now: Instant, sdp: &str) {
        let answer = RTCSessionDescription::answer(sdp.to_owned()).unwrap();
        self.pc.set_remote_description(now, answer).unwrap();
        self.answered = self.senders.keys().copied().collect();
    }

    fn mids(&mut self) -> Vec<(Source, String)> {
        let ids: Vec<_> = self.pc.get_transceivers().collect();
        let senders: Vec<_> = self.senders.iter().map(|(source, id)| (*source, *id)).collect();
        let mut found = Vec::new();
        for id in ids {
            let transceiver = self.pc.rtp_transceiver(id).unwrap();
            let (mid, sender) = (transceiver.mid().clone(), transceiver.sender());
            let source = senders.iter().find(|(_, one)| Some(*one) == sender);
            if let (Some(mid), Some((source, _))) = (mid, source) {
                found.push((*source, mid));
            }
        }
        found
    }

    fn answered(&self) -> Vec<Source> {
        self.answered.clone()
    }

    fn datagram(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let transport = TransportContext {
            local_addr: self.local,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        // Errors are of single datagrams: a late one after a restart of ICE, for example.
        let _ =
            self.pc.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(data) });
    }

    fn poll(&mut self, now: Instant) -> Polled {
        if self.pc.poll_timeout().is_some_and(|at| at <= now)
            && let Err(error) = self.pc.handle_timeout(now)
        {
            self.failed.get_or_insert(format!("timeout: {error}"));
        }
        let mut datagrams = Vec::new();
        while let Some(one) = self.pc.poll_write() {
            datagrams.push((one.transport.peer_addr, one.message.to_vec()));
        }
        while let Some(event) = self.pc.poll_event() {
            self.event(event);
        }
        let mut received = Vec::new();
        while let Some(message) = self.pc.poll_read() {
            if let RTCMessage::RtpPacket(track, packet) = message.message {
                self.packet(&track, packet, &mut received);
            }
        }
        let wake = self.pc.poll_timeout().unwrap_or(now + Duration::from_millis(100));
        Polled {
            datagrams,
            received,
            connected: self.connected,
            failed: self.failed.clone(),
            // Its interceptors keep RTCP to themselves.
            key_frames: Vec::new(),
            wake,
        }
    }

    fn send(&mut self, now: Instant, source: Source, _: u64, frame: &[u8]) {
        let mut sender = self.pc.rtp_sender(self.senders[&source]).unwrap();
        if let Entry::Vacant(entry) = self.outgoing.entry(source) {
            let ssrc = sender.track().ssrcs().last().unwrap();
            let codecs = &sender.get_parameters().rtp_parameters.codecs;
            let wanted = codec(source.kind()).mime_type;
            let found = codecs.iter().find(|one| one.rtp_codec.mime_type == wanted);
            let codec = found.cloned().expect("it was answered");
            let sequencer = Box::new(rtc::rtp::sequence::new_random_sequencer());
            let payloader = codec.rtp_codec.payloader().unwrap();
            let packetizer = new_packetizer(
                now,
                MTU,
                codec.payload_type,
                ssrc,
                payloader,
                sequencer,
                codec.rtp_codec.clock_rate,
            );
            entry.insert(Box::new(packetizer));
        }
        let samples = if source.kind() == Kind::Audio { 48 * 20 } else { 90 * 40 };
        let packetizer = self.outgoing.get_mut(&source).unwrap();
        let packets = packetizer.packetize(now, &Bytes::copy_from_slice(frame), samples).unwrap();
        for packet in packets {
            if let Err(error) = sender.write_rtp(now, packet) {
                self.failed.get_or_insert(format!("writing: {error}"));
            }
        }
    }
}

impl RtcStack {
    fn add_candidate(&mut self) {
        let base_config = CandidateConfig {
            network: "udp".to_owned(),
            address: self.local.ip().to_string(),
            port: self.local.port(),
            component: 1,
            ..CandidateConfig::default()
        };
        let candidate = CandidateHostConfig { base_config, ..CandidateHostConfig::default() };
        let candidate = candidate.new_candidate_host().unwrap();
        let candidate = RTCIceCandidate::from(&candidate).to_json().unwrap();
        self.pc.add_local_candidate(candidate).unwrap();
    }

    fn event(&mut self, event: RTCPeerConnectionEvent) {
        match event {
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) => {
                self.connected = state == RTCPeerConnectionState::Connected;
                if state == RTCPeerConnectionState::Failed {
                    self.failed.get_or_insert("connection state is failed".to_owned());
                }
            }
            RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) => {
                let (mid, kind) = self.line_of(track.receiver_id);
                self.receivers.insert(track.track_id, (mid, kind));
            }
            _ => {}
        }
    }

    fn line_of(&mut self, receiver: RTCRtpReceiverId) -> (String, Kind) {
        let ids: Vec<_> = self.pc.get_transceivers().collect();
        let found = ids.into_iter().find_map(|id| {
            let transceiver = self.pc.rtp_transceiver(id)?;
            if transceiver.receiver() != Some(receiver) {
                return None;
            }
            transceiver.mid().clone()
        });
        let is_video =
            self.pc.rtp_receiver(receiver).unwrap().track().kind() == RtpCodecKind::Video;
        (found.unwrap(), if is_video { Kind::Video } else { Kind::Audio })
    }

    fn packet(&mut self, track: &str, packet: Packet, received: &mut Vec<Received>) {
        let Some((mid, kind)) = self.receivers.get(track).cloned() else {
            self.failed.get_or_insert(format!("a packet of unknown track {track}"));
            return;
        };
        if kind == Kind::Audio {
            received.push(Received { mid, kind, frame: packet.payload.to_vec() });
            return;
        }
        let assembly = self.incoming.entry((mid.clone(), packet.header.ssrc)).or_default();
        for frame in assembly.push(packet) {
            received.push(Received { mid: mid.clone(), kind, frame });
        }
    }
}

/// Puts VP8 frames together in the order of sequence numbers.
#[derive(Default)]
struct Assembly {
    newest: Option<i64>,
    packets: BTreeMap<i64, Packet>,
}

impl Assembly {
    fn push(&mut self, packet: Packet) -> Vec<Vec<u8>> {
        let newest = *self.newest.get_or_insert(i64::from(packet.header.sequence_number));
        let step = packet.header.sequence_number.wrapping_sub(newest as u16) as i16;
        let number = newest + i64::from(step);
        self.newest = Some(newest.max(number));
        self.packets.insert(number, packet);
        let mut frames = Vec::new();
        while let Some((end, frame)) = self.whole() {
            self.packets = self.packets.split_off(&(end + 1));
            frames.push(frame);
        }
        while self.packets.len() > WINDOW {
            self.packets.pop_first();
        }
        frames
    }

    /// The first frame that is whole, and its last packet.
    fn whole(&self) -> Option<(i64, Vec<u8>)> {
        let mut begun = false;
        let mut frame = Vec::new();
        let mut expected = None;
        for (number, packet) in &self.packets {
            // Probes carry padding only.
            if packet.payload.is_empty() {
                expected = Some(number + 1);
                continue;
            }
            let (is_first, bytes) = split(&packet.payload);
            if is_first {
                begun = true;
                frame.clear();
            } else if !begun || expected != Some(*number) {
                begun = false;
                continue;
            }
            expected = Some(number + 1);
            frame.extend_from_slice(bytes);
            if packet.header.marker {
                return Some((*number, frame));
            }
        }
        None
    }
}

/// Does a packet begin a frame, and what follows its payload descriptor (RFC 7741 4.2)? Not rtc's
/// `Vp8Packet`, which refuses packets of less than four bytes.
fn split(payload: &[u8]) -> (bool, &[u8]) {
    let first = payload[0];
    let mut at = 1;
    if first & 0x80 != 0 {
        let extended = payload[at];
        at += 1;
        if extended & 0x80 != 0 {
            at += if payload[at] & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extended & 0x40 != 0) + usize::from(extended & 0x30 != 0);
    }
    (first & 0x17 == 0x10, &payload[at..])
}
