//! ICE and DTLS attributes: written, and read at session or media level.

use super::{SdpError, Side, excerpt};
use crate::engine::LocalDescription;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use weir_sfu_api::{DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials, TransportDescription};

/// In every m-line, as browsers do; the candidates in the first.
pub(super) fn write_transport(
    text: &mut String,
    local: &LocalDescription,
    setup: &str,
    first: bool,
) {
    // Writing into a String cannot fail.
    let _ = write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", local.ice.ufrag, local.ice.pwd);
    let bytes: Vec<String> =
        local.fingerprint.value.iter().map(|byte| format!("{byte:02X}")).collect();
    let algorithm = local.fingerprint.algorithm.as_str();
    let _ = write!(text, "a=fingerprint:{algorithm} {}\r\n", bytes.join(":"));
    let _ = write!(text, "a=setup:{setup}\r\n");
    if !first {
        return;
    }
    for (index, candidate) in (0_u32..).zip(&local.candidates) {
        let _ = write!(text, "a={}\r\n", candidate_line(*candidate, index));
    }
    text.push_str("a=end-of-candidates\r\n");
}

/// A host candidate (RFC 8839 5.1), without `a=`.
pub(crate) fn candidate_line(address: SocketAddr, index: u32) -> String {
    // RFC 8445 5.1.2.1: type preference 126 for host, local preference, component 1.
    let priority = (126 << 24) | (65_535_u32.saturating_sub(index) << 8) | 255;
    let (ip, port) = (address.ip(), address.port());
    format!("candidate:{} 1 udp {priority} {ip} {port} typ host", index + 1)
}

/// What one level says of the transport.
#[derive(Debug, Clone, Default)]
pub(super) struct Attributes {
    ufrag: Option<String>,
    pwd: Option<String>,
    fingerprints: Vec<Fingerprint>,
    setup: Option<DtlsSetup>,
    pub(super) candidates: Vec<SocketAddr>,
}

impl Attributes {
    /// Takes an attribute that is about the transport.
    pub(super) fn take(
        &mut self,
        side: Side,
        line: usize,
        key: &str,
        value: &str,
    ) -> Result<(), SdpError> {
        let bad = |what, why: String| Err(SdpError::Bad(side, what, line, why));
        match key {
            "ice-ufrag" => self.ufrag = Some(value.to_owned()),
            "ice-pwd" => self.pwd = Some(value.to_owned()),
            "fingerprint" => match fingerprint(value) {
                Some(Some(print)) => self.fingerprints.push(print),
                // Of a hash that we do not know.
                Some(None) => {}
                None => return bad("fingerprint", excerpt(value)),
            },
            "setup" => {
                self.setup = Some(match value {
                    "active" => DtlsSetup::Active,
                    "passive" => DtlsSetup::Passive,
                    "actpass" => DtlsSetup::ActPass,
                    _ => return bad("setup", excerpt(value)),
                });
            }
            "candidate" => {
                if let Some(candidate) = candidate(value)
                    && !self.candidates.contains(&candidate)
                {
                    self.candidates.push(candidate);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What this level says, the rest from the outer one.
    pub(super) fn or(&self, outer: &Self) -> Self {
        let prints = if self.fingerprints.is_empty() { outer } else { self };
        Self {
            ufrag: self.ufrag.clone().or_else(|| outer.ufrag.clone()),
            pwd: self.pwd.clone().or_else(|| outer.pwd.clone()),
            fingerprints: prints.fingerprints.clone(),
            setup: self.setup.or(outer.setup),
            candidates: self.candidates.clone(),
        }
    }

    /// All that is needed to connect.
    pub(super) fn complete(
        self,
        side: Side,
        line: usize,
    ) -> Result<TransportDescription, SdpError> {
        let missing = |what| SdpError::Missing(side, what, line);
        let ice = IceCredentials {
            ufrag: self.ufrag.ok_or_else(|| missing("ice-ufrag"))?,
            pwd: self.pwd.ok_or_else(|| missing("ice-pwd"))?,
        };
        if self.fingerprints.is_empty() {
            return Err(missing("fingerprint"));
        }
        let setup = match (side, self.setup) {
            // RFC 8842 5.2 wants it in both; older servers leave it out and mean this.
            (Side::Answer, None) => DtlsSetup::Passive,
            (Side::Offer, None) => DtlsSetup::ActPass,
            (Side::Answer, Some(DtlsSetup::ActPass)) => {
                let why = "actpass is for offers only".to_owned();
                return Err(SdpError::Bad(side, "setup", line, why));
            }
            (_, Some(setup)) => setup,
        };
        Ok(TransportDescription { ice, fingerprints: self.fingerprints, setup })
    }
}

/// The outer `None`: not to be read; the inner: of a hash that nobody should use.
#[allow(clippy::option_option, reason = "bad and unknown are two things")]
fn fingerprint(value: &str) -> Option<Option<Fingerprint>> {
    let (name, hex) = value.split_once(' ')?;
    let known =
        [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512];
    let Some(algorithm) = known.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(name))
    else {
        return Some(None);
    };
    let bytes = hex.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).ok());
    let value: Vec<u8> = bytes.collect::<Option<_>>()?;
    let length = match algorithm {
        HashAlgorithm::Sha1 => 20,
        HashAlgorithm::Sha256 => 32,
        HashAlgorithm::Sha384 => 48,
        HashAlgorithm::Sha512 => 64,
    };
    (value.len() == length).then_some(Some(Fingerprint { algorithm, value }))
}

/// Address of a candidate (RFC 8839 5.1), with or without `candidate:` before it. `None` for what we cannot
/// use: TCP, RTCP's component, names instead of addresses.
pub(crate) fn candidate(value: &str) -> Option<SocketAddr> {
    let value = value.strip_prefix("candidate:").unwrap_or(value);
    let mut words = value.split_whitespace().skip(1);
    let (component, protocol) = (words.next()?, words.next()?);
    let (_priority, ip, port) = (words.next()?, words.next()?, words.next()?);
    if component != "1" || !protocol.eq_ignore_ascii_case("udp") {
        return None;
    }
    let (ip, port): (IpAddr, u16) = (ip.parse().ok()?, port.parse().ok()?);
    (port != 0).then_some(SocketAddr::new(ip, port))
}
