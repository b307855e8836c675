//! STUN messages (RFC 8489) with the attributes of ICE (RFC 8445). No cryptography: the caller
//! computes HMAC-SHA1 over [`StunMessage::integrity_input`].

mod fingerprint;
mod write;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

pub use fingerprint::crc32;
pub use write::{HmacSha1, StunWriter};

use crate::{
    ParseError,
    read::{Reader, put, u16_at},
};

/// The fixed value after type and length.
pub const MAGIC_COOKIE: u32 = 0x2112_a442;
/// Method Binding, the only one of ICE.
pub const BINDING: u16 = 1;

/// Attribute types.
pub mod attr {
    /// MAPPED-ADDRESS.
    pub const MAPPED_ADDRESS: u16 = 0x0001;
    /// USERNAME.
    pub const USERNAME: u16 = 0x0006;
    /// MESSAGE-INTEGRITY.
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    /// ERROR-CODE.
    pub const ERROR_CODE: u16 = 0x0009;
    /// UNKNOWN-ATTRIBUTES.
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    /// XOR-MAPPED-ADDRESS.
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// PRIORITY.
    pub const PRIORITY: u16 = 0x0024;
    /// USE-CANDIDATE.
    pub const USE_CANDIDATE: u16 = 0x0025;
    /// SOFTWARE.
    pub const SOFTWARE: u16 = 0x8022;
    /// FINGERPRINT.
    pub const FINGERPRINT: u16 = 0x8028;
    /// ICE-CONTROLLED.
    pub const ICE_CONTROLLED: u16 = 0x8029;
    /// ICE-CONTROLLING.
    pub const ICE_CONTROLLING: u16 = 0x802a;
    /// NOMINATION (draft-thatcher-ice-renomination-01), as libwebrtc sends it.
    pub const NOMINATION: u16 = 0xc001;
}

/// Class of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StunClass {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Success response.
    Success,
    /// Error response.
    Error,
}

/// One attribute with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Type, see [`attr`].
    pub kind: u16,
    /// Value without padding.
    pub value: &'a [u8],
    /// Where the attribute's header starts in the message.
    pub offset: usize,
}

/// A well-formed message. Its authenticity is the caller's business.
#[derive(Debug, Clone, Copy)]
pub struct StunMessage<'a> {
    bytes: &'a [u8],
    /// Offset of MESSAGE-INTEGRITY and its value.
    integrity: Option<(usize, [u8; 20])>,
    /// Offset of FINGERPRINT and its value.
    fingerprint: Option<(usize, u32)>,
}

const HEADER_LEN: usize = 20;
const FINGERPRINT_XOR: u32 = 0x5354_554e;

