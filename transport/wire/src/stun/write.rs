//! Building messages.

use std::net::{IpAddr, SocketAddr};

use super::{FINGERPRINT_XOR, HEADER_LEN, MAGIC_COOKIE, attr, crc32, xor_mask};
use crate::read::put;

/// Computes HMAC-SHA1 over its argument.
pub type HmacSha1<'a> = dyn Fn(&[u8]) -> [u8; 20] + 'a;

/// Builds one message: header, attributes in the order of the calls, then [`Self::finish`].
#[derive(Debug, Clone)]
pub struct StunWriter {
    bytes: Vec<u8>,
    transaction_id: [u8; 12],
}

impl StunWriter {
    fn new(message_type: u16, transaction_id: [u8; 12]) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&message_type.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        bytes.extend_from_slice(&transaction_id);
        Self { bytes, transaction_id }
    }

    /// A Binding request.
    #[must_use]
    pub fn binding_request(transaction_id: [u8; 12]) -> Self {
        Self::new(0x0001, transaction_id)
    }

    /// A Binding indication (keep-alive).
    #[must_use]
    pub fn binding_indication(transaction_id: [u8; 12]) -> Self {
        Self::new(0x0011, transaction_id)
    }

    /// A Binding success response.
    #[must_use]
    pub fn binding_success(transaction_id: [u8; 12]) -> Self {
        Self::new(0x0101, transaction_id)
    }

    /// A Binding error response with ERROR-CODE; `code` from 300 to 699, for example 400, 401,
    /// 420 or 487.
    #[must_use]
    pub fn binding_error(transaction_id: [u8; 12], code: u16, reason: &str) -> Self {
        let mut writer = Self::new(0x0111, transaction_id);
        let code = code.clamp(300, 699);
        let reason = reason.get(..reason.floor_char_boundary(127)).unwrap_or_default();
        let class = u8::try_from(code / 100).unwrap_or(3);
        let number = u8::try_from(code % 100).unwrap_or(0);
        let mut value = vec![0, 0, class, number];
        value.extend_from_slice(reason.as_bytes());
        writer.attribute(attr::ERROR_CODE, &value);
        writer
    }

    /// Appends any attribute. One that would make the message longer than 16,000 bytes is left
    /// out.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        if self.bytes.len().saturating_add(value.len()) > 16_000 {
            return self;
        }
        let Ok(len) = u16::try_from(value.len()) else { return self };
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// USERNAME.
    pub fn username(&mut self, value: &str) -> &mut Self {
        self.attribute(attr::USERNAME, value.as_bytes())
    }

    /// SOFTWARE.
    pub fn software(&mut self, value: &str) -> &mut Self {
        self.attribute(attr::SOFTWARE, value.as_bytes())
    }

    /// PRIORITY.
    pub fn priority(&mut self, value: u32) -> &mut Self {
        self.attribute(attr::PRIORITY, &value.to_be_bytes())
    }

    /// USE-CANDIDATE.
    pub fn use_candidate(&mut self) -> &mut Self {
        self.attribute(attr::USE_CANDIDATE, &[])
    }

    /// ICE-CONTROLLING with its tie-breaker.
    pub fn ice_controlling(&mut self, tie_breaker: u64) -> &mut Self {
        self.attribute(attr::ICE_CONTROLLING, &tie_breaker.to_be_bytes())
    }

    /// ICE-CONTROLLED with its tie-breaker.
    pub fn ice_controlled(&mut self, tie_breaker: u64) -> &mut Self {
        self.attribute(attr::ICE_CONTROLLED, &tie_breaker.to_be_bytes())
    }

    /// NOMINATION.
    pub fn nomination(&mut self, value: u32) -> &mut Self {
        self.attribute(attr::NOMINATION, &value.to_be_bytes())
    }

    /// XOR-MAPPED-ADDRESS. An IPv4-mapped IPv6 address is written as IPv4.
    pub fn xor_mapped_address(&mut self, address: SocketAddr) -> &mut Self {
        let [p0, p1] = (address.port() ^ 0x2112).to_be_bytes();
        match address.ip().to_canonical() {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = (ip.to_bits() ^ MAGIC_COOKIE).to_be_bytes();
                self.attribute(attr::XOR_MAPPED_ADDRESS, &[0, 1, p0, p1, a, b, c, d])
            }
            IpAddr::V6(ip) => {
                let mut value = [0_u8, 2, p0, p1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                let bits = ip.to_bits() ^ xor_mask(&self.transaction_id);
                put(&mut value, 4, &bits.to_be_bytes());
                self.attribute(attr::XOR_MAPPED_ADDRESS, &value)
            }
        }
    }

    /// UNKNOWN-ATTRIBUTES, at most 64 of them.
    pub fn unknown_attributes(&mut self, kinds: &[u16]) -> &mut Self {
        let mut value = Vec::with_capacity(kinds.len().saturating_mul(2));
        for kind in kinds.iter().take(64) {
            value.extend_from_slice(&kind.to_be_bytes());
        }
        self.attribute(attr::UNKNOWN_ATTRIBUTES, &value)
    }

    /// Writes the length field as if `more` bytes followed.
    fn set_len(&mut self, more: usize) {
        let len = self.bytes.len().saturating_sub(HEADER_LEN).saturating_add(more);
        put(&mut self.bytes, 2, &u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
    }

    /// Adds MESSAGE-INTEGRITY where `integrity` is given (it computes HMAC-SHA1 over its
    /// argument), then FINGERPRINT, and returns the message.
    #[must_use]
    pub fn finish(mut self, integrity: Option<&HmacSha1<'_>>) -> Vec<u8> {
        if let Some(hmac) = integrity {
            self.set_len(24);
            let mac = hmac(&self.bytes);
            self.attribute(attr::MESSAGE_INTEGRITY, &mac);
        }
        self.set_len(8);
        let crc = crc32(&self.bytes) ^ FINGERPRINT_XOR;
        self.attribute(attr::FINGERPRINT, &crc.to_be_bytes());
        self.bytes
    }
}
