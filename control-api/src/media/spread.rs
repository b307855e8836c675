//! On which shards a room lives.

use std::num::NonZeroU32;
use weir_sfu_api::{Command, RoomId, ShardId};

/// The shards of one room with its peers on each; the first ranks the speakers.
#[derive(Debug)]
pub(super) struct Spread {
    shards: Vec<(ShardId, u32)>,
    /// Peers on one shard before the room spills over to another.
    spill: u32,
}

/// Where a peer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) shard: ShardId,
    /// The shards of the room must hear of each other before it joins.
    pub(super) news: bool,
}

impl Spread {
    pub(super) fn on(shard: ShardId, spill: NonZeroU32) -> Self {
        Self { shards: vec![(shard, 0)], spill: spill.get() }
    }

    /// A peer joins: where there is room, else on the idlest shard that is not in use here yet, else
    /// where the room has the fewest.
    pub(super) fn join(&mut self, load: &[u32]) -> Place {
        let least = self.shards.iter().enumerate().min_by_key(|(_, (_, peers))| *peers);
        let roomy = self.shards.iter().position(|(_, peers)| *peers < self.spill);
        let fresh = || {
            let shards = (0..).map(ShardId).zip(load);
            let free = shards.filter(|(shard, _)| self.shards.iter().all(|(s, _)| s != shard));
            free.min_by_key(|(_, load)| **load).map(|(shard, _)| shard)
        };
        let place = match (roomy, fresh()) {
            (Some(place), _) => place,
            (None, Some(shard)) => {
                self.shards.push((shard, 0));
                self.shards.len() - 1
            }
            (None, None) => least.map_or(0, |(place, _)| place),
        };
        let several = self.shards.len() > 1;
        self.shards.get_mut(place).map_or(Place { shard: ShardId(0), news: false }, |entry| {
            // A shard that everybody left may have forgotten the room.
            let news = several && entry.1 == 0;
            entry.1 += 1;
            Place { shard: entry.0, news }
        })
    }

    /// A peer left a shard.
    pub(super) fn leave(&mut self, shard: ShardId) {
        if let Some((_, peers)) = self.shards.iter_mut().find(|(s, _)| *s == shard) {
            *peers = peers.saturating_sub(1);
        }
    }

    /// All of them.
    pub(super) fn shards(&self) -> Vec<ShardId> {
        self.shards.iter().map(|(shard, _)| *shard).collect()
    }

    /// What each of them must be told.
    pub(super) fn span(&self, room: RoomId) -> Vec<(ShardId, Command)> {
        let shards = self.shards();
        let Some(home) = shards.first().copied() else { return Vec::new() };
        let command = |to: &ShardId| (*to, Command::Span { room, home, shards: shards.clone() });
        shards.iter().map(command).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPILL: NonZeroU32 = NonZeroU32::new(7).unwrap();

    #[test]
    fn a_room_spills_over_when_its_shard_is_full() {
        let mut spread = Spread::on(ShardId(1), SPILL);
        let load = [5, 0, 3, 9];
        for _ in 0..SPILL.get() {
            assert_eq!(spread.join(&load), Place { shard: ShardId(1), news: false });
        }
        assert_eq!(spread.join(&load), Place { shard: ShardId(2), news: true });
        assert_eq!(spread.join(&load), Place { shard: ShardId(2), news: false });
        spread.leave(ShardId(1));
        assert_eq!(spread.join(&load), Place { shard: ShardId(1), news: false });
        let told: Vec<ShardId> = spread.span(RoomId(7)).iter().map(|(shard, _)| *shard).collect();
        assert_eq!(told, [ShardId(1), ShardId(2)]);
        spread.leave(ShardId(2));
        spread.leave(ShardId(2));
        assert_eq!(spread.join(&load), Place { shard: ShardId(2), news: true }, "told again");
    }

    #[test]
    fn with_one_shard_everybody_is_there() {
        let mut spread = Spread::on(ShardId(0), SPILL);
        for _ in 0..3 * SPILL.get() {
            assert_eq!(spread.join(&[0]), Place { shard: ShardId(0), news: false });
        }
    }
}
