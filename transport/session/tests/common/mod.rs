//! A client made of a STUN writer and an rtc-dtls endpoint, and a wire in virtual time.

pub mod delay;
pub mod dtls;
pub mod stun;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use weir_session::{
    Certificate, Drop, Output, Path, PeerTransport, StunOutcome, TransportConfig, TransportEvent,
};
use weir_sfu_api::{
    DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials, SrtpProfile, TransportDescription,
};

use dtls::DtlsClient;

pub fn server_ice() -> IceCredentials {
    IceCredentials { ufrag: "srvr".to_owned(), pwd: "the-server-password-0001".to_owned() }
}

pub fn client_ice() -> IceCredentials {
    IceCredentials { ufrag: "clnt".to_owned(), pwd: "the-client-password-0001".to_owned() }
}

pub fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], port))
}

pub fn sha256(der: &[u8]) -> Fingerprint {
    let value = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref().to_vec();
    Fingerprint { algorithm: HashAlgorithm::Sha256, value }
}

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// Our transport and a client, with the wire between them.
pub struct World {
    pub now: Instant,
    pub server: PeerTransport,
    pub client: DtlsClient,
    pub src: SocketAddr,
    pub events: Vec<TransportEvent>,
    pub stun_answers: Vec<(SocketAddr, Vec<u8>)>,
    pub drops: Vec<Drop>,
    /// Destinations of DTLS datagrams.
    pub sent_to: Vec<SocketAddr>,
}

impl World {
    /// The client announces its own fingerprint.
    pub fn new(client: DtlsClient) -> Self {
        let fingerprints = vec![sha256(&client.certificate_der)];
        Self::announcing(client, fingerprints)
    }

    pub fn announcing(client: DtlsClient, fingerprints: Vec<Fingerprint>) -> Self {
        let setup = if client.is_client { DtlsSetup::ActPass } else { DtlsSetup::Passive };
        let now = Instant::now();
        let config = TransportConfig {
            local: server_ice(),
            remote: TransportDescription { ice: client_ice(), fingerprints, setup },
            certificate: Certificate::generate().unwrap(),
        };
        Self {
            now,
            server: PeerTransport::new(config, now),
            client,
            src: addr(4000),
            events: Vec::new(),
            stun_answers: Vec::new(),
            drops: Vec::new(),
            sent_to: Vec::new(),
        }
    }

    /// A good check from `src`.
    pub fn check(&mut self, src: SocketAddr) -> StunOutcome {
        let request = stun::check(&server_ice(), "clnt").finish();
        self.server.handle_stun(self.now, src, None, &request).unwrap()
    }

    pub fn stun(&mut self, src: SocketAddr, request: &[u8]) -> Result<StunOutcome, Drop> {
        self.server.handle_stun(self.now, src, None, request)
    }

    /// Check, then the whole handshake without loss.
    pub fn connect(&mut self) {
        let src = self.src;
        self.check(src);
        self.client.start(self.now);
        self.run(Duration::from_secs(15), |_, _| true);
    }

    /// Moves datagrams, then time, until both sides are quiet and connected, the server ended or
    /// `limit` has passed. `deliver` says which datagrams arrive.
    pub fn run(&mut self, limit: Duration, mut deliver: impl FnMut(Way, &[u8]) -> bool) {
        let end = self.now + limit;
        loop {
            while self.step(&mut deliver) {}
            let done = self.server.is_connected() && self.client.completed;
            if done || self.server.has_ended() {
                return;
            }
            let timers = [self.server.poll_timeout().map(|(at, _)| at), self.client.timeout()];
            let next = timers.into_iter().flatten().min().unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.server.handle_timeout(self.now);
            self.client.handle_timeout(self.now);
        }
    }

    /// Moves what is ready; false when nothing was.
    pub fn step(&mut self, deliver: &mut impl FnMut(Way, &[u8]) -> bool) -> bool {
        let mut moved = false;
        while let Some(output) = self.server.poll_output() {
            moved = true;
            match output {
                Output::Transmit { dst, data, .. } if data[0] < 4 => {
                    self.stun_answers.push((dst, data.to_vec()));
                }
                Output::Transmit { dst, data, .. } => {
                    self.sent_to.push(dst);
                    if deliver(Way::ToClient, &data) {
                        self.client.read(self.now, &data);
                    }
                }
                Output::Event(event) => self.events.push(event),
            }
        }
        while let Some(data) = self.client.poll_transmit() {
            moved = true;
            if deliver(Way::ToServer, &data)
                && let Err(drop) = self.server.handle_dtls(self.now, self.src, &data)
            {
                self.drops.push(drop);
            }
        }
        moved
    }

    /// Takes outputs without running the client.
    pub fn drain(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Transmit { dst, data, .. } if data[0] < 4 => {
                    self.stun_answers.push((dst, data.to_vec()));
                }
                Output::Transmit { dst, .. } => self.sent_to.push(dst),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub fn connected_with(&self) -> Option<SrtpProfile> {
        self.events.iter().find_map(|event| match event {
            TransportEvent::Connected { profile } => Some(*profile),
            _ => None,
        })
    }

    pub fn failure(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            TransportEvent::HandshakeFailed(reason) => Some(reason.as_str()),
            _ => None,
        })
    }

    pub fn paths(&self) -> Vec<Path> {
        let path = |event: &TransportEvent| match event {
            TransportEvent::PathChanged(path) => Some(*path),
            _ => None,
        };
        self.events.iter().filter_map(path).collect()
    }

    /// Media both ways between us and the client, which uses rtc-srtp with the keys that its own
    /// DTLS stack exported.
    pub fn assert_media_flows(&mut self) {
        let (mut seal, mut open) = self.client.srtp();
        let plain = rtp_packet(0x1234_5678, 700, b"from the client");
        let sealed = seal.encrypt_rtp(&plain).unwrap();
        let header = weir_wire::rtp::parse_header(&sealed).unwrap();
        let mut out = [0; 1500];
        let opened = self.server.open_rtp(&sealed, &header, &mut out).unwrap();
        assert_eq!(out[..opened.len].to_vec(), plain);
        assert_eq!(opened.index, 700);

        let plain = rtp_packet(0x8765_4321, 9, b"from the server");
        let (head, body) = plain.split_at(12);
        let len = self.server.seal_rtp(9, head, [&[], body], 0, &mut out).unwrap();
        assert_eq!(len, plain.len() + self.server.sealed_overhead());
        assert_eq!(open.decrypt_rtp(&out[..len]).unwrap().to_vec(), plain);
    }
}

pub fn rtp_packet(ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(seq.to_be_bytes());
    packet.extend(12_345_u32.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}
