//! AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::kdf::{self, Label};
use super::{RtcpParts, SrtpError, rtcp_parts};

/// Bytes of the authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of a GCM salt.
pub(crate) const SALT_LEN: usize = 12;

/// One direction's keys.
pub(crate) struct Gcm {
    rtp: LessSafeKey,
    rtp_salt: [u8; SALT_LEN],
    rtcp: LessSafeKey,
    rtcp_salt: [u8; SALT_LEN],
}

impl Gcm {
    /// Derives the session keys of a 16 or 32 byte master key.
    pub(crate) fn new(master_key: &[u8], master_salt: &[u8]) -> Option<Self> {
        if master_salt.len() != SALT_LEN {
            return None;
        }
        let key = |label| {
            let mut bytes = [0u8; 32];
            let bytes = bytes.get_mut(..master_key.len())?;
            kdf::derive(master_key, master_salt, label, bytes)?;
            Self::key(bytes)
        };
        let salt = |label| {
            let mut bytes = [0u8; SALT_LEN];
            kdf::derive(master_key, master_salt, label, &mut bytes)?;
            Some(bytes)
        };
        Some(Self {
            rtp: key(Label::RtpEncryption)?,
            rtp_salt: salt(Label::RtpSalt)?,
            rtcp: key(Label::RtcpEncryption)?,
            rtcp_salt: salt(Label::RtcpSalt)?,
        })
    }

    fn key(bytes: &[u8]) -> Option<LessSafeKey> {
        let algorithm = if bytes.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        Some(LessSafeKey::new(UnboundKey::new(algorithm, bytes).ok()?))
    }

    /// The same session keys for RTP and RTCP, without derivation: as RFC 7714's examples have it.
    #[cfg(test)]
    pub(crate) fn with_session_key(key: &[u8], salt: [u8; SALT_LEN]) -> Self {
        Self {
            rtp: Self::key(key).unwrap(),
            rtp_salt: salt,
            rtcp: Self::key(key).unwrap(),
            rtcp_salt: salt,
        }
    }

    /// RFC 7714 8.1: two zero bytes, SSRC, rollover counter, sequence number, XOR the salt.
    fn rtp_nonce(&self, ssrc: u32, index: u64) -> Nonce {
        Self::salted(u128::from(ssrc) << 48 | u128::from(index & 0xffff_ffff_ffff), &self.rtp_salt)
    }

    /// RFC 7714 9.1: two zero bytes, SSRC, two zero bytes, SRTCP index, XOR the salt.
    fn rtcp_nonce(&self, ssrc: u32, index: u32) -> Nonce {
        Self::salted(u128::from(ssrc) << 48 | u128::from(index & 0x7fff_ffff), &self.rtcp_salt)
    }

