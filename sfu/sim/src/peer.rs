//! A person's browser as far as the server can tell: checks, SRTP, publishing and receiving.

mod control;
pub(crate) mod describe;
mod encoder;
mod input;
mod manners;
pub mod recv;
pub mod send;
mod setup;
pub mod wide;

pub use manners::{Feedback, Flood, Manners, Nacks};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use recv::Slot;
use send::{Outgoing, Track};
pub use setup::{PeerSetup, Source, Talk};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_session::srtp::SrtpSession;
use weir_session::{Certificate, PeerTransport, TransportConfig};
use weir_sfu_api::{
    DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials, LayerDemand, MediaAnswer,
    MediaDescription, MediaKind, Mid, PeerId, RoomId, TransportAnswer, TransportDescription,
};
use weir_wire::rtcp;
use weir_wire::stun::StunWriter;
use wide::{Arrivals, Wide};

/// Interval of checks, as browsers send them (RFC 7675 5.1).
const CHECK: Duration = Duration::from_millis(2_500);
/// Interval of reports.
const REPORT: Duration = Duration::from_millis(1_000);
/// Interval of looks at what is missing.
const LOOK: Duration = Duration::from_millis(10);

enum Crypto {
    None,
    Keyed(Box<SrtpSession>),
    Dtls(Box<PeerTransport>),
}

/// A person's browser.
pub struct SimPeer {
    /// As it was made; slots may be added before the next offer.
    pub setup: PeerSetup,
    /// What it publishes.
    pub tracks: Vec<Track>,
    /// What it receives.
    pub slots: Vec<Slot>,
    /// Transport-wide numbers.
    pub wide: Wide,
    /// Where it sends from.
    pub addr: SocketAddr,
    /// False: gone without a word.
    pub alive: bool,
    /// Answers to its checks.
    pub checks_answered: u64,
    /// The last REMB.
    pub remb_bps: Option<u64>,
    /// Media that could not be opened or belongs to no slot. Empty in a good run.
    pub faults: Vec<String>,
    /// The largest RTCP packet.
    pub largest_rtcp: usize,
    /// Whether it has keys.
    pub connected: bool,
    /// How it behaves as a receiver.
    pub manners: Manners,
    /// What it tells the server about arrivals.
    pub arrivals: Arrivals,
    ice: IceCredentials,
    server: Option<TransportAnswer>,
    certificate: Option<Certificate>,
    crypto: Crypto,
    rng: StdRng,
    base: Instant,
    out: VecDeque<Vec<u8>>,
    next_check: Option<Instant>,
    next_report: Instant,
    next_look: Option<Instant>,
    next_feedback: Option<Instant>,
    next_flood: Instant,
    round_trip: Duration,
    feedback_ssrc: u32,
}

/// NTP time of the start of virtual time: any date will do.
const EPOCH_NTP_SECONDS: u64 = 3_900_000_000;

fn ntp_of(micros: u64) -> u64 {
    let seconds = EPOCH_NTP_SECONDS + micros / 1_000_000;
    (seconds << 32) | (((micros % 1_000_000) << 32) / 1_000_000)
}

fn sign(pwd: &str, writer: StunWriter) -> Vec<u8> {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pwd.as_bytes());
    writer.finish(Some(&|input: &[u8]| {
        hmac::sign(&key, input).as_ref().try_into().expect("SHA-1 has 20 bytes")
    }))
}

/// A connectivity check with USE-CANDIDATE for the owner of `to`.
#[must_use]
pub fn check(to: &IceCredentials, from_ufrag: &str, transaction: [u8; 12]) -> Vec<u8> {
    let mut writer = StunWriter::binding_request(transaction);
    writer.username(&format!("{}:{from_ufrag}", to.ufrag));
    writer.priority(1_853_817_087).use_candidate().ice_controlling(7);
    sign(&to.pwd, writer)
}

