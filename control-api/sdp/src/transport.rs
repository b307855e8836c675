//! ICE and DTLS attributes, at session or media level.

use crate::SdpError;
use crate::error::excerpt;
use weir_sfu_api::{DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials};

/// ICE and DTLS attributes found at one level.
#[derive(Debug, Clone, Default)]
pub(crate) struct TransportAttributes {
    pub(crate) ufrag: Option<String>,
    pub(crate) pwd: Option<String>,
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// A fingerprint was there, though perhaps of an unknown hash.
    pub(crate) fingerprint_seen: bool,
    pub(crate) setup: Option<DtlsSetup>,
}

impl TransportAttributes {
    /// Takes one attribute; `Ok(false)` when it is none of these.
    pub(crate) fn take(
        &mut self,
        line: Option<u16>,
        key: &str,
        value: &str,
    ) -> Result<bool, SdpError> {
        match key {
            "ice-ufrag" => self.ufrag = Some(ice_chars(line, "ice-ufrag", value, 4)?),
            "ice-pwd" => self.pwd = Some(ice_chars(line, "ice-pwd", value, 22)?),
            "fingerprint" => {
                self.fingerprint_seen = true;
                if let Some(print) = fingerprint(line, value)?
                    && self.fingerprints.len() < 8
                    && !self.fingerprints.contains(&print)
                {
                    self.fingerprints.push(print);
                }
            }
            "setup" => self.setup = Some(setup(line, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What of `self` is absent is taken from `outer`. ufrag and pwd go together, as do all
    /// fingerprints (RFC 8839 5.4, RFC 8122 5: the media level replaces the session level).
    pub(crate) fn or(&self, outer: &Self) -> Self {
        let (ufrag, pwd) = if self.ufrag.is_some() || self.pwd.is_some() {
            (
                self.ufrag.clone().or_else(|| outer.ufrag.clone()),
                self.pwd.clone().or_else(|| outer.pwd.clone()),
            )
        } else {
            (outer.ufrag.clone(), outer.pwd.clone())
        };
        let inner_prints = self.fingerprint_seen;
        Self {
            ufrag,
            pwd,
            fingerprints: if inner_prints { &self.fingerprints } else { &outer.fingerprints }
                .clone(),
            fingerprint_seen: inner_prints || outer.fingerprint_seen,
            setup: self.setup.or(outer.setup),
        }
    }

    pub(crate) fn credentials(&self, line: Option<u16>) -> Result<IceCredentials, SdpError> {
        let ufrag =
            self.ufrag.clone().ok_or_else(|| SdpError::attribute(line, "ice-ufrag", "missing"))?;
        let pwd =
            self.pwd.clone().ok_or_else(|| SdpError::attribute(line, "ice-pwd", "missing"))?;
        Ok(IceCredentials { ufrag, pwd })
    }
}

/// RFC 8839 5.4 allows ALPHA, DIGIT, "+" and "/". Other visible characters do occur in the wild
/// and do no harm, except ":" which separates the two halves of a STUN user name.
pub(crate) fn ice_chars(
    line: Option<u16>,
    attribute: &'static str,
    value: &str,
    min: usize,
) -> Result<String, SdpError> {
    if !(min..=256).contains(&value.len()) {
        let reason = format!("{} characters, {min} to 256 are allowed", value.len());
        return Err(SdpError::attribute(line, attribute, reason));
    }
    if !value.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
        return Err(SdpError::attribute(line, attribute, "characters that are not allowed"));
    }
    Ok(value.to_owned())
}

/// `Ok(None)` for hash functions we do not know (RFC 8122 5 lets us ignore them).
fn fingerprint(line: Option<u16>, value: &str) -> Result<Option<Fingerprint>, SdpError> {
    let bad = |reason: &str| Err(SdpError::attribute(line, "fingerprint", reason));
    let Some((name, hex)) = value.trim().split_once(' ') else {
        return bad("expected a hash name and its value");
    };
    let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
        "sha-1" => (HashAlgorithm::Sha1, 20_usize),
        "sha-256" => (HashAlgorithm::Sha256, 32),
        "sha-384" => (HashAlgorithm::Sha384, 48),
        "sha-512" => (HashAlgorithm::Sha512, 64),
        _ => return Ok(None),
    };
    let bytes: Option<Vec<u8>> = hex
        .trim()
        .split(':')
        .map(|pair| match pair.len() {
            2 if pair.bytes().all(|b| b.is_ascii_hexdigit()) => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        })
        .collect();
    match bytes {
        Some(value) if value.len() == length => Ok(Some(Fingerprint { algorithm, value })),
        Some(_) => bad("wrong length for its hash"),
        None => bad("not pairs of hexadecimal digits separated by colons"),
    }
}

fn setup(line: Option<u16>, value: &str) -> Result<DtlsSetup, SdpError> {
    match value.trim() {
        "active" => Ok(DtlsSetup::Active),
        "passive" => Ok(DtlsSetup::Passive),
        "actpass" => Ok(DtlsSetup::ActPass),
        other => {
            let reason = format!("{} is none of actpass, active, passive", excerpt(other));
            Err(SdpError::attribute(line, "setup", reason))
        }
    }
}
