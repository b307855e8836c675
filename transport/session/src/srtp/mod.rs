//! SRTP and SRTCP of one peer (RFC 3711, RFC 7714), both directions.
//!
//! A packet is opened from the receive buffer straight into the caller's slot and sealed from the
//! slot straight into the caller's train; neither allocates.

mod cm;
mod gcm;
mod kdf;
mod replay;

use weir_sfu_api::SrtpProfile;

use cm::Cm;
use gcm::Gcm;
use replay::SsrcTable;

/// The E bit in front of the SRTCP index: the packet is encrypted.
const E_BIT: u32 = 0x8000_0000;
/// Packets a RTP replay window covers, in words of 64: 1024. A resent packet of a peer without
/// RTX may come a round trip late, 500 packets at 2000 packets/s and 250 ms.
const RTP_WINDOW: usize = 16;
/// Likewise for SRTCP: 128.
const RTCP_WINDOW: usize = 2;
/// RTP padding is counted in one byte.
const ZEROS: [u8; 255] = [0; 255];

/// Why a packet could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// The handshake is not complete.
    #[error("no keys yet")]
    NoKeys,
    /// Shorter than its header and tag.
    #[error("packet too short")]
    TooShort,
    /// Seen before, or older than the replay window.
    #[error("replayed or too old")]
    Replayed,
    /// The tag is wrong: forged, damaged or of another key.
    #[error("authentication failed")]
    Authentication,
    /// SRTCP without the E bit: WebRTC forbids unencrypted control packets (RFC 8827 6.5).
    #[error("SRTCP not encrypted")]
    Unencrypted,
    /// The caller's buffer is smaller than the plain packet.
    #[error("output buffer too small")]
    OutputTooSmall,
}

impl SrtpError {
    /// A counter's label.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::NoKeys => "srtp_no_keys",
            Self::TooShort => "srtp_too_short",
            Self::Replayed => "srtp_replayed",
            Self::Authentication => "srtp_authentication",
            Self::Unencrypted => "srtp_unencrypted",
            Self::OutputTooSmall => "srtp_output_too_small",
        }
    }
}

/// A RTP packet in the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedRtp {
    /// Bytes of header, payload and the sender's padding.
    pub len: usize,
    /// Rollover counter << 16 | sequence number: 48 bits.
    pub index: u64,
}

/// A master key and salt of one direction, as DTLS exports them (RFC 5764 4.2).
#[derive(Clone)]
pub struct MasterKey {
    /// 16 bytes, 32 for AEAD_AES_256_GCM.
    pub key: Vec<u8>,
    /// 12 bytes for GCM, 14 for AES-CM.
    pub salt: Vec<u8>,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").finish_non_exhaustive()
    }
}

/// Bytes of a master key and of a salt (RFC 5764 4.1.2, RFC 7714 12).
#[must_use]
pub fn key_and_salt_len(profile: SrtpProfile) -> (usize, usize) {
    match profile {
        SrtpProfile::AeadAes128Gcm => (16, gcm::SALT_LEN),
        SrtpProfile::AeadAes256Gcm => (32, gcm::SALT_LEN),
        SrtpProfile::Aes128CmHmacSha1_80 | SrtpProfile::Aes128CmHmacSha1_32 => (16, cm::SALT_LEN),
    }
}

/// Splits what DTLS exported into the client's and the server's keys (RFC 5764 4.2).
/// `None` when the length is not that of the profile.
#[must_use]
pub fn split_keying_material(
    profile: SrtpProfile,
    exported: &[u8],
) -> Option<(MasterKey, MasterKey)> {
    let (key_len, salt_len) = key_and_salt_len(profile);
    let (client_key, rest) = exported.split_at_checked(key_len)?;
    let (server_key, rest) = rest.split_at_checked(key_len)?;
    let (client_salt, server_salt) = rest.split_at_checked(salt_len)?;
    if server_salt.len() != salt_len {
        return None;
    }
    let master = |key: &[u8], salt: &[u8]| MasterKey { key: key.to_vec(), salt: salt.to_vec() };
    Some((master(client_key, client_salt), master(server_key, server_salt)))
}

enum Cipher {
    Gcm(Gcm),
    Cm(Box<Cm>),
}