impl SimPeer {
    /// `base` is the start of virtual time.
    #[must_use]
    pub fn new(
        setup: PeerSetup,
        addr: SocketAddr,
        seed: u64,
        base: Instant,
        now: Instant,
        round_trip: Duration,
    ) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let who = (setup.id as u32, setup.dialect, setup.transport_cc);
        let tracks = setup.publish.iter().enumerate();
        let tracks =
            tracks.map(|(n, source)| Track::new(source.clone(), n, who, &mut rng, now)).collect();
        let certificate = setup.handshake.then(|| Certificate::generate().expect("a key"));
        let mut word =
            |len: usize| (0..len).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
        let ice = IceCredentials { ufrag: word(4), pwd: word(24) };
        Self {
            tracks,
            slots: Vec::new(),
            wide: Wide::starting_at(rng.random()),
            addr,
            alive: true,
            checks_answered: 0,
            remb_bps: None,
            faults: Vec::new(),
            largest_rtcp: 0,
            connected: false,
            manners: Manners::default(),
            arrivals: Arrivals::default(),
            ice,
            server: None,
            certificate,
            crypto: Crypto::None,
            base,
            out: VecDeque::new(),
            next_check: None,
            next_report: now + Duration::from_millis(rng.random_range(0..500)),
            next_look: None,
            next_feedback: None,
            next_flood: now,
            round_trip,
            feedback_ssrc: rng.random_range(1..u32::MAX),
            setup,
            rng,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> PeerId {
        PeerId(self.setup.id)
    }

    /// Its room.
    #[must_use]
    pub fn room(&self) -> RoomId {
        RoomId(self.setup.room)
    }

    /// The slot with this mid.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn slot(&self, mid: &str) -> &Slot {
        let found = self.slots.iter().find(|slot| slot.mid.as_str() == mid);
        found.unwrap_or_else(|| panic!("peer {} has no slot {mid}", self.setup.id))
    }

