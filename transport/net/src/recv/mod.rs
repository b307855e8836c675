//! The way in: messages from the kernel become datagrams.

use crate::addr::read_name;
use crate::api::{BackendStats, Datagram, MAX_DATAGRAM_BYTES};
use crate::cmsg;

/// A received message as the kernel wrote it.
pub(crate) struct RawMessage<'a> {
    /// Sender's `sockaddr`.
    pub(crate) name: &'a [u8],
    /// Control messages.
    pub(crate) control: &'a [u8],
    /// One datagram, or several merged ones.
    pub(crate) payload: &'a [u8],
    /// Whether payload or control messages did not fit.
    pub(crate) truncated: bool,
}

/// Takes merged datagrams apart, hands each to `sink` and returns their number.
pub(crate) fn deliver(
    message: &RawMessage<'_>,
    stats: &mut BackendStats,
    sink: &mut dyn FnMut(Datagram<'_>),
) -> usize {
    stats.received_messages += 1;
    let meta = cmsg::parse(message.control);
    if let Some(drops) = meta.drops {
        // The kernel counts in 32 bits: add the difference modulo 2^32.
        let seen = stats.kernel_drops as u32;
        stats.kernel_drops += u64::from(drops.wrapping_sub(seen));
    }
    let src = read_name(message.name);
    let (Some(src), false, false) = (src, message.truncated, message.payload.is_empty()) else {
        stats.discarded += 1;
        return 0;
    };
    let mut datagrams = 0;
    for data in message.payload.chunks(meta.segment.unwrap_or(message.payload.len())) {
        if data.len() > MAX_DATAGRAM_BYTES {
            stats.discarded += 1;
            continue;
        }
        datagrams += 1;
        stats.received_bytes += data.len() as u64;
        sink(Datagram { src, dst: meta.dst, data });
    }
    stats.received_datagrams += datagrams as u64;
    datagrams
}

#[cfg(test)]
mod tests;
