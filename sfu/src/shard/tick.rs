//! Timers: a peer with nothing to do costs nothing.

use super::Shard;
use crate::egress::reports;
use crate::limits;
use std::cmp::Reverse;
use std::time::{Duration, Instant};
use weir_sfu_api::{Event, PausedBy, ShardStats};
use weir_wire::rtcp;

impl Shard {
    /// When the shard wants to be woken, and why.
    pub(super) fn next_deadline(&mut self) -> Option<(Instant, &'static str)> {
        let stats = self.next_stats.map(|at| (at, "statistics"));
        // Entries of peers that are gone or rescheduled are stale.
        while let Some(Reverse((at, key))) = self.timers.peek().copied() {
            let peer = self.peers.get(key);
            if peer.is_some_and(|peer| peer.scheduled == Some(at)) {
                let why = peer.map_or("", |peer| peer.reason(at));
                let own = Some((at, why));
                return [own, stats].into_iter().flatten().min_by_key(|next| next.0);
            }
            self.timers.pop();
        }
        stats
    }

    /// Puts a peer's earliest deadline into the heap if none as early stands there.
    pub(super) fn reschedule(&mut self, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(next) = peer.next_at() else { return };
        if peer.scheduled.is_none_or(|scheduled| next < scheduled) {
            peer.scheduled = Some(next);
            self.timers.push(Reverse((next, key)));
        }
    }

    /// As [`Self::reschedule`], but never for now or before: a deadline that its handler does not
    /// move must not keep the shard from everything else.
    fn reschedule_after(&mut self, now: Instant, key: u32) {
        let Some(soonest) = now.checked_add(Duration::from_millis(1)) else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(next) = peer.next_at() else { return };
        let next = next.max(soonest);
        if peer.scheduled.is_none_or(|scheduled| next < scheduled) {
            peer.scheduled = Some(next);
            self.timers.push(Reverse((next, key)));
        }
    }

    pub(super) fn on_timers(&mut self, now: Instant) {
        self.handshakes_done = 0;
        self.wait_over(now);
        while let Some(Reverse((at, key))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            let Some(peer) = self.peers.get_mut(key) else { continue };
            if peer.scheduled != Some(at) {
                continue;
            }
            peer.scheduled = None;
            self.on_peer_timer(now, key);
            self.reschedule_after(now, key);
        }
        if self.next_stats.is_none_or(|at| at <= now) {
            self.next_stats = now.checked_add(limits::STATS_INTERVAL);
            self.rank_quiet_rooms(now);
            self.report_stats();
        }
    }

    fn on_peer_timer(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let timers = peer.timers;
        let due = |timer: Option<Instant>| timer.is_some_and(|at| at <= now);
        if let Some(transport) = peer.transport.as_mut()
            && transport.poll_timeout().is_some_and(|(at, _)| at <= now)
        {
            transport.handle_timeout(now);
            self.drain_transport(now, key);
        }
        if due(timers.leg) {
            self.on_leg_timer(now, key);
        }
        if due(timers.pacer) {
            self.on_pacer_timer(key);
        }
        if due(timers.share) {
            self.share(now, key);
        }
        if due(timers.demand) {
            self.on_demand_timer(now, key);
        }
        if due(timers.feedback) {
            self.send_transport_feedback(now, key);
        }
        if due(timers.nack) {
            self.send_nacks(now, key);
        }
        if due(timers.key_frame) {
            self.retry_key_frames(now, key);
        }
        if due(timers.report) {
            self.send_reports(now, key);
        }
    }

    fn on_leg_timer(&mut self, now: Instant, key: u32) {
        if let Some(peer) = self.peers.get_mut(key) {
            peer.leg.handle_timeout(now);
        }
        self.estimate_changed(now, key);
    }

    /// What waits has its next turn in the way out.
    fn on_pacer_timer(&mut self, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.timers.pacer = None;
        if !peer.dirty {
            peer.dirty = true;
            self.dirty.push(key);
        }
    }

    /// After a packet came in: feedback and a look at what is missing become due.
    pub(super) fn arm_feedback(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.arm_reports(now);
        if peer.timers.feedback.is_none() && !peer.arrivals.is_empty() {
            peer.timers.feedback = now.checked_add(limits::FEEDBACK_INTERVAL);
        }
        if peer.timers.nack.is_none() {
            let missing = peer
                .publications
                .iter()
                .flat_map(|publication| &publication.layers)
                .filter_map(|layer| layer.stream.as_ref())
                .any(|stream| !stream.missing.is_empty());
            if missing {
                peer.timers.nack = now.checked_add(Duration::from_millis(5));
            }
        }
    }

    fn send_nacks(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.timers.nack = None;
        let rtt = Duration::from_micros(peer.rtt_us.max(20_000));
        let feedback_ssrc = peer.feedback_ssrc;
        self.rtcp_out.clear();
        let mut again = false;
        let mut broken = Vec::new();
        for (p, publication) in peer.publications.iter_mut().enumerate() {
            let video = publication.section.kind == weir_sfu_api::MediaKind::Video;
            for (l, layer) in publication.layers.iter_mut().enumerate() {
                let Some(stream) = layer.stream.as_mut().filter(|s| !s.missing.is_empty()) else {
                    continue;
                };
                // Under the MTU; the rest has its turn at the next look.
                if self.rtcp_out.len() > limits::RTCP_FULL {
                    again = true;
                    continue;
                }
                self.nacks.clear();
                let due = stream.missing.due(now, rtt, &mut self.nacks);
                stream.given_up = stream.given_up.wrapping_add(u64::from(due.given_up));
                if due.given_up > 0
                    && video
                    && let (Ok(p), Ok(l)) = (u8::try_from(p), u8::try_from(l))
                {
                    broken.push((p, l));
                }
                if !self.nacks.is_empty() {
                    if self.rtcp_out.is_empty() {
                        rtcp::write_receiver_report(&mut self.rtcp_out, feedback_ssrc, &[]);
                    }
                    rtcp::write_nack(&mut self.rtcp_out, feedback_ssrc, stream.ssrc, &self.nacks);
                }
                again |= !stream.missing.is_empty();
            }
        }
        if again {
            peer.timers.nack = now.checked_add(limits::NACK_TICK);
        }
        self.send_rtcp(key);
        for (publication, layer) in broken {
            self.want_key_frame(key, publication, layer);
        }
    }

