//! Peers whose keys are given: the simulator's way around DTLS, so that a run replays exactly.

use super::Shard;
use std::net::SocketAddr;
use std::time::Instant;
use weir_session::Path;
use weir_session::srtp::SrtpSession;
use weir_sfu_api::PeerId;

impl Shard {
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
