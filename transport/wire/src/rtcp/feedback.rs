//! NACK, FIR, REMB and extended reports.

use crate::{
    ParseError,
    read::{Reader, u32_at},
};

/// Generic NACK (RFC 4585 section 6.2.1).
#[derive(Debug, Clone, Copy)]
pub struct Nack<'a> {
    /// Who misses packets.
    pub sender_ssrc: u32,
    /// The stream they belong to.
    pub media_ssrc: u32,
    pairs: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        Ok(Self {
            sender_ssrc: r.u32("NACK sender SSRC")?,
            media_ssrc: r.u32("NACK media SSRC")?,
            pairs: r.rest().as_chunks().0,
        })
    }

    /// The missing sequence numbers: at most 17 for each four bytes of the packet.
    pub fn sequence_numbers(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.pairs.iter().flat_map(|&[p0, p1, b0, b1]| {
            let first = u16::from_be_bytes([p0, p1]);
            // Bit i of the mask stands for first + i + 1.
            let mask = u32::from(u16::from_be_bytes([b0, b1])) << 1 | 1;
            (0..17_u16).filter(move |i| mask & (1 << i) != 0).map(move |i| first.wrapping_add(i))
        })
    }
}

/// One stream of which a key frame is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirEntry {
    /// The stream.
    pub ssrc: u32,
    /// Number of the request; a repetition has the same.
    pub seq_nr: u8,
}

/// Full intra request (RFC 5104 section 4.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    entries: &'a [[u8; 8]],
}

impl<'a> Fir<'a> {
    pub(super) fn parse(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        let sender_ssrc = r.u32("FIR sender SSRC")?;
        r.u32("FIR media SSRC")?;
        Ok(Self { sender_ssrc, entries: r.rest().as_chunks().0 })
    }

    /// The requests.
    pub fn entries(&self) -> impl Iterator<Item = FirEntry> + use<'a> {
        self.entries.iter().map(|&[a, b, c, d, seq_nr, ..]| FirEntry {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            seq_nr,
        })
    }
}

/// Receiver estimated maximum bitrate.
#[derive(Debug, Clone, Copy)]
pub struct Remb<'a> {
    /// Who estimates.
    pub sender_ssrc: u32,
    /// Bits per second for all `ssrcs` together; `u64::MAX` when the wire says more.
    pub bitrate_bps: u64,
    ssrcs: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// `None` for other application layer feedback.
    pub(super) fn parse(r: &mut Reader<'a>) -> Result<Option<Self>, ParseError> {
        let sender_ssrc = r.u32("AFB sender SSRC")?;
        r.u32("AFB media SSRC")?;
        if !r.rest().starts_with(b"REMB") {
            return Ok(None);
        }
        r.u32("REMB")?;
        let [count, b0, b1, b2] = r.array::<4>("REMB bitrate")?;
        let exponent = b0 >> 2;
        let mantissa = u128::from(u32::from_be_bytes([0, b0 & 3, b1, b2]));
        let bitrate_bps = u64::try_from(mantissa << exponent).unwrap_or(u64::MAX);
        let list = r.take(usize::from(count).saturating_mul(4), "REMB SSRC list")?;
        Ok(Some(Self { sender_ssrc, bitrate_bps, ssrcs: list.as_chunks().0 }))
    }

    /// The streams it is about.
    pub fn ssrcs(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.ssrcs.iter().map(|s| u32::from_be_bytes(*s))
    }
}

/// One receiver in a DLRR block (RFC 3611 section 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DlrrItem {
    /// The receiver.
    pub ssrc: u32,
    /// Middle 32 bits of the NTP time in its last receiver reference time.
    pub last_rr: u32,
    /// From the arrival of that to this report, in 1/65536 s.
    pub delay_since_last_rr: u32,
}

const XR_RRTR: u8 = 4;
const XR_DLRR: u8 = 5;

/// Extended report.
#[derive(Debug, Clone, Copy)]
pub struct Xr<'a> {
    /// Who reports.
    pub ssrc: u32,
    blocks: &'a [u8],
}

impl<'a> Xr<'a> {
    pub(super) fn parse(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        let xr = Self { ssrc: r.u32("XR SSRC")?, blocks: r.rest() };
        let mut reader = Reader::new(xr.blocks);
        while !reader.is_empty() {
            read_block(&mut reader)?;
        }
        Ok(xr)
    }

    /// The blocks as (block type, contents).
    pub fn blocks(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.blocks);
        std::iter::from_fn(move || read_block(&mut reader).ok())
    }

    /// The receiver's reference time in NTP format (RFC 3611 section 4.4).
    #[must_use]
    pub fn rrtr(&self) -> Option<u64> {
        let (_, contents) = self.blocks().find(|(kind, _)| *kind == XR_RRTR)?;
        contents.first_chunk().map(|ntp| u64::from_be_bytes(*ntp))
    }

    /// Delays since receivers' reference times (RFC 3611 section 4.5).
    pub fn dlrr(&self) -> impl Iterator<Item = DlrrItem> + use<'a> {
        self.blocks()
            .filter(|(kind, _)| *kind == XR_DLRR)
            .flat_map(|(_, contents)| contents.as_chunks::<12>().0)
            .filter_map(|item| {
                Some(DlrrItem {
                    ssrc: u32_at(item, 0)?,
                    last_rr: u32_at(item, 4)?,
                    delay_since_last_rr: u32_at(item, 8)?,
                })
            })
    }
}

fn read_block<'a>(r: &mut Reader<'a>) -> Result<(u8, &'a [u8]), ParseError> {
    let [kind, _] = r.array::<2>("XR block header")?;
    let words = r.u16("XR block header")?;
    Ok((kind, r.take(usize::from(words).saturating_mul(4), "XR block length")?))
}