    /// The lower 96 bits, XOR the salt: as whole words, for it is done for each packet.
    fn salted(wide: u128, salt: &[u8; SALT_LEN]) -> Nonce {
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11] = *salt;
        let salt = [0, 0, 0, 0, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11];
        let [_, _, _, _, iv @ ..] = (wide ^ u128::from_be_bytes(salt)).to_be_bytes();
        Nonce::assume_unique_for_key(iv)
    }

    /// Opens straight from `packet` into `out`; returns the plain packet's length.
    pub(crate) fn open_rtp(
        &self,
        ssrc: u32,
        index: u64,
        packet: &[u8],
        header_len: usize,
        out: &mut [u8],
    ) -> Result<usize, SrtpError> {
        let plain_len = packet.len().checked_sub(TAG_LEN).ok_or(SrtpError::TooShort)?;
        let (header, rest) = packet.split_at_checked(header_len).ok_or(SrtpError::TooShort)?;
        let body_len = plain_len.checked_sub(header_len).ok_or(SrtpError::TooShort)?;
        let (body, tag) = rest.split_at_checked(body_len).ok_or(SrtpError::TooShort)?;
        let (out_header, out_body) = out
            .get_mut(..plain_len)
            .and_then(|out| out.split_at_mut_checked(header_len))
            .ok_or(SrtpError::OutputTooSmall)?;
        self.rtp
            .open_separate_gather(
                self.rtp_nonce(ssrc, index),
                Aad::from(header),
                body,
                tag,
                out_body,
            )
            .map_err(|_| SrtpError::Authentication)?;
        out_header.copy_from_slice(header);
        Ok(plain_len)
    }

    /// Seals straight from the caller's slices into `out`; a prefix costs one copy of the body.
    pub(crate) fn seal_rtp(
        &self,
        ssrc: u32,
        index: u64,
        header: &[u8],
        [prefix, body]: [&[u8]; 2],
        padding: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        let inner = prefix.len().checked_add(body.len())?;
        let total =
            header.len().checked_add(inner)?.checked_add(padding.len())?.checked_add(TAG_LEN)?;
        let (out_header, rest) = out.get_mut(..total)?.split_at_mut_checked(header.len())?;
        let (out_body, out_tail) = rest.split_at_mut_checked(inner)?;
        out_header.copy_from_slice(header);
        let nonce = self.rtp_nonce(ssrc, index);
        if prefix.is_empty() {
            self.rtp
                .seal_out_of_place_scatter(
                    nonce,
                    Aad::from(header),
                    body,
                    out_body,
                    padding,
                    out_tail,
                )
                .ok()?;
        } else {
            let (out_prefix, out_rest) = out_body.split_at_mut_checked(prefix.len())?;
            out_prefix.copy_from_slice(prefix);
            out_rest.copy_from_slice(body);
            self.rtp
                .seal_in_place_scatter(nonce, Aad::from(header), out_body, padding, out_tail)
                .ok()?;
        }
        Some(total)
    }

    /// RFC 7714 9: header, cipher text, tag, E bit and index.
    pub(crate) fn open_rtcp(&self, packet: &[u8], out: &mut [u8]) -> Result<usize, SrtpError> {
        let RtcpParts { ssrc, index, trailer_start } = rtcp_parts(packet, 0)?;
        let (protected, word) =
            packet.split_at_checked(trailer_start).ok_or(SrtpError::TooShort)?;
        let (header, rest) = protected.split_at_checked(8).ok_or(SrtpError::TooShort)?;
        let body_len = rest.len().checked_sub(TAG_LEN).ok_or(SrtpError::TooShort)?;
        let (body, tag) = rest.split_at_checked(body_len).ok_or(SrtpError::TooShort)?;
        let plain_len = body_len.saturating_add(8);
        let (out_header, out_body) = out
            .get_mut(..plain_len)
            .and_then(|out| out.split_at_mut_checked(8))
            .ok_or(SrtpError::OutputTooSmall)?;
        self.rtcp
            .open_separate_gather(
                self.rtcp_nonce(ssrc, index),
                Aad::from(rtcp_aad(header, word)?),
                body,
                tag,
                out_body,
            )
            .map_err(|_| SrtpError::Authentication)?;
        out_header.copy_from_slice(header);
        Ok(plain_len)
    }

    /// Seals a compound packet under `index` (31 bits).
    pub(crate) fn seal_rtcp(&self, index: u32, compound: &[u8], out: &mut [u8]) -> Option<usize> {
        let (header, body) = compound.split_at_checked(8)?;
        let ssrc = u32::from_be_bytes(header.get(4..8)?.try_into().ok()?);
        let word = (index | super::E_BIT).to_be_bytes();
        let total = compound.len().checked_add(TAG_LEN)?.checked_add(word.len())?;
        let (out_header, rest) = out.get_mut(..total)?.split_at_mut_checked(8)?;
        let (out_body, rest) = rest.split_at_mut_checked(body.len())?;
        let (out_tag, out_word) = rest.split_at_mut_checked(TAG_LEN)?;
        self.rtcp
            .seal_out_of_place_scatter(
                self.rtcp_nonce(ssrc, index),
                Aad::from(rtcp_aad(header, &word).ok()?),
                body,
                out_body,
                &[],
                out_tag,
            )
            .ok()?;
        out_header.copy_from_slice(header);
        out_word.copy_from_slice(&word);
        Some(total)
    }
}

/// RFC 7714 9.2: the first 8 bytes and the word with the E bit and the index.
fn rtcp_aad(header: &[u8], word: &[u8]) -> Result<[u8; 12], SrtpError> {
    let mut aad = [0u8; 12];
    let (a, b) = aad.split_at_mut_checked(8).ok_or(SrtpError::TooShort)?;
    if header.len() != a.len() || word.len() != b.len() {
        return Err(SrtpError::TooShort);
    }
    a.copy_from_slice(header);
    b.copy_from_slice(word);
    Ok(aad)
}

#[cfg(test)]
mod tests;
