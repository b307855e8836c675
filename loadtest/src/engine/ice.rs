//! The client's side of ICE (RFC 8445): checks to each candidate until one answers, then consent
//! (RFC 7675). Servers may be lite or full, controlled or controlling.

use super::Ended;
use super::lots::Lots;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_sfu_api::IceCredentials;
use weir_wire::stun::{StunClass, StunMessage, StunWriter};

/// Ta, between two checks to one candidate before any answered (RFC 8445 14.2).
const PACE: Duration = Duration::from_millis(50);
/// No answer at all: given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two checks of consent, give or take a fifth (RFC 7675 5.1).
const CONSENT: Duration = Duration::from_millis(2_500);
/// Without an answer consent ends (RFC 7675 5.1).
const CONSENT_LOST: Duration = Duration::from_secs(30);
/// Addresses checked, at most; a server has a few.
const MAX_PAIRS: usize = 16;
/// Transactions whose answer may still come.
const MAX_OPEN: usize = 64;
/// Of a peer-reflexive candidate, RTP component (RFC 8445 5.1.2).
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// What a message changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing of note.
    Nothing,
    /// This pair lives: consent was renewed, or it was selected.
    Alive(SocketAddr),
}

/// Messages to be sent.
pub(super) type Out = Vec<(SocketAddr, Vec<u8>)>;

/// The agent of one connection.
pub(super) struct Ice {
    ours: IceCredentials,
    theirs: IceCredentials,
    our_key: hmac::Key,
    their_key: hmac::Key,
    controlling: bool,
    tie_breaker: u64,
    pairs: Vec<SocketAddr>,
    selected: Option<SocketAddr>,
    open: VecDeque<([u8; 12], SocketAddr, Instant)>,
    began: Instant,
    next: Instant,
    last_answer: Option<Instant>,
    round_trip: Option<Duration>,
    lots: Lots,
}

fn key(pwd: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pwd.as_bytes())
}

fn sign(key: &hmac::Key, writer: StunWriter) -> Vec<u8> {
    writer.finish(Some(&|input: &[u8]| {
        hmac::sign(key, input).as_ref().try_into().expect("SHA-1 has 20 bytes")
    }))
}

impl Ice {
    pub(super) fn new(
        ours: IceCredentials,
        theirs: IceCredentials,
        controlling: bool,
        now: Instant,
        mut lots: Lots,
    ) -> Self {
        Self {
            our_key: key(&ours.pwd),
            their_key: key(&theirs.pwd),
            ours,
            theirs,
            controlling,
            // Low: in a conflict we give in, which ends it at once.
            tie_breaker: lots.next() >> 32,
            pairs: Vec::new(),
            selected: None,
            open: VecDeque::new(),
            began: now,
            next: now,
            last_answer: None,
            round_trip: None,
            lots,
        }
    }

    /// One more address to check; the first ones are preferred.
    pub(super) fn add(&mut self, now: Instant, addr: SocketAddr) {
        if self.pairs.len() < MAX_PAIRS && !self.pairs.contains(&addr) {
            self.pairs.push(addr);
            if self.selected.is_none() {
                self.next = now;
            }
        }
    }

    /// Where media goes.
    #[cfg(test)]
    pub(super) fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Of the last check.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(super) fn next_deadline(&self) -> Instant {
        let end = match self.last_answer {
            Some(last) => last + CONSENT_LOST,
            None => self.began + PATIENCE,
        };
        self.next.min(end)
    }

