//! ICE-lite (RFC 8445 2.5): answers checks, never sends one.

mod pairs;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use bytes::Bytes;
use weir_sfu_api::IceCredentials;
use weir_wire::stun::{BINDING, StunClass, StunMessage, StunWriter};

use crate::error::Drop;
use crate::limits::{CONSENT_TIMEOUT, RECENT_CHECKS};
use pairs::{Nomination, Pairs};

/// Where packets to the peer go, and from which of our addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// The peer's address as we see it.
    pub remote: SocketAddr,
    /// Our address the peer sent to, where known.
    pub local: Option<IpAddr>,
}

/// What an authenticated check changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StunOutcome {
    /// The source address was not known: add it to the demultiplexer.
    pub address_validated: bool,
    /// An address that had to make room: take it out of the demultiplexer, before adding.
    pub evicted: Option<SocketAddr>,
    /// The path that media takes from now on, when this check changed it.
    pub nominated: Option<Path>,
    /// The first check with the credentials of the last ICE restart: the user name fragment
    /// before it and all addresses count no more. Forget them
    /// ([`crate::demux::Demux::remove_key`]), then add this check's address
    /// (`address_validated` is set).
    pub restarted: bool,
}

/// One generation of credentials.
struct Generation {
    local: IceCredentials,
    remote_ufrag: String,
    key: hmac::Key,
}

impl Generation {
    fn new(local: IceCredentials, remote_ufrag: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, local.pwd.as_bytes());
        Self { local, remote_ufrag: remote_ufrag.to_owned(), key }
    }

    /// RFC 8445 7.2.2: `<our ufrag>:<their ufrag>`.
    fn is_named(&self, username: &str) -> bool {
        username
            .split_once(':')
            .is_some_and(|(ours, theirs)| ours == self.local.ufrag && theirs == self.remote_ufrag)
    }
}

/// The agent of one peer.
pub(crate) struct IceAgent {
    current: Generation,
    /// Before the last restart, until a check with the new credentials came.
    previous: Option<Generation>,
    pairs: Pairs,
    last_check: Instant,
    recent: Recent,
    scratch: Vec<u8>,
}

/// The transactions of the last authenticated checks. Who records one on its way could otherwise
/// send it again from elsewhere and draw the peer's media there, or keep up its consent.
#[derive(Default)]
struct Recent(VecDeque<([u8; 12], SocketAddr)>);

impl Recent {
    /// Where this transaction came from before; it is remembered when it is new.
    fn note(&mut self, transaction: [u8; 12], from: SocketAddr) -> Option<SocketAddr> {
        if let Some((_, before)) = self.0.iter().find(|(known, _)| *known == transaction) {
            return Some(*before);
        }
        if self.0.len() >= RECENT_CHECKS {
            self.0.pop_front();
        }
        self.0.push_back((transaction, from));
        None
    }
}

