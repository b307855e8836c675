//! The transport of one peer: ICE, then DTLS, then SRTP.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use weir_sfu_api::{DtlsSetup, Fingerprint, IceCredentials, SrtpProfile, TransportDescription};
use weir_wire::rtp::RtpHeader;

use crate::certificate::Certificate;
use crate::dtls::{Dtls, DtlsEvent};
use crate::error::{Drop, RestartError};
use crate::ice::{IceAgent, Path, StunOutcome};
use crate::limits::MAX_QUEUED_TRANSMITS;
use crate::srtp::{OpenedRtp, SrtpError, SrtpSession};

/// What a transport is made from.
#[derive(Debug, Clone)]
pub struct TransportConfig {
    /// Credentials we gave the client.
    pub local: IceCredentials,
    /// What the client told us.
    pub remote: TransportDescription,
    /// Ours.
    pub certificate: Certificate,
}

/// What a transport wants from its owner.
#[derive(Debug)]
pub enum Output {
    /// A STUN or DTLS datagram to send.
    Transmit {
        /// Receiver.
        dst: SocketAddr,
        /// Our address it must leave from, where known.
        src: Option<IpAddr>,
        /// The datagram.
        data: Bytes,
    },
    /// Something happened.
    Event(TransportEvent),
}

/// What happened to a transport.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportEvent {
    /// The handshake is complete: media may flow.
    Connected {
        /// The SRTP profile agreed on.
        profile: SrtpProfile,
    },
    /// Media goes another way from now on. Comes for the first path too.
    PathChanged(Path),
    /// No authenticated check for 30 s (RFC 7675). The transport has ended.
    ConsentExpired,
    /// The handshake failed, for this reason. The transport has ended.
    HandshakeFailed(String),
    /// The peer sent close_notify or a fatal alert. The transport has ended.
    ClosedByPeer,
    /// Decrypted application data of the DTLS association: SCTP.
    ApplicationData(BytesMut),
}

/// One peer's transport. Every call takes the time; after each, drain [`Self::poll_output`].
pub struct PeerTransport {
    ice: IceAgent,
    dtls: Dtls,
    srtp: Option<Box<SrtpSession>>,
    fingerprints: Vec<Fingerprint>,
    setup: DtlsSetup,
    ended: bool,
    outputs: VecDeque<Output>,
    queued_transmits: usize,
}

impl PeerTransport {
    /// A transport that waits for the client's checks. Starts the handshake itself when the
    /// client's `setup` is passive, as soon as an address is authenticated.
    #[must_use]
    pub fn new(config: TransportConfig, now: Instant) -> Self {
        let TransportConfig { local, remote, certificate } = config;
        let setup = match remote.setup {
            DtlsSetup::Active | DtlsSetup::ActPass => DtlsSetup::Passive,
            DtlsSetup::Passive => DtlsSetup::Active,
        };
        let server = setup == DtlsSetup::Passive;
        Self {
            ice: IceAgent::new(local, &remote.ice.ufrag, now),
            dtls: Dtls::new(certificate, &remote.fingerprints, server),
            srtp: None,
            fingerprints: remote.fingerprints,
            setup,
            ended: false,
            outputs: VecDeque::new(),
            queued_transmits: 0,
        }
    }

    /// ICE restart (RFC 8445 9): new credentials on both sides. DTLS and SRTP keep running, and
    /// so does the old path until the first check with the new credentials
    /// ([`StunOutcome::restarted`]).
    ///
    /// # Errors
    /// When the fingerprint or the DTLS role changed or the transport has ended.
    pub fn restart(
        &mut self,
        local: IceCredentials,
        remote: &TransportDescription,
        _now: Instant,
    ) -> Result<(), RestartError> {
        if self.ended {
            return Err(RestartError::Closed);
        }
        if !same_fingerprints(&self.fingerprints, &remote.fingerprints) {
            return Err(RestartError::FingerprintChanged);
        }
        // A client offers actpass again after it has become active (RFC 8842 5.5).
        let compatible = match remote.setup {
            DtlsSetup::ActPass => true,
            DtlsSetup::Active => self.setup == DtlsSetup::Passive,
            DtlsSetup::Passive => self.setup == DtlsSetup::Active,
        };
        if !compatible {
            return Err(RestartError::RoleChanged);
        }
        self.ice.restart(local, &remote.ice.ufrag);
        Ok(())
    }

