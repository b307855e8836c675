//! Views kept by people, and told to shards by peers: who comes back or comes late is shown without
//! another word from those who want to see them.

use super::state::State;
use super::view::{MAX_TILES, WantedView, Whose};
use weir_sfu_api::{PeerId, RoomId, ShardId, Tile, View};

/// A view with the peer and shard it is for.
pub(super) type Addressed = (ShardId, PeerId, Box<View>);

impl State {
    /// Keeps a peer's view; what its shard is to be told.
    pub(super) fn set_view(&mut self, peer: PeerId, wanted: WantedView) -> Option<Addressed> {
        self.unwatch(peer);
        let entry = self.peer_mut(peer)?;
        let room = entry.view.room;
        let names: Vec<Whose> = wanted.tiles.iter().map(|tile| tile.whose.clone()).collect();
        entry.wanted = Some(Box::new(wanted));
        if let Some(watchers) = self.watchers(room) {
            for whose in names {
                watchers.entry(whose).or_default().insert(peer);
            }
        }
        self.resolve(peer)
    }

    /// Forgets whom a peer wants to see.
    pub(super) fn unwatch(&mut self, peer: PeerId) {
        let Some(entry) = self.peer_mut(peer) else { return };
        let (room, before) = (entry.view.room, entry.wanted.take());
        let (Some(before), Some(watchers)) = (before, self.watchers(room)) else { return };
        for tile in before.tiles {
            if let Some(those) = watchers.get_mut(&tile.whose) {
                those.remove(&peer);
                if those.is_empty() {
                    watchers.remove(&tile.whose);
                }
            }
        }
    }

    /// The views in which a new peer appears.
    pub(super) fn views_of(&mut self, newcomer: PeerId) -> Vec<Addressed> {
        let Some(entry) = self.peer(newcomer) else { return Vec::new() };
        let (room, user_id) = (entry.view.room, entry.view.user_id);
        let names = [Whose::User(user_id), Whose::Peer(entry.view.peer_id.clone())];
        let Some(watchers) = self.watchers(room) else { return Vec::new() };
        let found = names.iter().filter_map(|whose| watchers.get(whose)).flatten();
        let peers: Vec<PeerId> = found.copied().filter(|peer| *peer != newcomer).collect();
        peers.into_iter().filter_map(|peer| self.resolve(peer)).collect()
    }

    /// A peer's view with peers in the place of people. Who is not there has no tile.
    fn resolve(&self, peer: PeerId) -> Option<Addressed> {
        let entry = self.peer(peer)?;
        let wanted = entry.wanted.as_ref()?;
        let mut tiles = Vec::with_capacity(wanted.tiles.len());
        for tile in &wanted.tiles {
            for found in self.peers_named(entry.view.room, &tile.whose) {
                if found != peer && tiles.len() < MAX_TILES {
                    tiles.push(Tile {
                        peer: found,
                        source: tile.source,
                        width: tile.width,
                        height: tile.height,
                        max_fps: tile.max_fps,
                        pinned: tile.pinned,
                        paused: tile.paused,
                    });
                }
            }
        }
        let view = View {
            tiles,
            last_n: wanted.last_n,
            last_n_width: wanted.last_n_width,
            last_n_height: wanted.last_n_height,
            last_n_fps: wanted.last_n_fps,
        };
        Some((entry.shard, peer, Box::new(view)))
    }

    fn peers_named(&self, room: RoomId, whose: &Whose) -> Vec<PeerId> {
        match whose {
            Whose::User(user_id) => self.peers_of_user(room, *user_id),
            Whose::Peer(peer_id) => {
                let found = self.by_public_id(peer_id).filter(|peer| peer.view.room == room);
                found.map(|peer| peer.view.peer).into_iter().collect()
            }
        }
    }
}