impl<'a> StunMessage<'a> {
    /// Checks header and attribute bounds. `bytes` must be exactly one message.
    ///
    /// # Errors
    /// On a wrong magic cookie or length, an attribute that does not fit, or anything after
    /// FINGERPRINT (RFC 8489 section 14.7).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut r = Reader::new(bytes);
        let kind = r.u16("STUN header")?;
        if kind & 0xc000 != 0 {
            return Err(ParseError::new("STUN message type", 0));
        }
        let len = usize::from(r.u16("STUN header")?);
        if r.u32("STUN header")? != MAGIC_COOKIE {
            return Err(ParseError::new("STUN magic cookie", 4));
        }
        r.take(12, "STUN transaction id")?;
        if len % 4 != 0 || len != r.rest().len() {
            return Err(ParseError::new("STUN message length", 2));
        }
        let mut message = Self { bytes, integrity: None, fingerprint: None };
        while !r.is_empty() {
            let offset = r.pos();
            if message.fingerprint.is_some() {
                return Err(ParseError::new("STUN attribute after FINGERPRINT", offset));
            }
            let attribute = read_attribute(&mut r)?;
            let bad = ParseError::new("STUN attribute length", offset);
            match attribute.kind {
                attr::MESSAGE_INTEGRITY if message.integrity.is_none() => {
                    let mac = attribute.value.try_into().map_err(|_| bad)?;
                    message.integrity = Some((offset, mac));
                }
                attr::FINGERPRINT => {
                    let crc = attribute.value.try_into().map_err(|_| bad)?;
                    message.fingerprint = Some((offset, u32::from_be_bytes(crc)));
                }
                _ => {}
            }
        }
        Ok(message)
    }

    /// The whole message.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    fn message_type(&self) -> u16 {
        u16_at(self.bytes, 0).unwrap_or(0)
    }

    /// Class of the message.
    #[must_use]
    pub fn class(&self) -> StunClass {
        match self.message_type() & 0x0110 {
            0x0000 => StunClass::Request,
            0x0010 => StunClass::Indication,
            0x0100 => StunClass::Success,
            _ => StunClass::Error,
        }
    }

    /// Method, [`BINDING`] for ICE.
    #[must_use]
    pub fn method(&self) -> u16 {
        let t = self.message_type();
        (t & 0x000f) | (t & 0x00e0) >> 1 | (t & 0x3e00) >> 2
    }

    /// Transaction id.
    #[must_use]
    pub fn transaction_id(&self) -> [u8; 12] {
        let id = self.bytes.get(8..HEADER_LEN).and_then(|id| id.try_into().ok());
        id.unwrap_or_default()
    }

    /// The attributes up to MESSAGE-INTEGRITY (itself included), and FINGERPRINT. What else
    /// follows MESSAGE-INTEGRITY is not authenticated and left out (RFC 8489 section 14.5).
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let mut r = Reader::new(self.bytes);
        let mut left = r.take(HEADER_LEN, "STUN header").is_ok();
        let end = self.integrity.map_or(usize::MAX, |(offset, _)| offset);
        std::iter::from_fn(move || {
            while left && !r.is_empty() {
                let Ok(attribute) = read_attribute(&mut r) else { break };
                if attribute.offset <= end || attribute.kind == attr::FINGERPRINT {
                    return Some(attribute);
                }
            }
            left = false;
            None
        })
    }

    /// Value of the first attribute of a type.
    #[must_use]
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|a| a.kind == kind).map(|a| a.value)
    }

    fn fixed<const N: usize>(&self, kind: u16) -> Option<[u8; N]> {
        self.attribute(kind)?.try_into().ok()
    }

    /// USERNAME, for ICE `receiver's ufrag:sender's ufrag`.
    #[must_use]
    pub fn username(&self) -> Option<&'a str> {
        std::str::from_utf8(self.attribute(attr::USERNAME)?).ok()
    }

    /// SOFTWARE.
    #[must_use]
    pub fn software(&self) -> Option<&'a str> {
        std::str::from_utf8(self.attribute(attr::SOFTWARE)?).ok()
    }

    /// PRIORITY of the peer-reflexive candidate this check would make.
    #[must_use]
    pub fn priority(&self) -> Option<u32> {
        self.fixed(attr::PRIORITY).map(u32::from_be_bytes)
    }

    /// Whether USE-CANDIDATE is present: the controlling side nominates this pair.
    #[must_use]
    pub fn use_candidate(&self) -> bool {
        self.attribute(attr::USE_CANDIDATE).is_some()
    }

    /// The tie-breaker of ICE-CONTROLLED.
    #[must_use]
    pub fn ice_controlled(&self) -> Option<u64> {
        self.fixed(attr::ICE_CONTROLLED).map(u64::from_be_bytes)
    }

    /// The tie-breaker of ICE-CONTROLLING.
    #[must_use]
    pub fn ice_controlling(&self) -> Option<u64> {
        self.fixed(attr::ICE_CONTROLLING).map(u64::from_be_bytes)
    }

    /// NOMINATION: a higher value replaces an earlier nomination.
    #[must_use]
    pub fn nomination(&self) -> Option<u32> {
        self.fixed(attr::NOMINATION).map(u32::from_be_bytes)
    }

    /// The address the server saw.
    #[must_use]
    pub fn xor_mapped_address(&self) -> Option<SocketAddr> {
        let mut r = Reader::new(self.attribute(attr::XOR_MAPPED_ADDRESS)?);
        let [_, family] = r.array::<2>("family").ok()?;
        let port = r.u16("port").ok()? ^ 0x2112;
        let ip = match family {
            1 => IpAddr::V4(Ipv4Addr::from(r.u32("address").ok()? ^ MAGIC_COOKIE)),
            2 => {
                let bits = u128::from_be_bytes(r.array("address").ok()?);
                IpAddr::V6(Ipv6Addr::from(bits ^ xor_mask(&self.transaction_id())))
            }
            _ => return None,
        };
        r.is_empty().then(|| SocketAddr::new(ip, port))
    }

    /// ERROR-CODE: code (300 to 699) and reason.
    #[must_use]
    pub fn error_code(&self) -> Option<(u16, &'a str)> {
        let ([_, _, class, number], reason) =
            self.attribute(attr::ERROR_CODE)?.split_first_chunk::<4>()?;
        let class = u16::from(class & 7);
        if !(3..=6).contains(&class) || *number > 99 {
            return None;
        }
        let code = class.saturating_mul(100).saturating_add(u16::from(*number));
        Some((code, std::str::from_utf8(reason).unwrap_or_default()))
    }

    /// Comprehension-required attributes (below 0x8000) this module does not know: a request
    /// with one is answered with 420 (RFC 8489 section 6.3.1).
    pub fn unknown_required(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.attributes().map(|a| a.kind).filter(|kind| {
            *kind < 0x8000
                && !matches!(
                    *kind,
                    attr::MAPPED_ADDRESS
                        | attr::USERNAME
                        | attr::MESSAGE_INTEGRITY
                        | attr::ERROR_CODE
                        | attr::UNKNOWN_ATTRIBUTES
                        | attr::XOR_MAPPED_ADDRESS
                        | attr::PRIORITY
                        | attr::USE_CANDIDATE
                )
        })
    }

    /// MESSAGE-INTEGRITY: which bytes it covers, and the HMAC-SHA1. The covered bytes must have
    /// their length field adjusted first, see [`Self::integrity_input`].
    #[must_use]
    pub fn message_integrity(&self) -> Option<(Range<usize>, [u8; 20])> {
        self.integrity.map(|(offset, mac)| (0..offset, mac))
    }

    /// Replaces `out` by the bytes that HMAC-SHA1 is computed over: the message before
    /// MESSAGE-INTEGRITY with a length that includes it (RFC 8489 section 14.5). Empty without
    /// that attribute.
    pub fn integrity_input(&self, out: &mut Vec<u8>) {
        out.clear();
        let Some((offset, _)) = self.integrity else { return };
        out.extend_from_slice(self.bytes.get(..offset).unwrap_or_default());
        // The attribute itself has 24 bytes, the header 20.
        let len = u16::try_from(offset.saturating_add(4)).unwrap_or(u16::MAX);
        put(out, 2, &len.to_be_bytes());
    }

    /// Whether FINGERPRINT is right; `None` without one.
    #[must_use]
    pub fn fingerprint_ok(&self) -> Option<bool> {
        let (offset, value) = self.fingerprint?;
        let covered = self.bytes.get(..offset).unwrap_or_default();
        Some(crc32(covered) ^ FINGERPRINT_XOR == value)
    }
}

/// Magic cookie and transaction id: what an IPv6 address is masked with.
fn xor_mask(id: &[u8; 12]) -> u128 {
    let mut mask = [0_u8; 16];
    put(&mut mask, 0, &MAGIC_COOKIE.to_be_bytes());
    put(&mut mask, 4, id);
    u128::from_be_bytes(mask)
}

fn read_attribute<'a>(r: &mut Reader<'a>) -> Result<Attribute<'a>, ParseError> {
    let offset = r.pos();
    let kind = r.u16("STUN attribute header")?;
    let len = usize::from(r.u16("STUN attribute header")?);
    let value = r.take(len, "STUN attribute length")?;
    let padding = len.next_multiple_of(4).saturating_sub(len);
    r.take(padding, "STUN attribute padding")?;
    Ok(Attribute { kind, value, offset })
}