impl Cipher {
    fn new(profile: SrtpProfile, master: &MasterKey) -> Option<Self> {
        let (key_len, _) = key_and_salt_len(profile);
        if master.key.len() != key_len {
            return None;
        }
        Some(match profile {
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => {
                Self::Gcm(Gcm::new(&master.key, &master.salt)?)
            }
            SrtpProfile::Aes128CmHmacSha1_80 => {
                Self::Cm(Box::new(Cm::new(&master.key, &master.salt, 10)?))
            }
            SrtpProfile::Aes128CmHmacSha1_32 => {
                Self::Cm(Box::new(Cm::new(&master.key, &master.salt, 4)?))
            }
        })
    }
}

/// SRTP and SRTCP contexts of one peer.
pub struct SrtpSession {
    profile: SrtpProfile,
    inbound: Cipher,
    outbound: Cipher,
    rtp: SsrcTable<RTP_WINDOW>,
    rtcp: SsrcTable<RTCP_WINDOW>,
    next_rtcp_index: u32,
}

impl SrtpSession {
    /// `local` seals what we send, `remote` opens what the peer sends. `None` when a key's or a
    /// salt's length is not that of the profile.
    #[must_use]
    pub fn new(profile: SrtpProfile, local: &MasterKey, remote: &MasterKey) -> Option<Self> {
        Some(Self {
            profile,
            inbound: Cipher::new(profile, remote)?,
            outbound: Cipher::new(profile, local)?,
            rtp: SsrcTable::new(),
            rtcp: SsrcTable::new(),
            next_rtcp_index: 1,
        })
    }

    /// The profile in use.
    #[must_use]
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Bytes sealing adds to a RTP packet: 16, 10 or 4.
    #[must_use]
    pub fn rtp_overhead(&self) -> usize {
        match &self.outbound {
            Cipher::Gcm(_) => gcm::TAG_LEN,
            Cipher::Cm(cm) => cm.rtp_tag_len(),
        }
    }

    /// Bytes sealing adds to a RTCP packet: 20 or 14.
    #[must_use]
    pub fn rtcp_overhead(&self) -> usize {
        match &self.outbound {
            Cipher::Gcm(_) => gcm::TAG_LEN + 4,
            Cipher::Cm(_) => cm::RTCP_TAG_LEN + 4,
        }
    }

    /// Opens a RTP packet into `out`: its header as it is, its payload decrypted. `header_len`
    /// covers CSRCs and extensions.
    ///
    /// # Errors
    /// See [`SrtpError`]; nothing is remembered of a packet that fails, `out` may be overwritten.
    pub fn open_rtp(
        &mut self,
        ssrc: u32,
        seq: u16,
        header_len: usize,
        packet: &[u8],
        out: &mut [u8],
    ) -> Result<OpenedRtp, SrtpError> {
        let index =
            replay::estimate_index(self.rtp.highest(ssrc), seq).ok_or(SrtpError::Replayed)?;
        if !self.rtp.is_new(ssrc, index) {
            return Err(SrtpError::Replayed);
        }
        let len = match &self.inbound {
            Cipher::Gcm(gcm) => gcm.open_rtp(ssrc, index, packet, header_len, out)?,
            Cipher::Cm(cm) => cm.open_rtp(ssrc, index, packet, header_len, out)?,
        };
        self.rtp.accept(ssrc, index);
        Ok(OpenedRtp { len, index })
    }

    /// Opens a SRTCP packet into `out`; returns the compound packet's length.
    ///
    /// # Errors
    /// See [`SrtpError`].
    pub fn open_rtcp(&mut self, packet: &[u8], out: &mut [u8]) -> Result<usize, SrtpError> {
        let tag_behind = match &self.inbound {
            Cipher::Gcm(_) => 0,
            Cipher::Cm(_) => cm::RTCP_TAG_LEN,
        };
        let RtcpParts { ssrc, index, .. } = rtcp_parts(packet, tag_behind)?;
        if !self.rtcp.is_new(ssrc, u64::from(index)) {
            return Err(SrtpError::Replayed);
        }
        let len = match &self.inbound {
            Cipher::Gcm(gcm) => gcm.open_rtcp(packet, out)?,
            Cipher::Cm(cm) => cm.open_rtcp(packet, out)?,
        };
        self.rtcp.accept(ssrc, u64::from(index));
        Ok(len)
    }

