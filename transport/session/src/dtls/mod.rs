//! The DTLS association of one peer (RFC 6347, RFC 5764), driven through rtc-dtls.
//!
//! One rtc-dtls endpoint per peer under constant synthetic addresses, so that a new ICE path is
//! no new association. What rtc-dtls lacks is done here: choosing the SRTP profile by our
//! preference, surviving nonsense, and repeating our flights, by a timer and when the peer repeats
//! its own (docs/adr/0007).

mod flight;
mod hello;
mod records;
mod verify;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{
    ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig,
    VerifyPeerCertificateFn,
};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use weir_sfu_api::{Fingerprint, SrtpProfile};

use crate::certificate::Certificate;
use crate::error::Drop;
use crate::limits::{
    FLIGHT_INTERVAL, HANDSHAKE_TIMEOUT, MAX_FRESH_REPEATS, MAX_HANDSHAKE_BYTES,
    MAX_LATE_HANDSHAKE_BYTES,
};
use crate::srtp::{self, SrtpSession};
use flight::Flight;
use records::{Inspection, Stage};

/// rtc-dtls's name of a profile.
fn protection(profile: SrtpProfile) -> SrtpProtectionProfile {
    match profile {
        SrtpProfile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        SrtpProfile::AeadAes256Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
        SrtpProfile::Aes128CmHmacSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        SrtpProfile::Aes128CmHmacSha1_32 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
    }
}

/// ECDHE_RSA is for peers that show a RSA certificate as servers.
const CIPHER_SUITES: [CipherSuiteId; 6] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_256_Cbc_Sha,
];

/// RFC 5764 4.2.
const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";

fn local_addr() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 1))
}

fn remote_addr() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 2], 2))
}

/// What happened to the association.
pub(crate) enum DtlsEvent {
    Connected(Box<SrtpSession>),
    Failed(String),
    ClosedByPeer,
    ApplicationData(BytesMut),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Handshaking,
    Connected,
    Ended,
}

pub(crate) struct Dtls {
    certificate: Certificate,
    fingerprints: Arc<[Fingerprint]>,
    server: bool,
    phase: Phase,
    endpoint: Option<Endpoint>,
    /// Server: which of the certificate's profiles the endpoint offers.
    attempt: usize,
    /// Server: the ClientHello under way.
    hello: hello::Assembly,
    /// Bytes received before completion, and unencrypted ones after it.
    received: usize,
    late: usize,
    /// Number of the peer's next handshake message: everything below was answered.
    expected: u16,
    highest: Option<u16>,
    flight: Flight,
    deadline: Option<Instant>,
    transmits: VecDeque<Bytes>,
    events: VecDeque<DtlsEvent>,
}

