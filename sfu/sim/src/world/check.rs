//! What must hold after each step.

use super::World;
use weir_sfu::limits;

impl World {
    /// Packets are held by caches and pacers only, between steps: as many as the layers of who is
    /// here allow, and those that wait.
    pub(super) fn check(&self, home: usize) {
        // Adding up a thousand peers takes longer than their packets do.
        if self.guests.len() > 64 && !self.serial.is_multiple_of(64) {
            return;
        }
        // Also of other shards: their packets may have crossed.
        let guests = self.guests.iter().filter(|guest| !guest.left);
        let streams = guests.flat_map(|guest| &guest.peer.tracks).map(|track| {
            let cache = if track.source.codec.is_video() {
                limits::CACHE_VIDEO
            } else {
                limits::CACHE_AUDIO
            };
            cache * track.streams.len()
        });
        let most: usize = streams.sum();
        let shard = &self.homes[home].shard;
        // What waits for a pacer may be in a cache too.
        let held = shard.packets_in_use().saturating_sub(shard.packets_waiting());
        assert!(held <= most, "{held} packets are held, {most} at most belong to caches");
    }
}
