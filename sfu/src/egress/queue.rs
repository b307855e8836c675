//! What waits for one receiver within a batch.

use crate::pool::PacketRef;
use crate::rewrite::Mapped;
use crate::slot::Outgoing;

/// One packet to one receiver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    /// Index of the slot in the peer.
    pub(crate) slot: u16,
    /// The packet; the item holds one reference.
    pub(crate) packet: PacketRef,
    /// Its payload type for this receiver, of the moment it was routed: the slot may change before
    /// the batch ends.
    pub(crate) outgoing: Outgoing,
    /// Its numbers for this receiver.
    pub(crate) mapped: Mapped,
    /// Sent again, in the RTX stream where there is one.
    pub(crate) resend: bool,
}
