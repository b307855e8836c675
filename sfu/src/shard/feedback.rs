//! STUN, DTLS and RTCP that come in; NACK, key-frame requests and reports that go out.

use super::Shard;
use crate::clock::compact_ntp;
use crate::counters::{DropReason, LateReason, bump};
use crate::egress::queue::Item;
use crate::egress::reports;
use crate::limits;
use crate::select::Level;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use weir_session::{Drop, Output, PeerTransport, SrtpError, TransportEvent};
use weir_sfu_api::{Event, GoneReason, MediaKind};
use weir_wire::rtcp::{self, FirEntry, ReportBlock, RtcpPacket};
use weir_wire::stun::StunMessage;

impl Shard {
    /// A connectivity check: answered by the peer whose user name fragment it names.
    pub(super) fn on_stun(
        &mut self,
        now: Instant,
        src: SocketAddr,
        dst: Option<IpAddr>,
        data: &[u8],
    ) {
        let message = StunMessage::parse(data).ok();
        let ufrag = message
            .as_ref()
            .and_then(|message| message.username().and_then(|name| name.split(':').next()));
        let Some(key) = ufrag.and_then(|ufrag| self.demux.by_ufrag(ufrag)) else {
            return self.on_stranger(now, src, ufrag, DropReason::Stun);
        };
        let Some(transport) = self.peers.get_mut(key).and_then(|peer| peer.transport.as_mut())
        else {
            return self.counters.dropped(DropReason::Stun);
        };
        let before = transport.path();
        match transport.handle_stun(now, src, dst, data) {
            Ok(outcome) => {
                let current = transport.local_credentials().ufrag.clone();
                let moved = before.is_some() && before != transport.path();
                if let Some(gone) = outcome.evicted {
                    self.demux.remove_addr(&gone);
                }
                if outcome.restarted {
                    self.demux.remove_key(key);
                    self.forget_old_ufrag(key, &current);
                }
                if outcome.address_validated {
                    self.demux.insert_addr(src, key);
                }
                if moved && let Some(peer) = self.peers.get_mut(key) {
                    peer.leg.on_new_path(now);
                }
            }
            Err(drop) => {
                tracing::trace!(peer = key, reason = drop.label(), "STUN dropped");
                match drop {
                    Drop::Closed => self.counters.late(LateReason::Departed),
                    _ => self.counters.dropped(DropReason::Stun),
                }
            }
        }
        self.drain_transport(now, key);
        self.reschedule(key);
    }

    /// Handshake work is capped per batch, so that media never waits for it.
    pub(super) fn on_dtls(&mut self, now: Instant, key: u32, src: SocketAddr, data: &[u8]) {
        if self.handshakes_done < limits::HANDSHAKES_PER_BATCH {
            return self.do_dtls(now, key, src, data);
        }
        if self.handshakes.len() >= limits::HANDSHAKES_WAITING {
            return self.counters.dropped(DropReason::DtlsBacklog);
        }
        self.handshakes.push_back((src, data.to_vec()));
    }

    /// Takes up handshake datagrams that had to wait.
    pub(super) fn wait_over(&mut self, now: Instant) {
        while self.handshakes_done < limits::HANDSHAKES_PER_BATCH {
            let Some((src, data)) = self.handshakes.pop_front() else { return };
            if let Some(key) = self.demux.by_addr(&src) {
                self.do_dtls(now, key, src, &data);
                self.reschedule(key);
            }
        }
    }

    fn do_dtls(&mut self, now: Instant, key: u32, src: SocketAddr, data: &[u8]) {
        self.handshakes_done = self.handshakes_done.saturating_add(1);
        let Some(transport) = self.peers.get_mut(key).and_then(|peer| peer.transport.as_mut())
        else {
            return;
        };
        if let Err(drop) = transport.handle_dtls(now, src, data) {
            tracing::trace!(peer = key, reason = drop.label(), "DTLS dropped");
            match drop {
                Drop::DtlsRepeated => self.counters.late(LateReason::DtlsRepeated),
                Drop::Closed => self.counters.late(LateReason::Departed),
                _ => self.counters.dropped(DropReason::Dtls),
            }
        }
        self.drain_transport(now, key);
    }

