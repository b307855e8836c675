//! Step 6: does this receiver get this layer now?
//!
//! The allocator (or nobody) sets what a slot wants; here the slot follows as the source allows:
//! another simulcast layer begins with a key frame, a higher temporal layer where the codec says that
//! one may begin, a higher spatial layer where a frame depends on nothing the receiver lacks. Down
//! it goes with the next picture.

mod ladder;
mod level;

pub(crate) use ladder::{Ladder, MAX_RUNGS, Rung, Target, Wanted};
pub(crate) use level::{LAYERS_EACH, Level, Levels};

use crate::limits;
use crate::packet::PacketMeta;
use crate::slot::Slot;
use weir_sfu_api::{CodecKind, ExtensionKind, MediaKind};

/// The answer for one packet and one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It belongs to the stream that is being forwarded; which of its layers, the slot's rewriter
    /// knows.
    Forward,
    /// The same, but a key frame is needed to get to a higher layer.
    ForwardAndAsk,
    /// It begins what is forwarded from now on, at this level.
    Switch(Level),
    /// Nothing is forwarded from now on.
    Stop,
    /// Not for this receiver.
    Skip,
    /// Not yet: a key frame of this layer would let it in.
    WantKeyFrame,
}

/// What a packet's layer is among its publication's, the same for all receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offered {
    /// The packet's simulcast layer.
    pub(crate) layer: u8,
    /// The best that is being sent.
    pub(crate) best: u8,
    /// What stands in for a layer that is not sent.
    pub(crate) instead: [u8; limits::LAYERS],
    /// How many layers are less than this one.
    pub(crate) order: [u8; limits::LAYERS],
    /// The highest spatial and temporal layers of the packet's simulcast layer.
    pub(crate) top: Level,
}

impl Offered {
    /// The simulcast layer for a wish; `None` for nothing.
    fn layer_for(&self, wanted: Wanted) -> Option<u8> {
        match wanted {
            Wanted::Best => Some(self.best),
            Wanted::At(target) => {
                let instead = self.instead.get(usize::from(target.layer));
                Some(instead.copied().unwrap_or(self.best))
            }
            Wanted::Paused => None,
        }
    }

    /// How much of `layer` is wished for: of a layer that stands in for a better one all, for a lesser
    /// one the base.
    fn level_for(&self, wanted: Wanted, layer: u8) -> Level {
        match wanted {
            Wanted::Best | Wanted::Paused => Level::FULL,
            Wanted::At(target) if target.layer == layer => {
                Level::new(target.spatial, target.temporal)
            }
            Wanted::At(target) if self.is_below(layer, target.layer) => Level::FULL,
            Wanted::At(_) => Level::BASE,
        }
    }

    fn is_below(&self, layer: u8, other: u8) -> bool {
        let order = |layer: u8| self.order.get(usize::from(layer)).copied().unwrap_or(layer);
        order(layer) < order(other)
    }
}

/// Decides for a packet of a layer. `current_alive` tells whether the slot's current layer still
/// carries packets; it is asked only where that matters.
pub(crate) fn decide(
    slot: &mut Slot,
    packet: &PacketMeta,
    offered: &Offered,
    current_alive: impl FnOnce(&Slot) -> bool,
) -> Decision {
    let wanted = offered.layer_for(slot.wanted);
    let audio = slot.section.kind == MediaKind::Audio;
    if slot.rewriter.current() == Some(packet.stream) {
        let Some(layer) = wanted else {
            // A picture that has begun is finished.
            let stop = audio || slot.rewriter.begins_picture(packet);
            return if stop { Decision::Stop } else { Decision::Forward };
        };
        let ask = !audio && follow(slot, packet, offered, layer);
        return if ask { Decision::ForwardAndAsk } else { Decision::Forward };
    }
    let Some(layer) = wanted else { return Decision::Skip };
    if audio {
        return Decision::Switch(Level::FULL);
    }
    let begins = packet.facts.key_frame && packet.facts.frame_start;
    let level = || goal(slot, packet, offered.level_for(slot.wanted, offered.layer));
    match (layer == offered.layer, begins) {
        (true, true) => Decision::Switch(level()),
        (true, false) => Decision::WantKeyFrame,
        // With nothing to show any picture is welcome; the wanted layer follows.
        (false, true) if !current_alive(slot) => Decision::Switch(level()),
        (false, _) => Decision::Skip,
    }
}

/// A receiver that cannot be told which layers are missing gets all spatial ones.
fn goal(slot: &Slot, packet: &PacketMeta, level: Level) -> Level {
    let told = match packet.codec {
        Some(CodecKind::Av1 | CodecKind::H264) => {
            slot.section.extensions.id(ExtensionKind::DependencyDescriptor).is_some()
        }
        _ => true,
    };
    if told { level } else { Level::new(u8::MAX, level.temporal()) }
}

/// Brings the level of the current stream nearer to what is wanted, at a packet where that is
/// possible. True when only a key frame helps.
fn follow(slot: &mut Slot, packet: &PacketMeta, offered: &Offered, layer: u8) -> bool {
    let level = slot.rewriter.level();
    let wish = if layer == offered.layer {
        offered.level_for(slot.wanted, layer)
    } else if offered.is_below(layer, offered.layer) {
        // On the way down, until the lesser layer's key frame is here.
        Level::BASE
    } else {
        level
    };
    let wish = goal(slot, packet, wish);
    if wish == level {
        slot.waited = 0;
        return false;
    }
    if !slot.rewriter.begins_frame(packet) {
        return false;
    }
    let begins = slot.rewriter.begins_picture(packet);
    // Down at once, but not in the middle of a picture.
    let mut next = if begins { level.least(wish) } else { level };
    let aim = wish.least(offered.top);
    if begins && packet.facts.key_frame {
        next = wish;
    } else if !next.covers(aim) && packet.facts.entry_from.contains(next) {
        // A spatial layer begins with a picture only: the one below ends pictures so far.
        let up = if begins { aim.spatial() } else { next.spatial() };
        next = entered(packet, next, Level::new(up, aim.temporal()));
    }
    slot.rewriter.set_level(packet, next);
    if next.covers(aim) {
        slot.waited = 0;
        return false;
    }
    slot.waited = slot.waited.saturating_add(u8::from(begins));
    // A point to begin a temporal layer comes by itself, mostly.
    begins && (next.spatial() < aim.spatial() || slot.waited > limits::LEVEL_PATIENCE)
}

/// The best level towards `aim` that may begin with this packet.
fn entered(packet: &PacketMeta, level: Level, aim: Level) -> Level {
    let facts = &packet.facts;
    let step = |spatial: u8, temporal: u8| Level::new(spatial, temporal).least(aim);
    let (spatial, temporal) = (level.spatial(), level.temporal());
    let (up, faster) = (spatial.saturating_add(1), temporal.saturating_add(1));
    [
        step(aim.spatial(), aim.temporal()),
        step(aim.spatial(), temporal),
        step(spatial, aim.temporal()),
        step(up, temporal),
        step(spatial, faster),
    ]
    .into_iter()
    .find(|candidate| {
        *candidate != level
            && candidate.covers(level)
            && facts.entry.contains(*candidate)
            && (facts.enters_spatial || candidate.spatial() == spatial)
    })
    .unwrap_or(level)
}

#[cfg(test)]
mod tests;