    /// Sends what is due.
    ///
    /// # Errors
    /// When nobody answered for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Out) -> Result<(), Ended> {
        match self.last_answer {
            Some(last) if now >= last + CONSENT_LOST => return Err(Ended::ConsentLost),
            None if now >= self.began + PATIENCE => return Err(Ended::NoAnswerToChecks),
            _ => {}
        }
        if now < self.next {
            return Ok(());
        }
        match self.selected {
            Some(addr) => {
                self.next = now + CONSENT.mul_f64(0.8 + 0.4 * self.lots.share());
                self.check(now, addr, out);
            }
            None => {
                self.next = now + PACE;
                for addr in self.pairs.clone() {
                    self.check(now, addr, out);
                }
            }
        }
        Ok(())
    }

    fn check(&mut self, now: Instant, addr: SocketAddr, out: &mut Out) {
        let mut id = [0; 12];
        id[..8].copy_from_slice(&self.lots.next().to_be_bytes());
        id[8..].copy_from_slice(&(self.lots.next() as u32).to_be_bytes());
        let mut writer = StunWriter::binding_request(id);
        writer.username(&format!("{}:{}", self.theirs.ufrag, self.ours.ufrag)).priority(PRIORITY);
        if self.controlling {
            writer.ice_controlling(self.tie_breaker).use_candidate();
        } else {
            writer.ice_controlled(self.tie_breaker);
        }
        out.push((addr, sign(&self.their_key, writer)));
        if self.open.len() >= MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back((id, addr, now));
    }

    /// A message from `src`.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        src: SocketAddr,
        datagram: &[u8],
        out: &mut Out,
    ) -> Heard {
        let Ok(message) = StunMessage::parse(datagram) else { return Heard::Nothing };
        if message.fingerprint_ok() == Some(false) {
            return Heard::Nothing;
        }
        match message.class() {
            StunClass::Request => self.on_request(now, src, &message, out),
            StunClass::Success => self.on_answer(now, src, &message),
            StunClass::Error => {
                self.on_error(now, &message, out);
                Heard::Nothing
            }
            StunClass::Indication => Heard::Nothing,
        }
    }

    fn on_request(
        &mut self,
        now: Instant,
        src: SocketAddr,
        message: &StunMessage<'_>,
        out: &mut Out,
    ) -> Heard {
        let named = message.username().and_then(|name| name.split_once(':'));
        if named.is_none_or(|(to, _)| to != self.ours.ufrag) || !authentic(&self.our_key, message) {
            return Heard::Nothing;
        }
        // RFC 8445 7.3.1.1, ours being the lower tie-breaker.
        if self.controlling && message.ice_controlling().is_some() {
            self.controlling = false;
        } else if !self.controlling && message.ice_controlled().is_some() {
            self.controlling = true;
        }
        let mut answer = StunWriter::binding_success(message.transaction_id());
        answer.xor_mapped_address(src);
        out.push((src, sign(&self.our_key, answer)));
        self.add(now, src);
        if !self.controlling && message.use_candidate() && self.last_answer.is_some() {
            self.selected = Some(src);
            return Heard::Alive(src);
        }
        Heard::Nothing
    }

    fn on_answer(&mut self, now: Instant, src: SocketAddr, message: &StunMessage<'_>) -> Heard {
        let id = message.transaction_id();
        // An answer from elsewhere does not count (RFC 8445 7.2.5.2.1).
        let Some(at) = self.open.iter().position(|(open, to, _)| *open == id && *to == src) else {
            return Heard::Nothing;
        };
        if !authentic(&self.their_key, message) {
            return Heard::Nothing;
        }
        if let Some((_, _, sent)) = self.open.remove(at) {
            self.round_trip = Some(now.saturating_duration_since(sent));
        }
        self.last_answer = Some(now);
        let place = |addr| self.pairs.iter().position(|pair| *pair == addr);
        match self.selected {
            None => {
                self.next = now + CONSENT;
                self.selected = Some(src);
            }
            // Answers of the first round may still be under way: the one listed first is best.
            Some(selected) if now < self.began + PACE && place(src) < place(selected) => {
                self.selected = Some(src);
            }
            Some(_) => {}
        }
        if self.selected == Some(src) { Heard::Alive(src) } else { Heard::Nothing }
    }

    /// 487: they control (RFC 8445 7.2.5.1).
    fn on_error(&mut self, now: Instant, message: &StunMessage<'_>, out: &mut Out) {
        let id = message.transaction_id();
        let Some(at) = self.open.iter().position(|(open, ..)| *open == id) else { return };
        if !authentic(&self.their_key, message) {
            return;
        }
        let conflict = message.error_code().is_some_and(|(code, _)| code == 487);
        if let Some((_, addr, _)) = self.open.remove(at)
            && conflict
        {
            self.controlling = !self.controlling;
            self.check(now, addr, out);
        }
    }

    /// A check as the server would send it to us, for [`weir_session::PeerTransport`], which is lite and believes
    /// in checks alone.
    pub(super) fn as_if_checked(&mut self) -> Vec<u8> {
        let mut id = *b"as from them";
        id[..8].copy_from_slice(&self.lots.next().to_be_bytes());
        let mut writer = StunWriter::binding_request(id);
        writer.username(&format!("{}:{}", self.ours.ufrag, self.theirs.ufrag));
        writer.priority(PRIORITY).use_candidate().ice_controlling(1);
        sign(&self.our_key, writer)
    }
}

fn authentic(key: &hmac::Key, message: &StunMessage<'_>) -> bool {
    let Some((_, mac)) = message.message_integrity() else { return false };
    let mut input = Vec::new();
    message.integrity_input(&mut input);
    verify_slices_are_equal(hmac::sign(key, &input).as_ref(), &mac).is_ok()
}

#[cfg(test)]
mod tests;
