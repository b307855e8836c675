//! What several tests need.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use weir_sfu_api::{Command, Event, MediaKind, PeerId, SlotPolicy, SourceKind, Tile, View};
use weir_sim::{PeerSetup, World};

pub fn world(seed: u64) -> World {
    World::new(Instant::now(), seed, 1)
}

/// Two shards, on which room 7 lives; the first ranks its speakers.
pub fn two_shards(seed: u64) -> World {
    let mut world = World::new(Instant::now(), seed, 2);
    world.span(7, &[0, 1]);
    world
}

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The seeds with which what is promised of any network is tested.
pub const TEN: [u64; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// The committed seeds; or, when a search is asked for (`WEIR_SIM_SEEDS=100..200`), those of the
/// search, whose product is a seed to commit.
pub fn seeds(committed: &[u64]) -> Vec<u64> {
    let Ok(range) = std::env::var("WEIR_SIM_SEEDS") else { return committed.to_vec() };
    let (from, to) = range.split_once("..").expect("WEIR_SIM_SEEDS is FROM..TO");
    (from.parse().unwrap()..to.parse().unwrap()).collect()
}

/// Runs each of them (see [`seeds`]) to its end, so that one that fails does not hide the others.
pub fn each_seed(committed: &[u64], run: impl Fn(u64)) {
    let fails = |seed: &u64| catch_unwind(AssertUnwindSafe(|| run(*seed))).is_err();
    let failed: Vec<u64> = seeds(committed).into_iter().filter(fails).collect();
    assert!(failed.is_empty(), "seeds that fail: {failed:?}");
}

/// People speak for a while: words at a level of their own with short pauses, not all at once. Their
/// microphone is their first track; everybody else's stays as it is.
pub fn talk(world: &mut World, who: &[(usize, u8)], time: Duration) {
    let mut left = time;
    while left > Duration::ZERO {
        let step = left.min(ms(100));
        for (peer, level) in who {
            let phase = (world.elapsed().as_millis() as usize + peer * 370) % 1_600;
            let word = phase < 1_300;
            world.peer_mut(*peer).tracks[0].level = if word { *level } else { 80 };
        }
        world.run(step);
        left -= step;
    }
    for (peer, _) in who {
        world.peer_mut(*peer).tracks[0].level = 80;
    }
}

/// Who sits in a peer's slots of one kind, in m-line order.
pub fn seats(world: &World, peer: usize, kind: MediaKind) -> Vec<Option<u64>> {
    let states = world.slot_states(peer);
    let of_kind = states.iter().filter(|slot| slot.kind == kind);
    of_kind.map(|slot| slot.track.as_ref().map(|track| track.peer.0)).collect()
}

/// The same without empty slots, sorted.
pub fn seated(world: &World, peer: usize, kind: MediaKind) -> Vec<u64> {
    let mut all: Vec<u64> = seats(world, peer, kind).into_iter().flatten().collect();
    all.sort_unstable();
    all
}

/// A camera's tile.
pub const fn tile(id: u64) -> Tile {
    Tile {
        peer: PeerId(id),
        source: SourceKind::Camera,
        width: 0,
        height: 0,
        max_fps: 0,
        pinned: false,
        paused: false,
    }
}

/// A peer says what it wants to see.
pub fn view(world: &mut World, peer: usize, tiles: Vec<Tile>, last_n: u16) {
    let view = View { tiles, last_n, ..View::default() };
    let id = world.peer(peer).id();
    let home = world.home(peer);
    world.command(home, Command::SetView { peer: id, view: Box::new(view) });
}

/// Knows of slots: so many of them, filled by the order of speaking.
pub fn aware(id: u64, audio: usize, video: usize) -> PeerSetup {
    let setup = PeerSetup::new(id, 7).slots(audio, video);
    PeerSetup { policy: SlotPolicy::Speakers, ..setup }
}

/// How often the shard told this peer of its slots.
pub fn slot_changes(world: &World, peer: usize) -> usize {
    let id = world.peer(peer).id();
    let told = world
        .events
        .iter()
        .filter(|(_, _, event)| matches!(event, Event::Slots { peer, .. } if *peer == id));
    told.count()
}
