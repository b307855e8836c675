//! Step 6: does this receiver get this layer now?

mod ladder;

#[expect(unused_imports, reason = "the allocator and the ladder of layers come next")]
pub(crate) use ladder::{Ladder, Rung, Target, Wanted};

use crate::packet::PacketMeta;
use crate::slot::Slot;
use weir_sfu_api::MediaKind;

/// The answer for one packet and one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It belongs to what is being forwarded.
    Forward,
    /// It begins what is forwarded from now on.
    Switch,
    /// Not for this receiver.
    Skip,
    /// Not yet: a key frame of this layer would let it in.
    WantKeyFrame,
}

/// Decides for a packet of a layer. `best` says that the layer is the one receivers should have;
/// `current_alive` that the slot's current layer still carries packets.
pub(crate) fn decide(
    slot: &Slot,
    packet: &PacketMeta,
    best: bool,
    current_alive: bool,
) -> Decision {
    if slot.rewriter.current() == Some(packet.stream) {
        return Decision::Forward;
    }
    if slot.section.kind == MediaKind::Audio {
        return Decision::Switch;
    }
    let begins = packet.facts.key_frame && packet.facts.frame_start;
    match (best, begins) {
        (true, true) => Decision::Switch,
        (true, false) => Decision::WantKeyFrame,
        // With nothing to show any picture is welcome; the best layer follows.
        (false, true) if !current_alive => Decision::Switch,
        (false, _) => Decision::Skip,
    }
}

#[cfg(test)]
mod tests;
