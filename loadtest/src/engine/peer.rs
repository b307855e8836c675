//! One connection on its worker.

use super::clock::Clock;
use super::handle::State;
use super::hello::Hello;
use super::ice::{Heard, Ice, Out};
use super::impair::Impaired;
use super::lots::Lots;
use super::outbox::Outbox;
use super::receive::Receiver;
use super::send::{Sender, Way};
use super::socket::Port;
use super::tally::Tally;
use super::worker::Opening;
use super::{Ended, Negotiated};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use weir_session::{Certificate, Output, PeerTransport, TransportConfig, TransportEvent};
use weir_sfu_api::IceCredentials;
use weir_wire::classify::{DatagramKind, classify};
use weir_wire::rtcp;

/// Sender and receiver reports, give or take a tenth.
const REPORT: Duration = Duration::from_millis(1_000);
/// Taken for the round trip as long as no check was answered.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// What a worker lends to the connection whose turn it is.
pub(super) struct Turn<'a> {
    pub(super) now: Instant,
    pub(super) clock: &'a Clock,
    pub(super) tally: &'a mut Tally,
    pub(super) out: &'a mut Outbox,
    pub(super) stun: &'a mut Out,
    pub(super) plain: &'a mut [u8],
}

/// ICE and what it carries, from offer and answer on.
struct Link {
    ice: Ice,
    transport: PeerTransport,
}

/// One connection.
pub(super) struct Peer {
    pub(super) port: Port,
    /// Index of its role's tally.
    pub(super) role: usize,
    /// When its timer runs out as the worker knows it.
    pub(super) scheduled: Option<Instant>,
    told: watch::Sender<State>,
    ours: IceCredentials,
    begun: Instant,
    link: Option<Box<Link>>,
    hello: Hello,
    remote: Option<SocketAddr>,
    connected: bool,
    ended: bool,
    receiver: Receiver,
    sender: Option<Box<Sender>>,
    impaired: Option<Box<Impaired>>,
    own_ssrc: u32,
    cname: String,
    next_report: Instant,
    lots: Lots,
}

impl Peer {
    pub(super) fn new(opening: Opening, role: usize, now: Instant) -> Self {
        let mut lots = Lots::new(opening.seed);
        let sender = Sender::new(&opening.plan, &opening.tracks, &opening.media, &mut lots);
        let own = sender.as_ref().and_then(|sender| sender.first_ssrc());
        let own_ssrc = own.unwrap_or((lots.next() as u32).max(1));
        let receiver = Receiver::new(&opening.plan, own_ssrc, Lots::new(lots.next()));
        let impaired = Impaired::of(opening.plan.person.impairment, now, &mut lots);
        Self {
            port: Port::new(opening.socket, opening.state),
            role,
            scheduled: None,
            told: opening.told,
            ours: opening.ice,
            begun: opening.plan.begun,
            link: None,
            hello: Hello::default(),
            remote: None,
            connected: false,
            ended: false,
            receiver,
            sender,
            impaired,
            own_ssrc,
            cname: format!("{:016x}", lots.next()),
            next_report: now,
            lots,
        }
    }

    /// Offer and answer.
    pub(super) fn connect(
        &mut self,
        negotiated: Negotiated,
        certificate: &Certificate,
        turn: &mut Turn<'_>,
    ) {
        let now = turn.now;
        self.receiver.negotiate(&negotiated);
        if let Some(sender) = &mut self.sender {
            sender.negotiate(&negotiated);
        }
        if self.link.is_none() && !self.ended {
            let since = now.saturating_duration_since(self.begun).as_micros() as u64;
            turn.tally.delays.signalling.saturating_record(since.max(1));
            let (ours, theirs) = (self.ours.clone(), negotiated.remote.ice.clone());
            let lots = Lots::new(self.lots.next());
            let ice = Ice::new(ours, theirs, negotiated.controlling, now, lots);
            let config = TransportConfig {
                local: self.ours.clone(),
                remote: negotiated.remote,
                certificate: certificate.clone(),
            };
            let transport = PeerTransport::new(config, now);
            self.link = Some(Box::new(Link { ice, transport }));
        }
        for candidate in negotiated.candidates {
            self.add_candidate(now, candidate);
        }
        self.timeout(turn);
    }

    /// One more address of the server; those of another family than our socket's are left out.
    pub(super) fn add_candidate(&mut self, now: Instant, candidate: SocketAddr) {
        let local = self.port.socket.local_addr();
        if let Some(link) = &mut self.link
            && local.is_ok_and(|local| local.is_ipv4() == candidate.is_ipv4())
        {
            link.ice.add(now, candidate);
        }
    }