impl IceAgent {
    pub(crate) fn new(local: IceCredentials, remote_ufrag: &str, now: Instant) -> Self {
        Self {
            current: Generation::new(local, remote_ufrag),
            previous: None,
            pairs: Pairs::default(),
            last_check: now,
            recent: Recent::default(),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn local_credentials(&self) -> &IceCredentials {
        &self.current.local
    }

    pub(crate) fn path(&self) -> Option<Path> {
        self.pairs.selected()
    }

    pub(crate) fn is_validated(&self, addr: &SocketAddr) -> bool {
        self.pairs.contains(addr)
    }

    /// As if a check had come this way, see [`crate::PeerTransport::adopt_keys`].
    pub(crate) fn assume_checked(&mut self, now: Instant, path: Path) {
        self.last_check = now;
        self.pairs.check(now, path, 0, Some(Nomination { at: now, value: None }));
    }

    /// When consent ends (RFC 7675 5.1); every authenticated check moves it.
    pub(crate) fn consent_deadline(&self) -> Option<Instant> {
        self.last_check.checked_add(CONSENT_TIMEOUT)
    }

    /// New credentials (RFC 8445 9). Media stays on the old path, and checks with the old
    /// credentials are answered, until the first check with the new ones.
    pub(crate) fn restart(&mut self, local: IceCredentials, remote_ufrag: &str) {
        let old = std::mem::replace(&mut self.current, Generation::new(local, remote_ufrag));
        // A restart before the last one was used: keep the generation that is in use.
        if self.previous.is_none() {
            self.previous = Some(old);
        }
    }

    /// Answers a check. The second value is the answer, to go where the check came from.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
    ) -> Result<(StunOutcome, Option<Bytes>), Drop> {
        let message = StunMessage::parse(datagram).map_err(|_| Drop::StunMalformed)?;
        if message.method() != BINDING {
            return Err(Drop::StunMalformed);
        }
        if message.fingerprint_ok() == Some(false) {
            return Err(Drop::StunFingerprint);
        }
        match message.class() {
            StunClass::Request => {}
            // Keeps a NAT's mapping alive and says nothing (RFC 8445 11).
            StunClass::Indication => return Ok((StunOutcome::default(), None)),
            StunClass::Success | StunClass::Error => return Err(Drop::StunMalformed),
        }
        let username = message.username().ok_or(Drop::StunUsername)?;
        let is_current = self.current.is_named(username);
        let generation = if is_current {
            &self.current
        } else {
            self.previous.as_ref().filter(|p| p.is_named(username)).ok_or(Drop::StunUsername)?
        };
        let (_, mac) = message.message_integrity().ok_or(Drop::StunIntegrity)?;
        message.integrity_input(&mut self.scratch);
        let computed = hmac::sign(&generation.key, &self.scratch);
        verify_slices_are_equal(computed.as_ref(), &mac).map_err(|_| Drop::StunIntegrity)?;

        if let Some(refusal) = refuse(&message) {
            return Ok((StunOutcome::default(), Some(sign(refusal, &generation.key))));
        }
        let mut answer = StunWriter::binding_success(message.transaction_id());
        answer.xor_mapped_address(path.remote);
        let answer = sign(answer, &generation.key);
        match self.recent.note(message.transaction_id(), path.remote) {
            None => {}
            // Our answer was lost or is under way.
            Some(before) if before == path.remote => {
                return Ok((StunOutcome::default(), Some(answer)));
            }
            Some(_) => return Err(Drop::StunReplayed),
        }

        self.last_check = now;
        let restarted = is_current && self.previous.take().is_some();
        if restarted {
            self.pairs.clear_but(&path.remote);
        }
        let nomination =
            message.use_candidate().then(|| Nomination { at: now, value: message.nomination() });
        let mut outcome = self.pairs.check(now, path, message.priority().unwrap_or(0), nomination);
        outcome.restarted = restarted;
        outcome.address_validated |= restarted;
        Ok((outcome, Some(answer)))
    }
}

/// The error answer of an authenticated request that cannot succeed.
fn refuse(message: &StunMessage<'_>) -> Option<StunWriter> {
    let unknown: Vec<u16> = message.unknown_required().take(64).collect();
    if !unknown.is_empty() {
        // RFC 8489 6.3.1.
        let id = message.transaction_id();
        let mut answer = StunWriter::binding_error(id, 420, "Unknown Attribute");
        answer.unknown_attributes(&unknown);
        return Some(answer);
    }
    // RFC 8445 7.3.1.1. A lite agent is controlled always, whoever has the higher tie-breaker
    // (RFC 8445 6.1.1): the peer must switch.
    message
        .ice_controlled()
        .map(|_| StunWriter::binding_error(message.transaction_id(), 487, "Role Conflict"))
}

fn sign(writer: StunWriter, key: &hmac::Key) -> Bytes {
    let hmac = |input: &[u8]| {
        let mut mac = [0u8; 20];
        for (to, from) in mac.iter_mut().zip(hmac::sign(key, input).as_ref()) {
            *to = *from;
        }
        mac
    };
    Bytes::from(writer.finish(Some(&hmac)))
}
