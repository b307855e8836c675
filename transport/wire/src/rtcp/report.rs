//! SR, RR, SDES and BYE (RFC 3550 section 6).

use crate::{ParseError, read::Reader};

const BLOCK_LEN: usize = 24;
const CNAME: u8 = 1;

/// How one stream was received (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning, 24 bits signed; negative with duplicates.
    pub cumulative_lost: i32,
    /// Highest sequence number, wrap-arounds in the upper 16 bits.
    pub ext_highest_seq: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time in the last sender report, 0 for none.
    pub last_sr: u32,
    /// From the arrival of that report to this one, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    fn read(bytes: &[u8; BLOCK_LEN]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let what = "report block";
        let ssrc = r.u32(what).ok()?;
        let [fraction_lost, l0, l1, l2] = r.array::<4>(what).ok()?;
        Some(Self {
            ssrc,
            fraction_lost,
            cumulative_lost: i32::from_be_bytes([l0, l1, l2, 0]) >> 8,
            ext_highest_seq: r.u32(what).ok()?,
            jitter: r.u32(what).ok()?,
            last_sr: r.u32(what).ok()?,
            delay_since_last_sr: r.u32(what).ok()?,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
        let [_, l0, l1, l2] = lost.to_be_bytes();
        out.extend_from_slice(&[self.fraction_lost, l0, l1, l2]);
        for field in [self.ext_highest_seq, self.jitter, self.last_sr, self.delay_since_last_sr] {
            out.extend_from_slice(&field.to_be_bytes());
        }
    }
}

fn blocks<'a>(r: &mut Reader<'a>, count: u8) -> Result<&'a [[u8; BLOCK_LEN]], ParseError> {
    let len = usize::from(count).saturating_mul(BLOCK_LEN);
    Ok(r.take(len, "report blocks")?.as_chunks().0)
}

/// What the sender of media says about its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// Wall clock in NTP format (seconds since 1900 in the upper, fraction in the lower 32 bits).
    pub ntp: u64,
    /// The same moment in the stream's timestamp units.
    pub rtp_timestamp: u32,
    /// Packets sent, wraps.
    pub packet_count: u32,
    /// Payload octets sent, without headers and padding, wraps.
    pub octet_count: u32,
}

/// SR.
#[derive(Debug, Clone, Copy)]
pub struct SenderReport<'a> {
    /// The stream.
    pub ssrc: u32,
    /// Its clock and counters.
    pub info: SenderInfo,
    blocks: &'a [[u8; BLOCK_LEN]],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(r: &mut Reader<'a>, count: u8) -> Result<Self, ParseError> {
        Ok(Self {
            ssrc: r.u32("SR SSRC")?,
            info: SenderInfo {
                ntp: r.u64("SR NTP time")?,
                rtp_timestamp: r.u32("SR RTP time")?,
                packet_count: r.u32("SR packet count")?,
                octet_count: r.u32("SR octet count")?,
            },
            blocks: blocks(r, count)?,
        })
    }

    /// The middle 32 bits of the NTP time, as receivers repeat them in `last_sr`.
    #[must_use]
    pub fn compact_ntp(&self) -> u32 {
        let [_, _, a, b, c, d, _, _] = self.info.ntp.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// What the sender received from others.
    pub fn reports(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().filter_map(ReportBlock::read)
    }
}

/// RR.
#[derive(Debug, Clone, Copy)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    blocks: &'a [[u8; BLOCK_LEN]],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(r: &mut Reader<'a>, count: u8) -> Result<Self, ParseError> {
        Ok(Self { ssrc: r.u32("RR SSRC")?, blocks: blocks(r, count)? })
    }

    /// The reports.
    pub fn reports(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().filter_map(ReportBlock::read)
    }
}

/// One source in an SDES packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdesChunk<'a> {
    /// The source.
    pub ssrc: u32,
    /// Its canonical name, when present and UTF-8.
    pub cname: Option<&'a str>,
}

/// SDES.
#[derive(Debug, Clone, Copy)]
pub struct Sdes<'a> {
    body: &'a [u8],
    count: u8,
}

impl<'a> Sdes<'a> {
    pub(super) fn parse(body: &'a [u8], count: u8) -> Result<Self, ParseError> {
        let mut r = Reader::new(body);
        for _ in 0..count {
            read_chunk(&mut r)?;
        }
        Ok(Self { body, count })
    }

    /// The sources.
    pub fn chunks(&self) -> impl Iterator<Item = SdesChunk<'a>> + use<'a> {
        let mut r = Reader::new(self.body);
        (0..self.count).map_while(move |_| read_chunk(&mut r).ok())
    }
}

fn read_chunk<'a>(r: &mut Reader<'a>) -> Result<SdesChunk<'a>, ParseError> {
    let ssrc = r.u32("SDES SSRC")?;
    let mut cname = None;
    loop {
        let kind = r.u8("SDES item")?;
        if kind == 0 {
            break;
        }
        let len = r.u8("SDES item length")?;
        let text = r.take(usize::from(len), "SDES item length")?;
        if kind == CNAME {
            cname = std::str::from_utf8(text).ok();
        }
    }
    // At least one zero byte ends the items; more of them fill up the 32-bit word.
    while !r.pos().is_multiple_of(4) {
        r.u8("SDES chunk padding")?;
    }
    Ok(SdesChunk { ssrc, cname })
}

/// BYE.
#[derive(Debug, Clone, Copy)]
pub struct Bye<'a> {
    sources: &'a [[u8; 4]],
    reason: &'a [u8],
}

impl<'a> Bye<'a> {
    pub(super) fn parse(r: &mut Reader<'a>, count: u8) -> Result<Self, ParseError> {
        let sources = r.take(usize::from(count).saturating_mul(4), "BYE sources")?.as_chunks().0;
        let mut reason: &[u8] = &[];
        if !r.is_empty() {
            let len = r.u8("BYE reason")?;
            reason = r.take(usize::from(len), "BYE reason length")?;
        }
        Ok(Self { sources, reason })
    }

    /// The streams that end.
    pub fn ssrcs(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.sources.iter().map(|s| u32::from_be_bytes(*s))
    }

    /// Why, when given and UTF-8.
    #[must_use]
    pub fn reason(&self) -> Option<&'a str> {
        std::str::from_utf8(self.reason).ok().filter(|text| !text.is_empty())
    }
}