    /// Which layers of a track are wanted.
    pub(super) fn set_layers(&mut self, track: usize, wanted: &[bool]) {
        if let Some(sender) = &mut self.sender {
            sender.set_layers(track, wanted);
        }
    }

    /// A datagram from the network.
    pub(super) fn input(
        &mut self,
        turn: &mut Turn<'_>,
        src: SocketAddr,
        arrived_us: u64,
        data: &[u8],
    ) {
        match &mut self.impaired {
            None => self.take(turn, src, arrived_us, data),
            Some(impaired) => {
                if !impaired.receive(turn.now, src, data) {
                    turn.tally.counters.impaired_drops += 1;
                }
            }
        }
    }

    fn take(&mut self, turn: &mut Turn<'_>, src: SocketAddr, arrived_us: u64, data: &[u8]) {
        let Some(link) = &mut self.link else { return };
        if self.ended {
            return;
        }
        match classify(data) {
            DatagramKind::Rtp => {
                if self.connected {
                    let times = (turn.now, arrived_us);
                    self.receiver.on_rtp(times, data, &mut link.transport, turn.plain, turn.tally);
                }
            }
            DatagramKind::Rtcp => self.on_rtcp(turn, data),
            DatagramKind::Stun => {
                if let Heard::Alive(addr) = link.ice.handle(turn.now, src, data, turn.stun) {
                    self.remote = Some(addr);
                    // The transport is lite and believes in checks alone.
                    let check = link.ice.as_if_checked();
                    let _ = link.transport.handle_stun(turn.now, addr, None, &check);
                    self.drain(turn);
                }
            }
            DatagramKind::Dtls => {
                self.hello.answered();
                let _ = link.transport.handle_dtls(turn.now, src, data);
                self.drain(turn);
            }
            DatagramKind::Unknown => {}
        }
    }

    fn on_rtcp(&mut self, turn: &mut Turn<'_>, data: &[u8]) {
        let Some(link) = &mut self.link else { return };
        let Ok(len) = link.transport.open_rtcp(data, turn.plain) else { return };
        let plain = turn.plain[..len].to_vec();
        for packet in rtcp::packets(&plain).flatten() {
            self.receiver.on_rtcp(turn.now, &packet);
            if let Some(sender) = &mut self.sender {
                let mut way = Way {
                    now: turn.now,
                    clock: turn.clock,
                    transport: &mut link.transport,
                    out: turn.out,
                    tally: turn.tally,
                };
                sender.on_rtcp(&packet, &mut way);
            }
        }
    }

    fn drain(&mut self, turn: &mut Turn<'_>) {
        let Some(link) = &mut self.link else { return };
        let mut end = None;
        while let Some(output) = link.transport.poll_output() {
            match output {
                // Answers to checks are ours to ourselves.
                Output::Transmit { data, .. } if classify(&data) == DatagramKind::Dtls => {
                    self.hello.sent(turn.now, &data);
                    turn.out.push(data.len(), |out| {
                        out.copy_from_slice(&data);
                        Some(data.len())
                    });
                }
                Output::Event(TransportEvent::Connected { .. }) if !self.connected => {
                    self.connected = true;
                    let since = turn.now.saturating_duration_since(self.begun).as_micros();
                    turn.tally.delays.connected.saturating_record(since.max(1) as u64);
                    self.next_report = turn.now + self.lots.below(REPORT);
                    if let Some(sender) = &mut self.sender {
                        sender.begin(turn.now, &mut self.lots);
                    }
                    self.told.send_replace(State::Connected);
                }
                Output::Event(TransportEvent::HandshakeFailed(why)) => {
                    end = Some(Ended::Handshake(why));
                }
                Output::Event(TransportEvent::ClosedByPeer) => end = Some(Ended::ClosedByPeer),
                Output::Event(TransportEvent::ConsentExpired) => end = Some(Ended::ConsentLost),
                _ => {}
            }
        }
        if let Some(why) = end {
            self.end(turn, why);
        }
    }