impl Dtls {
    pub(crate) fn new(
        certificate: Certificate,
        fingerprints: &[Fingerprint],
        server: bool,
    ) -> Self {
        Self {
            certificate,
            fingerprints: fingerprints.into(),
            server,
            phase: Phase::Idle,
            endpoint: None,
            attempt: 0,
            hello: hello::Assembly::default(),
            received: 0,
            late: 0,
            expected: 0,
            highest: None,
            flight: Flight::default(),
            deadline: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// There is nothing to agree on: see [`crate::PeerTransport::adopt_keys`].
    pub(crate) fn skip_handshake(&mut self) {
        self.phase = Phase::Connected;
    }

    /// There is an authenticated address: the handshake may begin. Does nothing the second time.
    pub(crate) fn start(&mut self, now: Instant) {
        if self.phase != Phase::Idle {
            return;
        }
        self.phase = Phase::Handshaking;
        self.deadline = now.checked_add(HANDSHAKE_TIMEOUT);
        if self.server {
            return;
        }
        let begun = guard(|| {
            let config = self.config(self.certificate.profiles())?;
            let mut endpoint = Endpoint::new(local_addr(), TransportProtocol::UDP, None);
            endpoint.connect(now, remote_addr(), config, None)?;
            Ok::<_, Error>(endpoint)
        });
        match begun {
            Ok(Ok(endpoint)) => {
                self.endpoint = Some(endpoint);
                self.take_flight(now);
            }
            Ok(Err(error)) => self.fail(error.to_string()),
            Err(Panicked) => self.fail(PANICKED.to_owned()),
        }
    }

    /// A datagram from an authenticated address.
    pub(crate) fn handle(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Drop> {
        let stage = match self.phase {
            Phase::Idle | Phase::Ended => return Err(Drop::Closed),
            // The second hello, with the cookie, has number 1.
            Phase::Handshaking if self.server && self.expected <= 1 => Stage::Listening,
            Phase::Handshaking => Stage::Handshaking,
            Phase::Connected => Stage::Connected,
        };
        let found = records::inspect(datagram, self.server, stage, self.expected)?;
        self.count(datagram.len(), stage, &found)?;
        match stage {
            Stage::Listening => {
                let Some(hello) = self.hello.push(datagram) else { return Ok(()) };
                // A hello for which the cookie was lost makes rtc-dtls send it again.
                self.highest = self.highest.max(found.highest);
                self.feed(now, &hello)
            }
            Stage::Handshaking if found.warning => Err(Drop::DtlsRefused),
            Stage::Handshaking if found.old => {
                if self.flight.take_asked(now) {
                    self.repeat(now);
                }
                Err(Drop::DtlsRepeated)
            }
            Stage::Handshaking => {
                // A server's last flight has no message in the clear: parts of it leave the timer
                // on, because only a repetition of our Finished makes the server repeat it.
                if self.server || found.highest.is_some_and(|highest| highest >= self.expected) {
                    self.flight.answered();
                }
                self.highest = self.highest.max(found.highest);
                self.feed(now, datagram)
            }
            // Of a repeated last flight, only the Finished is answered.
            Stage::Connected if found.highest.is_some() && !found.protected => {
                Err(Drop::DtlsRepeated)
            }
            Stage::Connected => self.feed(now, datagram),
        }
    }

    /// Whether and when [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.phase != Phase::Handshaking {
            return None;
        }
        let deadline = self.deadline.map(|at| (at, "dtls handshake deadline"));
        let repeat =
            self.flight.due().filter(|_| self.timed()).map(|at| (at, "dtls flight repeat"));
        [deadline, repeat].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.phase != Phase::Handshaking {
            return;
        }
        if self.deadline.is_some_and(|at| now >= at) {
            self.fail("handshake timed out".to_owned());
        } else if self.timed() && self.flight.take_due(now) {
            self.repeat(now);
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Bytes> {
        self.transmits.pop_front()
    }

    pub(crate) fn poll_event(&mut self) -> Option<DtlsEvent> {
        self.events.pop_front()
    }

    /// Sends application data (SCTP). False before completion or when rtc-dtls refuses.
    pub(crate) fn send(&mut self, now: Instant, data: &[u8]) -> bool {
        if self.phase != Phase::Connected {
            return false;
        }
        let Some(endpoint) = self.endpoint.as_mut() else { return false };
        let sent = matches!(guard(|| endpoint.write(now, remote_addr(), data)), Ok(Ok(())));
        self.take_transmits();
        sent
    }

    /// Queues close_notify and ends.
    pub(crate) fn close(&mut self, now: Instant) {
        if let Some(endpoint) = self.endpoint.as_mut() {
            let _ = guard(|| endpoint.stop(now, remote_addr()).is_some());
            self.take_transmits();
        }
        self.end();
    }

    fn count(&mut self, len: usize, stage: Stage, found: &Inspection) -> Result<(), Drop> {
        let (counter, limit) = if stage != Stage::Connected {
            (&mut self.received, MAX_HANDSHAKE_BYTES)
        } else if found.highest.is_some() {
            (&mut self.late, MAX_LATE_HANDSHAKE_BYTES)
        } else {
            return Ok(());
        };
        *counter = counter.saturating_add(len);
        if *counter > limit { Err(Drop::DtlsLimit) } else { Ok(()) }
    }

    /// Gives a datagram to rtc-dtls and takes what comes of it. On a ClientHello without the
    /// offered profile the endpoint goes with its queued alert and the next profile is offered.
    fn feed(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Drop> {
        let mut result = self.read(now, datagram);
        while self.server
            && self.expected == 0
            && matches!(result, Ok(Err(Error::ErrServerNoMatchingSrtpProfile)))
        {
            self.endpoint = None;
            self.attempt = self.attempt.saturating_add(1);
            if self.attempt >= self.certificate.profiles().len() {
                self.fail("no common SRTP profile".to_owned());
                return Err(Drop::DtlsRefused);
            }
            result = self.read(now, datagram);
        }
        let events = match result {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return self.refused(&error),
            Err(Panicked) => {
                self.fail(PANICKED.to_owned());
                return Err(Drop::DtlsRefused);
            }
        };
        self.take_flight(now);
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => self.complete(),
                EndpointEvent::ApplicationData(data) => {
                    self.events.push_back(DtlsEvent::ApplicationData(data));
                }
                EndpointEvent::PeerClosed => self.closed_by_peer(),
                _ => {}
            }
        }
        Ok(())
    }

    fn read(&mut self, now: Instant, datagram: &[u8]) -> Guarded<Vec<EndpointEvent>> {
        if self.endpoint.is_none() {
            let offered = self.certificate.profiles().get(self.attempt).copied();
            let config = guard(|| self.config(offered.as_slice()))?;
            match config {
                Ok(config) => {
                    let udp = TransportProtocol::UDP;
                    self.endpoint = Some(Endpoint::new(local_addr(), udp, Some(config)));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        let Some(endpoint) = self.endpoint.as_mut() else { return Err(Panicked) };
        guard(|| endpoint.read(now, remote_addr(), None, BytesMut::from(datagram)))
    }

    /// rtc-dtls returned an error for a datagram, which may be that the peer said goodbye.
    fn refused(&mut self, error: &Error) -> Result<(), Drop> {
        self.take_transmits();
        match self.phase {
            Phase::Connected if matches!(error, Error::ErrAlertFatalOrClose) => {
                self.closed_by_peer();
                return Ok(());
            }
            Phase::Connected => {}
            _ => self.fail(error.to_string()),
        }
        Err(Drop::DtlsRefused)
    }

    fn complete(&mut self) {
        match self.session() {
            Ok(session) => {
                self.phase = Phase::Connected;
                self.flight = Flight::default();
                self.events.push_back(DtlsEvent::Connected(Box::new(session)));
            }
            Err(reason) => self.fail(reason),
        }
    }

    /// The SRTP session of a complete handshake.
    fn session(&self) -> Result<SrtpSession, String> {
        let state = self
            .endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.get_connection_state(remote_addr()))
            .ok_or("no association")?;
        let negotiated = state.srtp_protection_profile();
        let profile = SrtpProfile::ALL
            .into_iter()
            .find(|profile| protection(*profile) == negotiated)
            .ok_or("no SRTP profile negotiated")?;
        // Checked in the handshake already; keys are handed out to nobody else in any case.
        let certificate = state.peer_certificates.first().ok_or("no certificate")?;
        if !verify::matches_any(&self.fingerprints, certificate) {
            return Err("certificate does not match the fingerprint".to_owned());
        }
        let (key_len, salt_len) = srtp::key_and_salt_len(profile);
        let length = key_len.saturating_add(salt_len).saturating_mul(2);
        let exported = guard(|| state.export_keying_material(EXPORTER_LABEL, &[], length))
            .map_err(|Panicked| PANICKED.to_owned())?
            .map_err(|error| error.to_string())?;
        let (client, server) = srtp::split_keying_material(profile, exported.as_ref())
            .ok_or("short keying material")?;
        let (local, remote) = if self.server { (server, client) } else { (client, server) };
        SrtpSession::new(profile, &local, &remote).ok_or_else(|| "bad SRTP keys".to_owned())
    }

    fn config(&self, profiles: &[SrtpProfile]) -> Result<Arc<HandshakeConfig>, Error> {
        let fingerprints = self.fingerprints.clone();
        let verifier: VerifyPeerCertificateFn =
            Arc::new(move |certs: &[Vec<u8>], _: &[_]| match certs.first() {
                Some(der) if verify::matches_any(&fingerprints, der) => Ok(()),
                _ => Err(Error::ErrNoMatchingCertificateFingerprint),
            });
        let profiles = profiles.iter().map(|profile| protection(*profile)).collect();
        let config = ConfigBuilder::default()
            .with_crypto_provider(self.certificate.provider().clone())
            .with_certificates(vec![self.certificate.dtls().clone()])
            .with_cipher_suites(CIPHER_SUITES.to_vec())
            .with_srtp_protection_profiles(profiles)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            // The certificate is checked against the signalled fingerprint, not a CA.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(verifier))
            // Binds the keys to the handshake (RFC 7627): rtc-dtls relies on it.
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_flight_interval(FLIGHT_INTERVAL)
            .with_server_name("weir".to_owned())
            .build(!self.server, None)?;
        Ok(Arc::new(config))
    }

    /// Whether the timer repeats our flight. Never a HelloVerifyRequest: the client repeats.
    fn timed(&self) -> bool {
        !self.server || self.expected > 1
    }

    /// Sends our flight again.
    ///
    /// The same bytes where the peer has a timer of its own for its answer: what it has already is
    /// a replay to it, and cannot disturb that timer (rtc-dtls as the peer would stop it). Newly
    /// made by rtc-dtls, whose own timer is fired for that and for nothing else, where only a
    /// record it has not seen makes the peer repeat its answer: our first hello and our Finished.
    fn repeat(&mut self, now: Instant) {
        let before = self.transmits.len();
        let fresh = !self.server && self.expected != 1;
        if fresh
            && self.flight.repeats() <= MAX_FRESH_REPEATS
            && let Some(endpoint) = self.endpoint.as_mut()
            && let Some(timer) = endpoint.poll_timeout(&remote_addr())
        {
            match guard(|| endpoint.handle_timeout(remote_addr(), now.max(timer))) {
                Ok(Ok(())) => self.take_transmits(),
                Ok(Err(error)) => return self.fail(error.to_string()),
                Err(Panicked) => return self.fail(PANICKED.to_owned()),
            }
        }
        if self.transmits.len() == before {
            self.transmits.extend(self.flight.datagrams().iter().cloned());
        }
    }

    fn take_transmits(&mut self) {
        let Some(endpoint) = self.endpoint.as_mut() else { return };
        while let Some(transmit) = endpoint.poll_transmit() {
            self.transmits.push_back(transmit.message.freeze());
        }
    }

    /// Takes what rtc-dtls sends; during the handshake that is our next flight.
    fn take_flight(&mut self, now: Instant) {
        let before = self.transmits.len();
        self.take_transmits();
        if self.phase != Phase::Handshaking || self.transmits.len() == before {
            return;
        }
        self.flight = Flight::new(self.transmits.iter().skip(before), now);
        self.expected = self.highest.map_or(0, |highest| highest.saturating_add(1));
    }

    fn fail(&mut self, reason: String) {
        if self.phase != Phase::Ended {
            self.take_transmits();
            self.events.push_back(DtlsEvent::Failed(reason));
            self.end();
        }
    }

    fn closed_by_peer(&mut self) {
        if self.phase != Phase::Ended {
            self.events.push_back(if self.phase == Phase::Connected {
                DtlsEvent::ClosedByPeer
            } else {
                DtlsEvent::Failed("closed by the peer during the handshake".to_owned())
            });
            self.end();
        }
    }

    fn end(&mut self) {
        self.phase = Phase::Ended;
        self.endpoint = None;
        self.hello = hello::Assembly::default();
        self.flight = Flight::default();
    }
}

const PANICKED: &str = "the DTLS stack panicked";

/// rtc-dtls panicked: its state is not to be used any more.
struct Panicked;

type Guarded<T> = Result<Result<T, Error>, Panicked>;

/// Runs third-party code on a peer's bytes: the peer may die of it, the shard may not.
fn guard<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked)
}
