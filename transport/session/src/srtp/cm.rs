//! AES_CM_128_HMAC_SHA1_80 and _32 (RFC 3711 4.1.1, 4.2.1).

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;

use super::kdf::{self, Label};
use super::{RtcpParts, SrtpError, rtcp_parts};

/// Bytes of an AES-CM salt.
pub(crate) const SALT_LEN: usize = 14;
/// SRTCP always carries 80 bits, also with _32 (RFC 5764 4.1.2).
pub(crate) const RTCP_TAG_LEN: usize = 10;

/// One direction's keys.
pub(crate) struct Cm {
    rtp: EncryptingKey,
    rtp_salt: [u8; SALT_LEN],
    rtp_auth: hmac::Key,
    rtp_tag_len: usize,
    rtcp: EncryptingKey,
    rtcp_salt: [u8; SALT_LEN],
    rtcp_auth: hmac::Key,
}

impl Cm {
    /// Derives the session keys. `rtp_tag_len` is 10 or 4.
    pub(crate) fn new(master_key: &[u8], master_salt: &[u8], rtp_tag_len: usize) -> Option<Self> {
        if master_key.len() != 16 || master_salt.len() != SALT_LEN {
            return None;
        }
        let key = |label| {
            let mut bytes = [0u8; 16];
            kdf::derive(master_key, master_salt, label, &mut bytes)?;
            EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, &bytes).ok()?).ok()
        };
        let salt = |label| {
            let mut bytes = [0u8; SALT_LEN];
            kdf::derive(master_key, master_salt, label, &mut bytes)?;
            Some(bytes)
        };
        let auth = |label| {
            let mut bytes = [0u8; 20];
            kdf::derive(master_key, master_salt, label, &mut bytes)?;
            Some(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes))
        };
        Some(Self {
            rtp: key(Label::RtpEncryption)?,
            rtp_salt: salt(Label::RtpSalt)?,
            rtp_auth: auth(Label::RtpAuthentication)?,
            rtp_tag_len,
            rtcp: key(Label::RtcpEncryption)?,
            rtcp_salt: salt(Label::RtcpSalt)?,
            rtcp_auth: auth(Label::RtcpAuthentication)?,
        })
    }

    /// Bytes of the RTP tag.
    pub(crate) fn rtp_tag_len(&self) -> usize {
        self.rtp_tag_len
    }

    /// RFC 3711 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16.
    fn iv(salt: &[u8; SALT_LEN], ssrc: u32, index: u64) -> EncryptionContext {
        let wide = (u128::from(ssrc) << 64) | (u128::from(index & 0xffff_ffff_ffff) << 16);
        let mut iv = wide.to_be_bytes();
        for (to, from) in iv.iter_mut().zip(salt) {
            *to ^= *from;
        }
        EncryptionContext::Iv128(FixedLength::from(iv))
    }

    fn mac(key: &hmac::Key, parts: [&[u8]; 2]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            context.update(part);
        }
        context.sign()
    }

    /// Checks the tag over the datagram, then copies and decrypts in place.
    pub(crate) fn open_rtp(
        &self,
        ssrc: u32,
        index: u64,
        packet: &[u8],
        header_len: usize,
        out: &mut [u8],
    ) -> Result<usize, SrtpError> {
        let plain_len = packet.len().checked_sub(self.rtp_tag_len).ok_or(SrtpError::TooShort)?;
        let (plain, tag) = packet.split_at_checked(plain_len).ok_or(SrtpError::TooShort)?;
        if plain.len() < header_len {
            return Err(SrtpError::TooShort);
        }
        let out = out.get_mut(..plain_len).ok_or(SrtpError::OutputTooSmall)?;
        let computed = Self::mac(&self.rtp_auth, [plain, &roc_bytes(index)]);
        verify(&computed, tag)?;
        out.copy_from_slice(plain);
        let body = out.get_mut(header_len..).ok_or(SrtpError::TooShort)?;
        self.rtp
            .less_safe_encrypt(body, Self::iv(&self.rtp_salt, ssrc, index))
            .map_err(|_| SrtpError::Authentication)?;
        Ok(plain_len)
    }

    /// Copies into `out`, encrypts in place and appends the tag.
    pub(crate) fn seal_rtp(
        &self,
        ssrc: u32,
        index: u64,
        header: &[u8],
        payload: [&[u8]; 2],
        padding: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        let [prefix, body] = payload;
        let mut at = 0usize;
        for part in [header, prefix, body, padding] {
            let end = at.checked_add(part.len())?;
            out.get_mut(at..end)?.copy_from_slice(part);
            at = end;
        }
        let total = at.checked_add(self.rtp_tag_len)?;
        let (plain, tag) = out.get_mut(..total)?.split_at_mut_checked(at)?;
        self.rtp
            .less_safe_encrypt(
                plain.get_mut(header.len()..)?,
                Self::iv(&self.rtp_salt, ssrc, index),
            )
            .ok()?;
        let computed = Self::mac(&self.rtp_auth, [plain, &roc_bytes(index)]);
        tag.copy_from_slice(computed.as_ref().get(..self.rtp_tag_len)?);
        Some(total)
    }

    /// RFC 3711 3.4: header, cipher text, E bit and index, tag.
    pub(crate) fn open_rtcp(&self, packet: &[u8], out: &mut [u8]) -> Result<usize, SrtpError> {
        let RtcpParts { ssrc, index, trailer_start } = rtcp_parts(packet, RTCP_TAG_LEN)?;
        let signed_len = trailer_start.saturating_add(4);
        let (signed, tag) = packet.split_at_checked(signed_len).ok_or(SrtpError::TooShort)?;
        let computed = Self::mac(&self.rtcp_auth, [signed, &[]]);
        verify(&computed, tag)?;
        let plain = packet.get(..trailer_start).ok_or(SrtpError::TooShort)?;
        let out = out.get_mut(..trailer_start).ok_or(SrtpError::OutputTooSmall)?;
        out.copy_from_slice(plain);
        let body = out.get_mut(8..).ok_or(SrtpError::TooShort)?;
        self.rtcp
            .less_safe_encrypt(body, Self::iv(&self.rtcp_salt, ssrc, u64::from(index)))
            .map_err(|_| SrtpError::Authentication)?;
        Ok(trailer_start)
    }

    /// Seals a compound packet under `index` (31 bits).
    pub(crate) fn seal_rtcp(&self, index: u32, compound: &[u8], out: &mut [u8]) -> Option<usize> {
        let ssrc = u32::from_be_bytes(compound.get(4..8)?.try_into().ok()?);
        let signed_len = compound.len().checked_add(4)?;
        let total = signed_len.checked_add(RTCP_TAG_LEN)?;
        let (signed, tag) = out.get_mut(..total)?.split_at_mut_checked(signed_len)?;
        let (plain, word) = signed.split_at_mut_checked(compound.len())?;
        plain.copy_from_slice(compound);
        self.rtcp
            .less_safe_encrypt(
                plain.get_mut(8..)?,
                Self::iv(&self.rtcp_salt, ssrc, u64::from(index)),
            )
            .ok()?;
        word.copy_from_slice(&(index | super::E_BIT).to_be_bytes());
        let computed = Self::mac(&self.rtcp_auth, [signed, &[]]);
        tag.copy_from_slice(computed.as_ref().get(..RTCP_TAG_LEN)?);
        Some(total)
    }
}

/// The rollover counter, the upper 32 bits of the index (RFC 3711 4.2).
fn roc_bytes(index: u64) -> [u8; 4] {
    (((index >> 16) & 0xffff_ffff) as u32).to_be_bytes()
}

fn verify(computed: &hmac::Tag, tag: &[u8]) -> Result<(), SrtpError> {
    let computed = computed.as_ref().get(..tag.len()).ok_or(SrtpError::Authentication)?;
    verify_slices_are_equal(computed, tag).map_err(|_| SrtpError::Authentication)
}
