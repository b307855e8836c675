//! Between the shards of the world: nothing is lost there, and nothing takes time.

use super::World;
use weir_sfu::Input;
use weir_sfu_api::{Command, RoomId, ShardId};

impl World {
    /// What a shard has for others reaches them before time goes on.
    pub(super) fn cross(&mut self, home: usize) {
        if !self.border_open {
            return self.homes[home].shard.send_border(|_, _| false);
        }
        let mut batches = Vec::new();
        self.homes[home].shard.send_border(|to, batch| {
            batches.push((usize::from(to.0), std::mem::take(batch)));
            true
        });
        for (to, batch) in batches {
            self.crossing.push_back((ShardId(home as u16), to, batch));
        }
    }

    /// Shards take up what others have for them.
    pub(super) fn take_over(&mut self) {
        while let Some((from, to, batch)) = self.crossing.pop_front() {
            let input = Input::Border { from, batch: &batch };
            self.homes[to].shard.handle_input(self.now, input);
            self.drain(to);
        }
    }

    /// A room has peers on these shards; the first ranks the speakers.
    pub fn span(&mut self, room: u64, shards: &[u16]) {
        let shards: Vec<ShardId> = shards.iter().copied().map(ShardId).collect();
        for shard in &shards {
            let (room, home, shards) = (RoomId(room), shards[0], shards.clone());
            self.command(usize::from(shard.0), Command::Span { room, home, shards });
        }
    }
}
