//! Trains: datagrams to one receiver that leave in one kernel call (UDP_SEGMENT).
//!
//! The shard seals packets straight into a [`TrainBuf`]; a backend sends it and clears it. Both
//! sides reuse the memory, so that after warm-up nothing is allocated.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

/// Most segments in one train: the kernel's `UDP_MAX_SEGMENTS` is 64 since 4.18 (128 since 6.9).
pub const MAX_SEGMENTS: u16 = 64;
/// Most bytes in one train: the largest UDP payload over IPv4.
pub const MAX_TRAIN_BYTES: usize = 65_507;

/// One or more datagrams to one destination: `segment` bytes each, the last may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Train {
    /// Receiver.
    pub dst: SocketAddr,
    /// The local address the answer must leave from (PKTINFO); `None` lets the kernel choose.
    pub src: Option<IpAddr>,
    /// Offset of the first byte in the buffer.
    pub start: u32,
    /// Bytes of all segments together.
    pub len: u32,
    /// Bytes of each segment but the last, which may be shorter.
    pub segment: u16,
    /// How many datagrams.
    pub count: u16,
}

/// Trains ready to leave, in order, with their bytes.
#[derive(Debug, Default)]
pub struct TrainBuf {
    /// As long as it ever was: what is filled anew is not made zero before.
    bytes: Vec<u8>,
    /// Bytes of them that belong to trains.
    filled: usize,
    trains: Vec<Train>,
}

impl TrainBuf {
    /// An empty buffer with room for `bytes` bytes and `trains` trains.
    #[must_use]
    pub fn with_capacity(bytes: usize, trains: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), filled: 0, trains: Vec::with_capacity(trains) }
    }

    /// Appends one datagram of at most `max_len` bytes which `fill` writes from the first on, over
    /// whatever stands there; `fill` returns how many bytes it used, 0 for none (then nothing is
    /// appended). Joins the last train when
    /// `join` is set, destination and source are the same and the sizes allow it.
    pub fn push_with(
        &mut self,
        dst: SocketAddr,
        src: Option<IpAddr>,
        max_len: usize,
        join: bool,
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> usize {
        let start = self.filled;
        let end = start.saturating_add(max_len);
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let used = self.bytes.get_mut(start..end).map_or(0, fill).min(max_len);
        if used == 0 {
            return 0;
        }
        let (Ok(start32), Ok(used32), Ok(used16)) =
            (u32::try_from(start), u32::try_from(used), u16::try_from(used))
        else {
            return 0;
        };
        self.filled = start.saturating_add(used);
        if join
            && let Some(last) = self.trains.last_mut()
            && last.dst == dst
            && last.src == src
            && used16 <= last.segment
            && last.count < MAX_SEGMENTS
            // A shorter segment ends a train: nothing may follow it.
            && last.len == u32::from(last.segment).saturating_mul(u32::from(last.count))
            && (last.len as usize).saturating_add(used) <= MAX_TRAIN_BYTES
        {
            last.len = last.len.saturating_add(used32);
            last.count = last.count.saturating_add(1);
        } else {
            self.trains.push(Train {
                dst,
                src,
                start: start32,
                len: used32,
                segment: used16,
                count: 1,
            });
        }
        used
    }

    /// Appends one ready datagram.
    pub fn push(&mut self, dst: SocketAddr, src: Option<IpAddr>, datagram: &[u8]) {
        self.push_with(dst, src, datagram.len(), false, |out| {
            out.copy_from_slice(datagram);
            datagram.len()
        });
    }

    /// The trains in order.
    #[must_use]
    pub fn trains(&self) -> &[Train] {
        &self.trains
    }

    /// The bytes of `train`.
    #[must_use]
    pub fn bytes(&self, train: &Train) -> &[u8] {
        let start = train.start as usize;
        self.bytes.get(start..start.saturating_add(train.len as usize)).unwrap_or_default()
    }

    /// The datagrams of `train`.
    pub fn datagrams<'a>(&'a self, train: &Train) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.bytes(train).chunks(usize::from(train.segment.max(1)))
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trains.is_empty()
    }

    /// Bytes waiting.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.filled
    }

    /// Forgets all trains, keeps the memory.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.trains.clear();
    }
}