    fn retry_key_frames(&mut self, now: Instant, key: u32) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.timers.key_frame = None;
        let mut wanted = Vec::new();
        for (p, publication) in peer.publications.iter().enumerate() {
            for (l, layer) in publication.layers.iter().enumerate() {
                if layer.key_frame_wanted
                    && let (Ok(p), Ok(l)) = (u8::try_from(p), u8::try_from(l))
                {
                    wanted.push((p, l));
                }
            }
        }
        for (publication, layer) in wanted {
            self.request_key_frame(now, key, publication, layer);
        }
    }

    fn send_reports(&mut self, now: Instant, key: u32) {
        let ntp = self.config.clock.ntp(now);
        let Some(peer) = self.peers.get_mut(key) else { return };
        // Who has nothing to report is not looked at again before the next packet.
        peer.timers.report = None;
        if !peer.connected {
            return;
        }
        self.rtcp_out.clear();
        let (worst, bps) =
            reports::write_receiver_reports(peer, now, &mut self.blocks, &mut self.rtcp_out);
        if let Some(remb) = peer.remb.as_mut()
            && !self.blocks.is_empty()
        {
            let limit = remb.update(worst, bps);
            let ssrcs: Vec<u32> = self.blocks.iter().map(|block| block.ssrc).collect();
            rtcp::write_remb(&mut self.rtcp_out, peer.feedback_ssrc, limit, &ssrcs);
        }
        let received = !self.rtcp_out.is_empty();
        self.send_rtcp(key);
        if (self.send_sender_reports(key, ntp) || received)
            && let Some(peer) = self.peers.get_mut(key)
        {
            peer.timers.report = now.checked_add(limits::REPORT_INTERVAL);
        }
    }

    /// True when there was something to report.
    fn send_sender_reports(&mut self, key: u32, ntp: u64) -> bool {
        self.rtcp_out.clear();
        let mut any = false;
        let count = self.peers.get(key).map_or(0, |peer| peer.slots.len());
        for index in 0..count {
            let Some(peer) = self.peers.get(key) else { return false };
            let Some(slot) = peer.slots.get(index).filter(|slot| slot.sent_packets > 0) else {
                continue;
            };
            any = true;
            let Some(source) = reports::source_time(slot, &self.tracks, &self.peers, ntp) else {
                continue;
            };
            reports::write_sender_report(slot, source, ntp, &mut self.rtcp_out);
            // Compound packets stay under the MTU.
            if self.rtcp_out.len() > limits::RTCP_FULL {
                self.send_rtcp(key);
                self.rtcp_out.clear();
            }
        }
        self.send_rtcp(key);
        any
    }

    /// Sums over peers and their paths.
    fn shard_sums(&mut self) -> ShardStats {
        let mut stats = ShardStats::default();
        for key in 0..self.peers.end() {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            stats.peers = stats.peers.saturating_add(u32::from(peer.origin.is_none()));
            stats.connected = stats.connected.saturating_add(u32::from(peer.connected));
            let look = peer.leg.look();
            stats.probes = stats.probes.saturating_add(look.probes);
            if look.estimate_bps > 0 {
                stats.estimated = stats.estimated.saturating_add(1);
            }
            stats.estimate_bps = stats.estimate_bps.saturating_add(look.estimate_bps);
            stats.allocated_bps = stats.allocated_bps.saturating_add(look.allocated_bps);
            stats.pacing_us = stats.pacing_us.max(peer.pacing_us());
            for slot in &peer.slots {
                if slot.paused_by == Some(PausedBy::Bandwidth) {
                    stats.paused_slots = stats.paused_slots.saturating_add(1);
                }
            }
        }
        stats
    }

    fn report_stats(&mut self) {
        let sums = self.shard_sums();
        let counters = &self.counters;
        let stats = ShardStats {
            rooms: u32::try_from(self.rooms.len()).unwrap_or(u32::MAX),
            datagrams_received: counters.datagrams_in,
            bytes_received: counters.bytes_in,
            datagrams_sent: counters.datagrams_out,
            bytes_sent: counters.bytes_out,
            rtp_received: counters.rtp_in,
            rtp_sent: counters.rtp_out,
            retransmitted: counters.retransmitted,
            padded: counters.padded,
            padded_rtx: counters.padded_rtx,
            key_frame_requests: counters.key_frame_requests,
            border_packets: counters.crossed,
            handshakes_completed: counters.handshakes_completed,
            handshakes_failed: counters.handshakes_failed,
            drops: counters.drop_list(),
            late: counters.late_list(),
            probe_packets: counters.probe_packets,
            queues_cut: counters.queues_cut,
            layers_off: counters.layers_off,
            ..sums
        };
        self.events.push_back(Event::Stats(Box::new(stats)));
    }
}
