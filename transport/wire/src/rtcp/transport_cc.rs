//! Transport-wide congestion control feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

use super::{FMT_TRANSPORT_CC, RTPFB, write::packet};
use crate::{ParseError, read::Reader};

/// Most bytes [`write_transport_cc`] makes, header included: fits one datagram with SRTCP.
pub const MAX_TRANSPORT_CC_BYTES: usize = 1_100;
/// Most statuses [`write_transport_cc`] puts into one packet.
pub const MAX_TRANSPORT_CC_STATUSES: usize = 2_048;

/// Microseconds of a tick of a receive delta.
const TICK_US: i64 = 250;
/// Ticks of a unit of the reference time.
const REFERENCE_TICKS: i64 = 256;

const NOT_RECEIVED: u8 = 0;
const SMALL_DELTA: u8 = 1;
const LARGE_DELTA: u8 = 2;

/// Feedback about a run of transport-wide sequence numbers.
///
/// Its statuses were checked against its length, so [`Self::statuses`] is exact.
#[derive(Debug, Clone, Copy)]
pub struct TransportCc<'a> {
    /// Who reports.
    pub sender_ssrc: u32,
    /// Some stream of the reported transport; of no meaning.
    pub media_ssrc: u32,
    /// First sequence number.
    pub base_seq: u16,
    /// How many sequence numbers.
    pub status_count: u16,
    /// 24 bits signed, in 64 ms; wraps.
    pub reference_time: i32,
    /// Number of this feedback; wraps.
    pub fb_pkt_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> TransportCc<'a> {
    pub(super) fn parse(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        let sender_ssrc = r.u32("transport-cc sender SSRC")?;
        let media_ssrc = r.u32("transport-cc media SSRC")?;
        let base_seq = r.u16("transport-cc base")?;
        let status_count = r.u16("transport-cc status count")?;
        let [t0, t1, t2, fb_pkt_count] = r.array::<4>("transport-cc reference time")?;
        let chunks = r.rest();
        let mut left = status_count;
        let mut delta_len = 0_usize;
        while left > 0 {
            let at = r.pos();
            let mut chunk = Chunk::read(r.u16("transport-cc status chunk")?, left);
            left = left.saturating_sub(chunk.left);
            if let Some(symbol) = chunk.run() {
                let each = delta_size(symbol).ok_or(ParseError::new("transport-cc symbol", at))?;
                delta_len = delta_len.saturating_add(usize::from(chunk.left).saturating_mul(each));
            } else {
                while let Some(symbol) = chunk.next() {
                    let size = delta_size(symbol);
                    let size = size.ok_or(ParseError::new("transport-cc symbol", at))?;
                    delta_len = delta_len.saturating_add(size);
                }
            }
        }
        let deltas = r.take(delta_len, "transport-cc deltas")?;
        Ok(Self {
            sender_ssrc,
            media_ssrc,
            base_seq,
            status_count,
            reference_time: i32::from_be_bytes([t0, t1, t2, 0]) >> 8,
            fb_pkt_count,
            chunks,
            deltas,
        })
    }

    /// For every sequence number from `base_seq`: the time since the one before that arrived (the
    /// first: since the reference time) in ticks of 250 us, `None` for a packet that did not.
    ///
    /// A packet of a few bytes can carry up to 65,535 statuses of lost packets.
    #[must_use]
    pub fn statuses(&self) -> TransportCcStatuses<'a> {
        TransportCcStatuses {
            seq: self.base_seq,
            left: self.status_count,
            chunk: Chunk::default(),
            chunks: Reader::new(self.chunks),
            deltas: Reader::new(self.deltas),
        }
    }
}

/// Bytes of the delta of a symbol; `None` for the reserved symbol.
fn delta_size(symbol: u8) -> Option<usize> {
    match symbol {
        NOT_RECEIVED => Some(0),
        SMALL_DELTA => Some(1),
        LARGE_DELTA => Some(2),
        _ => None,
    }
}

/// Iterator made by [`TransportCc::statuses`].
#[derive(Debug, Clone)]
pub struct TransportCcStatuses<'a> {
    seq: u16,
    left: u16,
    chunk: Chunk,
    chunks: Reader<'a>,
    deltas: Reader<'a>,
}

impl Iterator for TransportCcStatuses<'_> {
    type Item = (u16, Option<i32>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let symbol = loop {
            if let Some(symbol) = self.chunk.next() {
                break symbol;
            }
            self.chunk = Chunk::read(self.chunks.u16("chunk").ok()?, self.left);
        };
        let delta = match symbol {
            SMALL_DELTA => Some(i32::from(self.deltas.u8("delta").ok()?)),
            LARGE_DELTA => Some(i32::from(self.deltas.u16("delta").ok()?.cast_signed())),
            _ => None,
        };
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        self.left = self.left.saturating_sub(1);
        Some((seq, delta))
    }
}

/// What is left of a status chunk.
#[derive(Debug, Clone, Copy, Default)]
struct Chunk {
    /// Symbols left in `bits`, or repetitions left of a run.
    left: u16,
    kind: ChunkKind,
    bits: u16,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ChunkKind {
    #[default]
    Run,
    OneBit,
    TwoBit,
}

impl Chunk {
    /// A chunk of which at most `limit` symbols count.
    fn read(raw: u16, limit: u16) -> Self {
        let (kind, len, bits) = if raw & 0x8000 == 0 {
            (ChunkKind::Run, raw & 0x1fff, raw >> 13)
        } else if raw & 0x4000 == 0 {
            (ChunkKind::OneBit, 14, raw << 2)
        } else {
            (ChunkKind::TwoBit, 7, raw << 2)
        };
        Self { left: len.min(limit), kind, bits }
    }