    /// Its offer as the shard gets it.
    #[must_use]
    pub fn description(&self) -> MediaDescription {
        let fingerprint = match &self.certificate {
            Some(certificate) => certificate.fingerprint().clone(),
            None => Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![0; 32] },
        };
        MediaDescription {
            transport: TransportDescription {
                ice: self.ice.clone(),
                fingerprints: vec![fingerprint],
                setup: DtlsSetup::ActPass,
            },
            sections: describe::sections(&self.setup, &self.tracks),
        }
    }

    /// Publishes one thing more, from the next offer on.
    pub fn add_track(&mut self, now: Instant, source: Source) {
        let who = (self.setup.id as u32, self.setup.dialect, self.setup.transport_cc);
        let track = Track::new(source, self.tracks.len(), who, &mut self.rng, now);
        self.tracks.push(track);
    }

    /// Restarts the encoder of a track under other SSRCs, without another offer.
    pub fn change_ssrc(&mut self, track: usize) {
        self.tracks[track].change_ssrc(&mut self.rng);
    }

    /// Gives the layers of a track other names, from the next offer on.
    pub fn change_rids(&mut self, track: usize, rids: &[&str]) {
        self.tracks[track].change_rids(rids, &mut self.rng);
    }

    /// The server tells which layers of a track it wants.
    pub fn take_demand(&mut self, mid: Mid, layers: &[LayerDemand]) {
        if self.setup.obliging
            && let Some(track) = self.tracks.iter_mut().find(|track| track.mid == mid.as_str())
        {
            track.take_demand(layers);
        }
    }

    /// New ICE credentials for the next offer.
    pub fn restart_ice(&mut self) {
        let rng = &mut self.rng;
        let mut word =
            |len: usize| (0..len).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
        self.ice = IceCredentials { ufrag: word(4), pwd: word(24) };
    }

    /// Takes the server's answer: slots, and where to send checks from now on.
    pub fn take_answer(&mut self, now: Instant, transport: &TransportAnswer, media: &MediaAnswer) {
        let sections = self.description().sections;
        for (section, answer) in sections.iter().zip(&media.sections) {
            let Some(group) = answer.ssrcs else { continue };
            match self.slots.iter().find(|slot| slot.mid == answer.mid) {
                Some(known) if known.ssrc == group.media => {}
                Some(_) => self.faults.push(format!("slot {} changed its SSRC", answer.mid)),
                None => {
                    self.slots.push(Slot::new(section.mid, section.kind, group.media, group.rtx));
                }
            }
        }
        let first = self.server.is_none();
        self.server = Some(transport.clone());
        self.next_check = Some(now);
        if first && let Some(certificate) = self.certificate.clone() {
            let config = TransportConfig {
                local: self.ice.clone(),
                remote: TransportDescription {
                    ice: transport.ice.clone(),
                    fingerprints: vec![transport.fingerprint.clone()],
                    // The server waits, so this end calls.
                    setup: DtlsSetup::Passive,
                },
                certificate,
            };
            self.crypto = Crypto::Dtls(Box::new(PeerTransport::new(config, now)));
        }
    }

    /// The keys, without a handshake.
    pub fn set_keys(&mut self, srtp: SrtpSession) {
        self.crypto = Crypto::Keyed(Box::new(srtp));
        self.connected = true;
    }

    /// Asks for a key frame in each video slot, as a decoder in trouble.
    pub fn ask_for_key_frames(&mut self) {
        let mut out = Vec::new();
        rtcp::write_receiver_report(&mut out, self.feedback_ssrc, &[]);
        for slot in self.slots.iter().filter(|slot| slot.kind == MediaKind::Video) {
            rtcp::write_pli(&mut out, self.feedback_ssrc, slot.ssrc);
        }
        self.send_rtcp(&out);
    }

    /// Moves to another address, for example from Wi-Fi to a mobile network, and checks it at once.
    pub fn move_to(&mut self, now: Instant, addr: SocketAddr) {
        self.addr = addr;
        self.next_check = Some(now);
    }

    fn micros(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.base).as_micros() as u64
    }

    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        if !self.alive {
            return None;
        }
        let frames = self.tracks.iter().map(Track::next_deadline);
        let frames = frames.filter(|_| self.connected).min();
        let dtls = match &self.crypto {
            Crypto::Dtls(transport) => transport.poll_timeout().map(|(at, _)| at),
            _ => None,
        };
        let report = self.connected.then_some(self.next_report);
        let flood = self.manners.flood.filter(|_| self.connected).map(|_| self.next_flood);
        let own =
            [frames, dtls, report, flood, self.next_check, self.next_look, self.next_feedback];
        own.into_iter().flatten().min()
    }

    /// The next datagram for the server.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front()
    }

    /// Time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.alive {
            return;
        }
        if self.next_check.is_some_and(|at| at <= now) {
            self.next_check = Some(now + CHECK);
            if let Some(server) = &self.server {
                let transaction = self.rng.random();
                self.out.push_back(check(&server.ice, &self.ice.ufrag, transaction));
            }
        }
        if let Crypto::Dtls(transport) = &mut self.crypto {
            transport.handle_timeout(now);
            self.drain_dtls(now);
        }
        if !self.connected {
            return;
        }
        let now_us = self.micros(now);
        let mut made = Vec::new();
        for track in &mut self.tracks {
            track.make(now, now_us, &mut self.wide, &mut made);
        }
        for packet in &made {
            self.seal(packet);
        }
        if self.next_look.is_some_and(|at| at <= now) {
            self.look(now);
        }
        if self.next_feedback.is_some_and(|at| at <= now) {
            self.tell_arrivals(now);
        }
        if let Some(flood) = self.manners.flood
            && self.next_flood <= now
        {
            self.next_flood = now + flood.interval;
            self.flood(now);
        }
        if self.next_report <= now {
            self.next_report = now + REPORT;
            self.report(now);
        }
    }

    fn seal(&mut self, packet: &Outgoing) {
        let mut out = vec![0; packet.header.len() + packet.payload.len() + 64];
        let parts = [packet.payload.as_slice(), &[]];
        let len = match &self.crypto {
            Crypto::Keyed(srtp) => srtp.seal_rtp(packet.index, &packet.header, parts, 0, &mut out),
            Crypto::Dtls(transport) => {
                transport.seal_rtp(packet.index, &packet.header, parts, 0, &mut out)
            }
            Crypto::None => None,
        };
        out.truncate(len.unwrap_or(0));
        if !out.is_empty() {
            self.out.push_back(out);
        }
    }

    fn send_rtcp(&mut self, compound: &[u8]) {
        self.out.extend(seal_rtcp(&mut self.crypto, compound));
    }

    fn wants_look(&self) -> bool {
        self.manners.nacks == Nacks::Everything || self.slots.iter().any(Slot::wants_look)
    }

    fn look(&mut self, now: Instant) {
        let mut out = Vec::new();
        let own = self.feedback_ssrc;
        for slot in &mut self.slots {
            let (numbers, key_frame) = slot.look(now, self.round_trip);
            match self.manners.nacks {
                Nacks::Honest => rtcp::write_nack(&mut out, own, slot.ssrc, &numbers),
                Nacks::Everything => {
                    rtcp::write_nack(&mut out, own, slot.ssrc, &slot.ask_for_everything(now))
                }
                Nacks::Never => 0,
            };
            if key_frame {
                rtcp::write_pli(&mut out, own, slot.ssrc);
            }
        }
        let again = self.wants_look();
        self.next_look = again.then(|| now + LOOK);
        if !out.is_empty() {
            let mut compound = Vec::new();
            rtcp::write_receiver_report(&mut compound, own, &[]);
            compound.extend(out);
            self.send_rtcp(&compound);
        }
    }
}

fn seal_rtcp(crypto: &mut Crypto, compound: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; compound.len() + 64];
    let len = match crypto {
        Crypto::Keyed(srtp) => srtp.seal_rtcp(compound, &mut out),
        Crypto::Dtls(transport) => transport.seal_rtcp(compound, &mut out),
        Crypto::None => None,
    }?;
    out.truncate(len);
    Some(out)
}
