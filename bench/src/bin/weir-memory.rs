//! What a receiver costs a shard in heap memory: two crowds of the simulator with real handshakes, and
//! what is freed when their shards are dropped; the difference shared out among those who are more.
//! `weir-memory KIND FEW MANY SECONDS`: KIND is `idle` (nobody sends), `receiving` (one camera and one
//! microphone of somebody) or `tiles` (nine pictures and three voices). Prints bytes per receiver.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::{Duration, Instant};
use weir_bench::{Error, world};
use weir_sfu_api::SlotPolicy;
use weir_sim::{PeerSetup, World};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kind, few, many, seconds] = args.as_slice() else {
        return Err("four arguments are needed".into());
    };
    let (few, many): (u64, u64) = (few.parse()?, many.parse()?);
    let seconds = Duration::from_secs(seconds.parse()?);
    let (small, large) = (held(kind, few, seconds)?, held(kind, many, seconds)?);
    println!("{}", (large - small) / (many as i64 - few as i64).max(1));
    Ok(())
}

/// Bytes that a shard with so many receivers holds.
fn held(kind: &str, receivers: u64, time: Duration) -> Result<i64, Error> {
    let now = Instant::now();
    let mut world = World::new(now, 1, 1);
    let publishers = match kind {
        "idle" => 0,
        "tiles" => 10,
        _ => 1,
    };
    for id in 1..=publishers {
        world.join(0, PeerSetup { skims: true, ..PeerSetup::new(id, 7).slots(0, 0).talking() });
    }
    let (voices, tiles) = if kind == "tiles" { (3, 9) } else { (1, 1) };
    for id in 0..receivers {
        let setup = PeerSetup::new(100 + id, 7).slots(voices, tiles);
        world.join(
            0,
            PeerSetup {
                handshake: true,
                skims: true,
                policy: if kind == "tiles" { SlotPolicy::Speakers } else { SlotPolicy::JoinOrder },
                ..setup
            },
        );
        world.run(Duration::from_millis(5));
    }
    world.run(time);
    let connected = world.peers().filter(|peer| peer.connected).count() as u64;
    if connected != receivers + publishers {
        return Err(format!("only {connected} of {receivers} are connected").into());
    }
    let shard = std::mem::replace(world.shard_mut(0), world::shard(now)?);
    let freed = allocation_counter::measure(|| drop(shard));
    Ok(-freed.bytes_current)
}