    /// The symbol of a run.
    fn run(&self) -> Option<u8> {
        (self.kind == ChunkKind::Run).then_some((self.bits & 3).to_be_bytes()[1])
    }

    fn next(&mut self) -> Option<u8> {
        if self.left == 0 {
            return None;
        }
        self.left = self.left.saturating_sub(1);
        let symbol = match self.kind {
            ChunkKind::Run => self.bits & 3,
            ChunkKind::OneBit => {
                let symbol = self.bits >> 15;
                self.bits <<= 1;
                symbol
            }
            ChunkKind::TwoBit => {
                let symbol = self.bits >> 14;
                self.bits <<= 2;
                symbol
            }
        };
        Some(symbol.to_be_bytes()[1])
    }
}

/// The reference time that fits a feedback whose first received packet arrived at `arrival_us`.
#[must_use]
pub fn reference_time_64ms(arrival_us: i64) -> i64 {
    arrival_us.div_euclid(64_000)
}

/// Appends feedback about `arrivals`: arrival times in microseconds of the sequence numbers from
/// `base_seq`, `None` for packets not received. `reference_time_64ms` is on the same clock (see
/// the function of that name), unwrapped; its lower 24 bits go onto the wire.
///
/// Returns how many of `arrivals` are covered. It is fewer than all when a delta does not fit 16
/// bits of 250 us (8.19 s) or the packet is full: the caller goes on with the next feedback from
/// there and a new reference time. A feedback in which nothing would be received is not written;
/// its lost packets still count as covered. With a reference time as recommended at least the
/// first received packet is covered, so that the caller's loop ends.
pub fn write_transport_cc(
    out: &mut Vec<u8>,
    sender_ssrc: u32,
    media_ssrc: u32,
    base_seq: u16,
    reference_time_64ms: i64,
    fb_count: u8,
    arrivals: &[Option<i64>],
) -> usize {
    let mut all = [NOT_RECEIVED; MAX_TRANSPORT_CC_STATUSES];
    let reference = reference_time_64ms.saturating_mul(REFERENCE_TICKS);
    let mut last = reference;
    let mut covered = 0_usize;
    let mut received = false;
    let mut delta_len = 0_usize;
    for (arrival, symbol) in arrivals.iter().zip(all.iter_mut()) {
        if let Some(us) = arrival {
            let tick = us.div_euclid(TICK_US);
            *symbol = match tick.saturating_sub(last) {
                0..=0xff => SMALL_DELTA,
                -0x8000..=0x7fff => LARGE_DELTA,
                _ => break,
            };
            last = tick;
        }
        // No chunk but the last covers fewer than seven symbols, each takes two bytes.
        let chunk_len = (covered / 7).saturating_add(1).saturating_mul(2);
        delta_len = delta_len.saturating_add(usize::from(*symbol));
        if chunk_len.saturating_add(delta_len) > MAX_TRANSPORT_CC_BYTES.saturating_sub(24) {
            break;
        }
        received |= arrival.is_some();
        covered = covered.saturating_add(1);
    }
    if !received {
        return covered;
    }
    let mut symbols = all.get(..covered).unwrap_or_default();
    let count = u16::try_from(covered).unwrap_or(u16::MAX);
    let [.., t0, t1, t2] = reference_time_64ms.to_be_bytes();
    packet(out, RTPFB, FMT_TRANSPORT_CC, |out| {
        out.extend_from_slice(&sender_ssrc.to_be_bytes());
        out.extend_from_slice(&media_ssrc.to_be_bytes());
        out.extend_from_slice(&base_seq.to_be_bytes());
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&[t0, t1, t2, fb_count]);
        while !symbols.is_empty() {
            let (chunk, used) = best_chunk(symbols);
            out.extend_from_slice(&chunk.to_be_bytes());
            symbols = symbols.get(used..).unwrap_or_default();
        }
        let mut last = reference;
        for us in arrivals.iter().take(covered).flatten() {
            let tick = us.div_euclid(TICK_US);
            let delta = tick.saturating_sub(last);
            last = tick;
            match u8::try_from(delta) {
                Ok(small) => out.push(small),
                Err(_) => {
                    let large = i16::try_from(delta).unwrap_or(i16::MAX);
                    out.extend_from_slice(&large.to_be_bytes());
                }
            }
        }
    });
    covered
}

/// The chunk that covers most of `symbols`, and how many.
fn best_chunk(symbols: &[u8]) -> (u16, usize) {
    let first = symbols.first().copied().unwrap_or(NOT_RECEIVED);
    let run = symbols.iter().take(0x1fff).take_while(|s| **s == first).count();
    let one_bit = symbols.get(..14).unwrap_or(symbols);
    let two_bit = symbols.get(..7).unwrap_or(symbols);
    let no_large = one_bit.iter().all(|s| *s <= SMALL_DELTA);
    let vector_len = if no_large { one_bit.len() } else { two_bit.len() };
    if run >= vector_len {
        return (u16::from(first) << 13 | u16::try_from(run).unwrap_or(0), run);
    }
    if no_large {
        let bits = one_bit.iter().fold(0_u16, |bits, s| bits << 1 | u16::from(*s));
        let unused = u32::try_from(14_usize.saturating_sub(one_bit.len())).unwrap_or(0);
        return (0x8000 | bits.checked_shl(unused).unwrap_or(0), one_bit.len());
    }
    let bits = two_bit.iter().fold(0_u16, |bits, s| bits << 2 | u16::from(*s));
    let unused = u32::try_from(7_usize.saturating_sub(two_bit.len())).unwrap_or(0);
    let bits = bits.checked_shl(unused.saturating_mul(2)).unwrap_or(0);
    (0xc000 | bits, two_bit.len())
}