    /// Takes up what a peer's transport has to say.
    pub(super) fn drain_transport(&mut self, now: Instant, key: u32) {
        loop {
            let Some(peer) = self.peers.get_mut(key) else { return };
            let Some(output) = peer.transport.as_mut().and_then(PeerTransport::poll_output) else {
                return;
            };
            match output {
                Output::Transmit { dst, src, data } => self.out.push(dst, src, &data),
                Output::Event(event) => self.on_transport_event(now, key, event),
            }
        }
    }

    fn on_transport_event(&mut self, now: Instant, key: u32, event: TransportEvent) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        match event {
            TransportEvent::Connected { profile } => {
                peer.connected = true;
                bump(&mut self.counters.handshakes_completed);
                let setup = peer
                    .first_offer
                    .map_or_else(Default::default, |offer| now.saturating_duration_since(offer));
                let setup_us = u64::try_from(setup.as_micros()).unwrap_or(u64::MAX);
                self.events.push_back(Event::Connected { peer: peer.id, profile, setup_us });
                let tracks: Vec<u32> = peer.slots.iter().filter_map(|slot| slot.track).collect();
                for track in tracks {
                    self.want_all_key_frames(key, track);
                }
            }
            TransportEvent::ConsentExpired => {
                self.remove_peer(now, key, GoneReason::ConsentExpired);
            }
            TransportEvent::HandshakeFailed(why) => {
                tracing::info!(peer = %peer.id, why, "DTLS handshake failed");
                bump(&mut self.counters.handshakes_failed);
                self.remove_peer(now, key, GoneReason::HandshakeFailed);
            }
            TransportEvent::ClosedByPeer => self.remove_peer(now, key, GoneReason::Closed),
            // Data channels come later; other news of the transport changes nothing here.
            _ => {}
        }
    }

    pub(super) fn on_rtcp(
        &mut self,
        now: Instant,
        key: u32,
        data: &[u8],
    ) -> Result<(), DropReason> {
        let mut plain = std::mem::take(&mut self.rtcp_in);
        let result = self.open_rtcp(key, data, &mut plain).and_then(|len| {
            let mut malformed = Ok(());
            for packet in rtcp::packets(plain.get(..len).unwrap_or_default()) {
                match packet {
                    Ok(packet) => self.on_rtcp_packet(now, key, &packet),
                    Err(_) => malformed = Err(DropReason::MalformedRtcp),
                }
            }
            malformed
        });
        self.rtcp_in = plain;
        result
    }

    fn open_rtcp(&mut self, key: u32, data: &[u8], out: &mut [u8]) -> Result<usize, DropReason> {
        if data.len() > out.len() {
            return Err(DropReason::Oversized);
        }
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownSource)?;
        let transport = peer.transport.as_mut().ok_or(DropReason::UnknownSource)?;
        transport.open_rtcp(data, out).map_err(|error| match error {
            SrtpError::Replayed => DropReason::Replayed,
            _ => DropReason::Unauthentic,
        })
    }

    fn on_rtcp_packet(&mut self, now: Instant, key: u32, packet: &RtcpPacket<'_>) {
        match packet {
            RtcpPacket::SenderReport(report) => {
                self.on_sender_report(
                    now,
                    key,
                    report.ssrc,
                    report.info.ntp,
                    report.info.rtp_timestamp,
                );
                self.on_reports(now, key, report.reports());
            }
            RtcpPacket::ReceiverReport(report) => self.on_reports(now, key, report.reports()),
            RtcpPacket::Nack(nack) => {
                let mut numbers = std::mem::take(&mut self.nacks);
                numbers.clear();
                numbers.extend(nack.sequence_numbers().take(limits::MISSING));
                self.on_nack(now, key, nack.media_ssrc, &numbers);
                self.nacks = numbers;
            }
            RtcpPacket::Pli { media_ssrc, .. } => self.on_key_frame_request(key, *media_ssrc),
            RtcpPacket::Fir(fir) => {
                for entry in fir.entries() {
                    self.on_key_frame_request(key, entry.ssrc);
                }
            }
            RtcpPacket::TransportCc(feedback) => self.on_transport_feedback(now, key, feedback),
            RtcpPacket::Remb(remb) => {
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.leg.on_remb(now, remb.bitrate_bps);
                }
                self.estimate_changed(now, key);
            }
            // SDES, BYE and XR change nothing here.
            _ => {}
        }
    }

    pub(super) fn on_sender_report(
        &mut self,
        now: Instant,
        key: u32,
        ssrc: u32,
        ntp: u64,
        rtp: u32,
    ) {
        let ours = self.config.clock.ntp(now);
        let Some(peer) = self.peers.get_mut(key) else { return };
        let stream = peer
            .publications
            .iter_mut()
            .flat_map(|publication| &mut publication.layers)
            .filter_map(|layer| layer.stream.as_mut())
            .find(|stream| stream.ssrc == ssrc);
        if let Some(stream) = stream {
            stream.on_sender_report(ntp, rtp, now);
            reports::update_ntp_offset(peer, ntp, ours);
            self.report_crosses(key, ssrc, ntp, rtp);
        }
    }

    /// What a receiver reports of all it gets; its worst block counts for its path.
    fn on_reports(&mut self, now: Instant, key: u32, blocks: impl Iterator<Item = ReportBlock>) {
        let mut worst = None;
        for block in blocks {
            worst = worst.max(self.on_report_block(now, key, &block));
        }
        let Some(worst) = worst else { return };
        if let Some(peer) = self.peers.get_mut(key) {
            let rtt = (peer.rtt_us > 0).then_some(peer.rtt_us);
            peer.leg.on_report(now, worst, rtt);
        }
        self.estimate_changed(now, key);
    }

    /// Fraction lost, of 256, where the block tells of a slot that was sent to.
    fn on_report_block(&mut self, now: Instant, key: u32, block: &ReportBlock) -> Option<u8> {
        let compact = compact_ntp(self.config.clock.ntp(now));
        let peer = self.peers.get_mut(key)?;
        let rtt = reports::round_trip(block, compact);
        let (_, slot) = peer.slot_of_ssrc(block.ssrc)?;
        let told = (slot.sent_packets > 0).then_some(block.fraction_lost);
        {
            slot.fraction_lost = block.fraction_lost;
            if let Some(rtt) = rtt {
                // Smoothed like TCP's (RFC 6298): 7/8 old, 1/8 new.
                peer.rtt_us = match peer.rtt_us {
                    0 => rtt,
                    old => old.saturating_sub(old >> 3).saturating_add(rtt >> 3),
                };
            }
        }
        told
    }

    /// A receiver asks for packets again: from the publisher's cache, as RTX where negotiated.
    fn on_nack(&mut self, now: Instant, key: u32, ssrc: u32, numbers: &[u16]) {
        for number in numbers {
            if let Err(reason) = self.resend(now, key, ssrc, *number) {
                self.counters.dropped(reason);
            }
        }
    }

    fn resend(&mut self, now: Instant, key: u32, ssrc: u32, number: u16) -> Result<(), DropReason> {
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownStream)?;
        if !peer.receives() {
            return Err(DropReason::NotAllowed);
        }
        let squeezed = peer.leg.is_squeezed(now);
        let (index, slot) = peer.slot_of_ssrc(ssrc).ok_or(DropReason::UnknownStream)?;
        let (segment, seq, out_seq) =
            slot.rewriter.source_of(number).ok_or(DropReason::CacheMiss)?;
        // The key frame of the layer that fits the path makes everything before it needless.
        let switched = slot.rewriter.current() != Some(segment.stream);
        if !slot.may_resend(number, now) {
            return Ok(());
        }
        if switched && squeezed {
            return Err(DropReason::Congestion);
        }
        let slot_index = u16::try_from(index).map_err(|_| DropReason::Limit)?;
        let tracks = [slot.track, slot.previous];
        let cached = |track: u32| {
            let track = self.tracks.get(track)?;
            let publication = self
                .peers
                .get(track.publisher)?
                .publications
                .get(usize::from(track.publication))?;
            let stream = publication
                .layers
                .iter()
                .filter_map(|layer| layer.stream.as_ref())
                .find(|stream| stream.uid == segment.stream)?;
            let packet = stream.cache.get(seq)?;
            let source = publication.payload_type(self.pool.meta(packet).payload_type)?;
            Some((packet, source, (track.publisher, track.publication)))
        };
        let (packet, source, origin) =
            tracks.into_iter().flatten().find_map(cached).ok_or(DropReason::CacheMiss)?;
        // Sealing the same number twice with other padding would reuse a nonce: only RTX repeats.
        let outgoing = self
            .peers
            .get(key)
            .and_then(|peer| peer.slots.get(index)?.outgoing_again(source))
            .filter(|outgoing| outgoing.rtx.is_some())
            .ok_or(DropReason::CacheMiss)?;
        let meta = self.pool.meta(packet);
        let mut mapped = self
            .peers
            .get(key)
            .and_then(|peer| peer.slots.get(index))
            .and_then(|slot| slot.rewriter.apply(&segment, &meta))
            .ok_or(DropReason::CacheMiss)?;
        if meta.facts.decode_targets > 0 && mapped.level != Level::FULL {
            mapped.active_targets = self.active_targets(origin, meta.stream, mapped.level);
        }
        debug_assert_eq!(mapped.seq, out_seq, "a retransmission keeps its number");
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownStream)?;
        let bytes = self.pool.meta(packet).payload_len;
        if !peer.resends.take(now, bytes, peer.leg.estimate()) {
            return Err(DropReason::NackStorm);
        }
        let item =
            Item { slot: slot_index, packet, outgoing, mapped, resend: true, bytes, turn: 0 };
        self.enqueue(key, item);
        Ok(())
    }

    /// A receiver cannot decode: the layer it gets must begin anew.
    fn on_key_frame_request(&mut self, key: u32, ssrc: u32) {
        let found = self.peers.get_mut(key).and_then(|peer| {
            let (_, slot) = peer.slot_of_ssrc(ssrc)?;
            Some((slot.track?, slot.rewriter.current()))
        });
        let Some((track, current)) = found else { return };
        let Some((publisher, publication)) =
            self.tracks.get(track).map(|track| (track.publisher, track.publication))
        else {
            return;
        };
        let layer = self
            .peers
            .get(publisher)
            .and_then(|peer| peer.publications.get(usize::from(publication)))
            .map(|publication| {
                let position = publication.layers.iter().position(|layer| {
                    layer.stream.as_ref().is_some_and(|stream| Some(stream.uid) == current)
                });
                position.and_then(|p| u8::try_from(p).ok()).unwrap_or(publication.best)
            });
        if let Some(layer) = layer {
            self.want_key_frame(publisher, publication, layer);
        }
    }

    /// Notes that somebody wants a key frame of a layer. Sent with [`Self::send_key_frame_requests`].
    pub(super) fn want_key_frame(&mut self, publisher: u32, publication: u8, layer: u8) {
        let entry = self
            .peers
            .get_mut(publisher)
            .and_then(|peer| peer.publications.get_mut(usize::from(publication)))
            // Audio has no key frames, whatever a receiver asks for.
            .filter(|publication| publication.section.kind == MediaKind::Video)
            .and_then(|publication| publication.layer(layer));
        if let Some(entry) = entry
            && !entry.key_frame_wanted
        {
            entry.key_frame_wanted = true;
            self.key_frames.push((publisher, publication, layer));
        }
    }

    /// Asks publishers for key frames: all receivers' wishes for one layer as one request, and not
    /// again within [`limits::KEY_FRAME_INTERVAL`].
    pub(super) fn send_key_frame_requests(&mut self, now: Instant) {
        let mut wanted = std::mem::take(&mut self.key_frames);
        for (publisher, publication, layer) in wanted.drain(..) {
            self.request_key_frame(now, publisher, publication, layer);
        }
        self.key_frames = wanted;
    }

    pub(super) fn request_key_frame(
        &mut self,
        now: Instant,
        publisher: u32,
        publication: u8,
        layer: u8,
    ) {
        if self.key_frame_from_afar(now, publisher, publication, layer) {
            return;
        }
        let Some(peer) = self.peers.get_mut(publisher) else { return };
        let feedback_ssrc = peer.feedback_ssrc;
        let Some(publication) = peer.publications.get_mut(usize::from(publication)) else { return };
        let feedback = publication.section.payload_types.first().map(|pt| pt.feedback);
        let Some(entry) = publication.layer(layer) else { return };
        let Some(ssrc) = entry.stream.as_ref().map(|stream| stream.ssrc) else {
            entry.key_frame_wanted = false;
            return;
        };
        if !entry.key_frame_wanted {
            return;
        }
        let recent = entry
            .last_key_frame_request
            .is_some_and(|at| now.saturating_duration_since(at) < limits::KEY_FRAME_INTERVAL);
        if !recent {
            entry.last_key_frame_request = Some(now);
            self.rtcp_out.clear();
            rtcp::write_receiver_report(&mut self.rtcp_out, feedback_ssrc, &[]);
            match feedback {
                Some(set) if set.pli || !set.fir => {
                    rtcp::write_pli(&mut self.rtcp_out, feedback_ssrc, ssrc);
                }
                _ => {
                    entry.fir_count = entry.fir_count.wrapping_add(1);
                    let entry = FirEntry { ssrc, seq_nr: entry.fir_count };
                    rtcp::write_fir(&mut self.rtcp_out, feedback_ssrc, &[entry]);
                }
            }
            bump(&mut self.counters.key_frame_requests);
            self.send_rtcp(publisher);
        }
        // Look again: the request or the key frame may be lost.
        if let Some(peer) = self.peers.get_mut(publisher) {
            let at = now.checked_add(limits::KEY_FRAME_INTERVAL);
            peer.timers.key_frame = peer.timers.key_frame.or(at);
        }
        self.reschedule(publisher);
    }

    /// Seals and queues what stands in `rtcp_out`.
    pub(super) fn send_rtcp(&mut self, key: u32) {
        if self.rtcp_out.is_empty() {
            return;
        }
        let Some(transport) = self.peers.get_mut(key).and_then(|peer| peer.transport.as_mut())
        else {
            return;
        };
        let Some(path) = transport.path() else { return };
        if !transport.is_connected() {
            return;
        }
        let most = self.rtcp_out.len().saturating_add(64);
        let rtcp_out = &self.rtcp_out;
        self.out.push_with(path.remote, path.local, most, false, |buffer| {
            transport.seal_rtcp(rtcp_out, buffer).unwrap_or(0)
        });
    }

    pub(super) fn send_transport_feedback(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.timers.feedback = None;
        if peer.arrivals.is_empty() {
            return;
        }
        self.rtcp_out.clear();
        rtcp::write_receiver_report(&mut self.rtcp_out, peer.feedback_ssrc, &[]);
        peer.arrivals.write(peer.feedback_ssrc, &mut self.rtcp_out);
        self.send_rtcp(key);
        self.arm_feedback(now, key);
    }
}
