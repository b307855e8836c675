//! The simulator's ways around: keys that are given instead of agreed on by DTLS, so that a run
//! replays exactly, and wishes of receivers without an allocator.

use super::Shard;
use crate::select::{Target, Wanted};
use std::net::SocketAddr;
use std::time::Instant;
use weir_session::Path;
use weir_session::srtp::SrtpSession;
use weir_sfu_api::{Mid, PeerId};

/// What a slot is to get of its track, as an allocator would say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForcedWish {
    /// The best that is being sent.
    Best,
    /// At most this: simulcast layer (in the order of rids), spatial and temporal layer.
    At(u8, u8, u8),
    /// Nothing.
    Paused,
}

impl Shard {
    /// Sets what the slot with this mid gets. False when there is no such peer or slot.
    pub fn force_wanted(&mut self, id: PeerId, mid: Mid, wish: ForcedWish) -> bool {
        let slot = self
            .peer_ids
            .get(&id)
            .and_then(|key| self.peers.get_mut(*key))
            .and_then(|peer| peer.slots.iter_mut().find(|slot| slot.section.mid == mid));
        let Some(slot) = slot else { return false };
        slot.forced = true;
        slot.wanted = match wish {
            ForcedWish::Best => Wanted::Best,
            ForcedWish::At(layer, spatial, temporal) => {
                Wanted::At(Target { layer, spatial, temporal })
            }
            ForcedWish::Paused => Wanted::Paused,
        };
        true
    }

    /// Connects a peer that has made its offer: `src` counts as checked, `srtp` as agreed on.
    /// False when there is no such peer. Drain [`Shard::poll_output`] afterwards.
    pub fn key_peer(
        &mut self,
        now: Instant,
        id: PeerId,
        src: SocketAddr,
        srtp: SrtpSession,
    ) -> bool {
        let Some(key) = self.peer_ids.get(&id).copied() else { return false };
        let Some(transport) = self.peers.get_mut(key).and_then(|peer| peer.transport.as_mut())
        else {
            return false;
        };
        transport.adopt_keys(now, Path { remote: src, local: None }, srtp);
        self.demux.insert_addr(src, key);
        self.drain_transport(now, key);
        self.reschedule(key);
        self.way_out(now);
        true
    }
}