    /// Ends it, with close_notify where there is somebody to tell.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>, why: Ended) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.connected = false;
        self.told.send_replace(State::Ended(why));
        if let Some(link) = &mut self.link {
            link.transport.close(turn.now);
            self.drain(turn);
        }
        self.sender = None;
    }

    /// When [`Self::timeout`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let under_way = self.impaired.as_ref().and_then(|impaired| impaired.next_deadline());
        if self.ended {
            return under_way;
        }
        let link = self.link.as_ref()?;
        let mut next = link.ice.next_deadline();
        let mut sooner = |at: Option<Instant>| next = at.map_or(next, |at| at.min(next));
        sooner(link.transport.poll_timeout().map(|(at, _)| at));
        sooner(under_way);
        sooner(self.hello.next_deadline());
        if self.connected {
            sooner(Some(self.next_report));
            sooner(self.receiver.next_deadline());
            sooner(self.sender.as_ref().and_then(|sender| sender.next_deadline()));
        }
        Some(next)
    }

    /// Time has come.
    pub(super) fn timeout(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        if let Some(mut impaired) = self.impaired.take() {
            while let Some((to, data)) = impaired.sent(now) {
                self.port.send(to, &data, &[data.len() as u16]);
            }
            while let Some((at, src, data)) = impaired.received(now) {
                let arrived_us = turn.clock.micros(at);
                self.take(turn, src, arrived_us, &data);
            }
            self.impaired = Some(impaired);
        }
        let Some(link) = &mut self.link else { return };
        if self.ended {
            return;
        }
        if link.ice.next_deadline() <= now
            && let Err(why) = link.ice.handle_timeout(now, turn.stun)
        {
            return self.end(turn, why);
        }
        if link.transport.poll_timeout().is_some_and(|(at, _)| at <= now) {
            link.transport.handle_timeout(now);
            self.drain(turn);
        }
        self.hello.handle_timeout(now, turn.out);
        if self.connected {
            self.media(turn);
        }
    }

    fn media(&mut self, turn: &mut Turn<'_>) {
        let (now, clock) = (turn.now, turn.clock);
        let Some(link) = &mut self.link else { return };
        let round_trip = link.ice.round_trip().unwrap_or(ROUND_TRIP);
        let transport = &mut link.transport;
        if let Some(sender) = &mut self.sender {
            let out = &mut *turn.out;
            let tally = &mut *turn.tally;
            sender.handle_timeout(&mut Way { now, clock, transport, out, tally });
        }
        let out = &mut *turn.out;
        if self.receiver.next_deadline().is_some_and(|at| at <= now) {
            let times = (now, clock.micros(now));
            self.receiver.handle_timeout(times, round_trip, turn.tally, |compound| {
                seal(transport, out, compound);
            });
        }
        if self.next_report <= now {
            self.next_report = now + REPORT.mul_f64(0.9 + 0.2 * self.lots.share());
            let mut reports = self.receiver.reports(now).into_iter();
            let senders = self.sender.as_ref().map(|sender| sender.reports(now, clock));
            let mut first = reports.next();
            for (ssrc, mut compound) in senders.unwrap_or_default() {
                if let Some(blocks) = first.take() {
                    rtcp::write_receiver_report(&mut compound, self.own_ssrc, &blocks);
                }
                rtcp::write_sdes_cname(&mut compound, ssrc, &self.cname);
                seal(transport, out, &compound);
            }
            for blocks in first.into_iter().chain(reports) {
                let mut compound = Vec::new();
                rtcp::write_receiver_report(&mut compound, self.own_ssrc, &blocks);
                rtcp::write_sdes_cname(&mut compound, self.own_ssrc, &self.cname);
                seal(transport, out, &compound);
            }
        }
    }

    /// Hands over what the turn brought.
    pub(super) fn flush(&mut self, turn: &mut Turn<'_>) {
        for (to, message) in turn.stun.drain(..) {
            match &mut self.impaired {
                None => {
                    self.port.send(to, &message, &[message.len() as u16]);
                }
                Some(impaired) => {
                    let lost = !impaired.send(turn.now, to, &message);
                    turn.tally.counters.impaired_drops += u64::from(lost);
                }
            }
        }
        if turn.out.is_empty() {
            return;
        }
        if let Some(to) = self.remote {
            let (bytes, sizes) = turn.out.contents();
            match &mut self.impaired {
                None => {
                    self.port.send(to, bytes, sizes);
                }
                Some(impaired) => {
                    let mut rest = bytes;
                    for size in sizes {
                        let (datagram, after) = rest.split_at(usize::from(*size));
                        rest = after;
                        let lost = !impaired.send(turn.now, to, datagram);
                        turn.tally.counters.impaired_drops += u64::from(lost);
                    }
                }
            }
        }
        turn.out.clear();
    }

    /// Whether keys are there and it has not ended.
    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    /// Video streams that live, by height where it is known.
    pub(super) fn live(&self, now: Instant, heights: &mut BTreeMap<u16, u32>) -> u32 {
        self.receiver.live(now, heights)
    }
}

fn seal(transport: &mut PeerTransport, out: &mut Outbox, compound: &[u8]) {
    let max = compound.len() + transport.sealed_rtcp_overhead();
    out.push(max, |to| transport.seal_rtcp(compound, to));
}