    /// Skips check and handshake: `path` counts as authenticated, `srtp` as agreed on. For keys
    /// that came another way, as in the simulator, whose runs replay exactly because DTLS, which
    /// takes randomness of its own, has no part in them.
    pub fn adopt_keys(&mut self, now: Instant, path: Path, srtp: SrtpSession) {
        self.ice.assume_checked(now, path);
        self.dtls.skip_handshake();
        let profile = srtp.profile();
        self.srtp = Some(Box::new(srtp));
        self.outputs.push_back(Output::Event(TransportEvent::PathChanged(path)));
        self.outputs.push_back(Output::Event(TransportEvent::Connected { profile }));
    }

    /// A STUN message. `local_ip` is the address it was sent to.
    ///
    /// # Errors
    /// Says why it was dropped: malformed, not for this peer, or not authentic. Requests that
    /// are authentic but not acceptable (unknown attributes, role conflict) are answered with an
    /// error and change nothing.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        src: SocketAddr,
        local_ip: Option<IpAddr>,
        datagram: &[u8],
    ) -> Result<StunOutcome, Drop> {
        if self.ended {
            return Err(Drop::Closed);
        }
        let path = Path { remote: src, local: local_ip };
        let before = self.ice.path();
        let (outcome, answer) = self.ice.handle(now, path, datagram)?;
        if let Some(answer) = answer {
            self.transmit(path, answer);
        }
        if let Some(path) = self.ice.path()
            && before != Some(path)
        {
            self.outputs.push_back(Output::Event(TransportEvent::PathChanged(path)));
            self.dtls.start(now);
            self.drain_dtls();
        }
        Ok(outcome)
    }

    /// A DTLS datagram.
    ///
    /// # Errors
    /// Says why it was dropped. A handshake's end comes as an event.
    pub fn handle_dtls(
        &mut self,
        now: Instant,
        src: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), Drop> {
        if self.ended {
            return Err(Drop::Closed);
        }
        if !self.ice.is_validated(&src) {
            return Err(Drop::Unauthenticated);
        }
        let result = self.dtls.handle(now, datagram);
        self.drain_dtls();
        result
    }

    /// Opens a RTP packet into `out`: header copied, payload decrypted.
    ///
    /// # Errors
    /// See [`SrtpError`]. State of a new SSRC is stored only after authentication.
    pub fn open_rtp(
        &mut self,
        datagram: &[u8],
        header: &RtpHeader,
        out: &mut [u8],
    ) -> Result<OpenedRtp, SrtpError> {
        let srtp = self.srtp.as_mut().ok_or(SrtpError::NoKeys)?;
        srtp.open_rtp(header.ssrc, header.sequence_number, header.header_len, datagram, out)
    }

    /// Opens a SRTCP packet into `out`; returns the compound packet's length.
    ///
    /// # Errors
    /// See [`SrtpError`].
    pub fn open_rtcp(&mut self, datagram: &[u8], out: &mut [u8]) -> Result<usize, SrtpError> {
        self.srtp.as_mut().ok_or(SrtpError::NoKeys)?.open_rtcp(datagram, out)
    }

    /// Seals a RTP packet into `out`, see [`SrtpSession::seal_rtp`]. `None` before the handshake
    /// is complete or when `out` is too small.
    #[must_use]
    pub fn seal_rtp(
        &self,
        index: u64,
        header: &[u8],
        payload: [&[u8]; 2],
        padding: u8,
        out: &mut [u8],
    ) -> Option<usize> {
        self.srtp.as_ref()?.seal_rtp(index, header, payload, padding, out)
    }

    /// Seals a compound RTCP packet into `out`, see [`SrtpSession::seal_rtcp`].
    #[must_use]
    pub fn seal_rtcp(&mut self, compound: &[u8], out: &mut [u8]) -> Option<usize> {
        self.srtp.as_mut()?.seal_rtcp(compound, out)
    }

    /// Bytes sealing adds to a RTP packet; 0 before the handshake is complete.
    #[must_use]
    pub fn sealed_overhead(&self) -> usize {
        self.srtp.as_ref().map_or(0, |srtp| srtp.rtp_overhead())
    }

    /// Bytes sealing adds to a RTCP packet; 0 before the handshake is complete.
    #[must_use]
    pub fn sealed_rtcp_overhead(&self) -> usize {
        self.srtp.as_ref().map_or(0, |srtp| srtp.rtcp_overhead())
    }

    /// Whether the handshake is complete and the transport has not ended.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.ended && self.dtls.is_connected()
    }

    /// Whether it failed, was closed or lost consent: only queued output is left.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The SRTP profile, once connected.
    #[must_use]
    pub fn profile(&self) -> Option<SrtpProfile> {
        self.srtp.as_ref().map(|srtp| srtp.profile())
    }

    /// Where media goes: the nominated pair, before that the first authenticated one.
    #[must_use]
    pub fn path(&self) -> Option<Path> {
        self.ice.path()
    }

    /// Ours; those of the last restart.
    #[must_use]
    pub fn local_credentials(&self) -> &IceCredentials {
        self.ice.local_credentials()
    }

    /// Our DTLS role: active or passive.
    #[must_use]
    pub fn setup(&self) -> DtlsSetup {
        self.setup
    }

    /// Sends application data (SCTP) through the DTLS association. False when not connected.
    pub fn send_application_data(&mut self, now: Instant, data: &[u8]) -> bool {
        let sent = !self.ended && self.dtls.send(now, data);
        self.drain_dtls();
        sent
    }

    /// Time has come, see [`Self::poll_timeout`]. Early and late calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        if self.ice.consent_deadline().is_some_and(|at| now >= at) {
            self.dtls.close(now);
            self.drain_dtls();
            self.end(TransportEvent::ConsentExpired);
            return;
        }
        self.dtls.handle_timeout(now);
        self.drain_dtls();
    }

    /// Ends it, with close_notify to the peer. No event follows.
    pub fn close(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        self.dtls.close(now);
        self.drain_dtls();
        self.ended = true;
        self.srtp = None;
    }

    /// The next thing to send or to know; `None` when drained.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front()?;
        if matches!(output, Output::Transmit { .. }) {
            self.queued_transmits = self.queued_transmits.saturating_sub(1);
        }
        Some(output)
    }

    /// When to call [`Self::handle_timeout`], and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.ended {
            return None;
        }
        let consent = self.ice.consent_deadline().map(|at| (at, "ice consent"));
        [consent, self.dtls.poll_timeout()].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// When to call [`Self::handle_timeout`], without the reason: for those who ask often.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let consent = self.ice.consent_deadline();
        match self.dtls.poll_timeout() {
            None => consent,
            Some((at, _)) => Some(consent.map_or(at, |consent| consent.min(at))),
        }
    }

    fn transmit(&mut self, path: Path, data: Bytes) {
        if self.queued_transmits >= MAX_QUEUED_TRANSMITS {
            return;
        }
        self.queued_transmits = self.queued_transmits.saturating_add(1);
        self.outputs.push_back(Output::Transmit { dst: path.remote, src: path.local, data });
    }

    fn drain_dtls(&mut self) {
        while let Some(data) = self.dtls.poll_transmit() {
            if let Some(path) = self.ice.path() {
                self.transmit(path, data);
            }
        }
        while let Some(event) = self.dtls.poll_event() {
            match event {
                DtlsEvent::Connected(srtp) => {
                    let profile = srtp.profile();
                    self.srtp = Some(srtp);
                    let event = TransportEvent::Connected { profile };
                    self.outputs.push_back(Output::Event(event));
                }
                DtlsEvent::ApplicationData(data) => {
                    let event = TransportEvent::ApplicationData(data);
                    self.outputs.push_back(Output::Event(event));
                }
                DtlsEvent::Failed(reason) => self.end(TransportEvent::HandshakeFailed(reason)),
                DtlsEvent::ClosedByPeer => self.end(TransportEvent::ClosedByPeer),
            }
        }
    }

    fn end(&mut self, event: TransportEvent) {
        self.ended = true;
        self.srtp = None;
        self.outputs.push_back(Output::Event(event));
    }
}

impl std::fmt::Debug for PeerTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerTransport")
            .field("setup", &self.setup)
            .field("ended", &self.ended)
            .field("profile", &self.profile())
            .finish_non_exhaustive()
    }
}

/// A shard's thread takes its peers along.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<PeerTransport>();
};

/// The same set, in any order.
fn same_fingerprints(a: &[Fingerprint], b: &[Fingerprint]) -> bool {
    a.iter().all(|f| b.contains(f)) && b.iter().all(|f| a.contains(f))
}
