//! What the control plane needs of the media plane.

use weir_sfu_api::{Command, ShardId};

/// The shards, seen from above: values go in here and come back as events on a channel.
pub trait MediaPlane: Send + Sync {
    /// How many shards there are; they are numbered from 0.
    fn shard_count(&self) -> u16;

    /// Puts a command into a shard's queue. Never blocks; a full queue is the shard's affair.
    fn send(&self, shard: ShardId, command: Command);
}