    /// Seals a RTP packet into `out`: `header`, then both parts of `payload`, then `padding`
    /// bytes of RTP padding (the P bit is the caller's). Returns the sealed length, `None` when
    /// `out` is too small or `index` exceeds 48 bits.
    ///
    /// `index` is rollover counter << 16 | sequence number. Sealing two different packets of one
    /// SSRC under the same index gives their contents away: a copy of a packet must be the same
    /// bytes or travel on another SSRC (RTX).
    pub fn seal_rtp(
        &self,
        index: u64,
        header: &[u8],
        payload: [&[u8]; 2],
        padding: u8,
        out: &mut [u8],
    ) -> Option<usize> {
        let ssrc = u32::from_be_bytes(header.get(8..12)?.try_into().ok()?);
        debug_assert_eq!(header.get(2..4), Some(&(index as u16).to_be_bytes()[..]));
        if index >> 48 != 0 {
            return None;
        }
        if padding == 0 {
            return self.seal_padded(ssrc, index, header, payload, &[], out);
        }
        let mut pad = ZEROS;
        let pad = pad.get_mut(..usize::from(padding))?;
        if let Some(last) = pad.last_mut() {
            *last = padding;
        }
        self.seal_padded(ssrc, index, header, payload, pad, out)
    }

    fn seal_padded(
        &self,
        ssrc: u32,
        index: u64,
        header: &[u8],
        payload: [&[u8]; 2],
        pad: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        match &self.outbound {
            Cipher::Gcm(gcm) => gcm.seal_rtp(ssrc, index, header, payload, pad, out),
            Cipher::Cm(cm) => cm.seal_rtp(ssrc, index, header, payload, pad, out),
        }
    }

    /// Seals a compound RTCP packet into `out` under the next SRTCP index. `None` when `out` is
    /// too small, `compound` is shorter than 8 bytes or the 2^31 indices are used up.
    pub fn seal_rtcp(&mut self, compound: &[u8], out: &mut [u8]) -> Option<usize> {
        let index = self.next_rtcp_index;
        if index >= E_BIT {
            return None;
        }
        let len = match &self.outbound {
            Cipher::Gcm(gcm) => gcm.seal_rtcp(index, compound, out)?,
            Cipher::Cm(cm) => cm.seal_rtcp(index, compound, out)?,
        };
        self.next_rtcp_index = index.saturating_add(1);
        Some(len)
    }
}

impl std::fmt::Debug for SrtpSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtpSession").field("profile", &self.profile).finish_non_exhaustive()
    }
}

struct RtcpParts {
    ssrc: u32,
    /// 31 bits.
    index: u32,
    /// Where the word with the E bit and the index starts.
    trailer_start: usize,
}

/// The sender's SSRC and the index of a SRTCP packet that ends in `tag_behind` bytes of tag.
fn rtcp_parts(packet: &[u8], tag_behind: usize) -> Result<RtcpParts, SrtpError> {
    let trailer_end = packet.len().checked_sub(tag_behind).ok_or(SrtpError::TooShort)?;
    let trailer_start = trailer_end.checked_sub(4).ok_or(SrtpError::TooShort)?;
    if trailer_start < 8 {
        return Err(SrtpError::TooShort);
    }
    let read = |at: usize| {
        packet
            .get(at..at.saturating_add(4))
            .and_then(|b| b.try_into().ok())
            .map(u32::from_be_bytes)
            .ok_or(SrtpError::TooShort)
    };
    let word = read(trailer_start)?;
    if word & E_BIT == 0 {
        return Err(SrtpError::Unencrypted);
    }
    Ok(RtcpParts { ssrc: read(4)?, index: word & !E_BIT, trailer_start })
}

#[cfg(test)]
pub(crate) mod testing {
    /// Bytes of a hexadecimal text; blanks are skipped.
    pub(crate) fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .bytes()
            .filter(|b| !b.is_ascii_whitespace())
            .map(|b| (b as char).to_digit(16).unwrap() as u8)
            .collect();
        digits.chunks(2).map(|c| c[0] << 4 | c[1]).collect()
    }
}
