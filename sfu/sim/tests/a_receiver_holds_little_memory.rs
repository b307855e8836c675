use crate::common::{ms, secs};
use std::time::Instant;
use weir_session::Certificate;
use weir_sfu::{Clock, Seed, Shard, ShardConfig};
use weir_sfu_api::ShardId;
use weir_sim::{PeerSetup, World};

/// Debug builds remember 1,024 numbers of each slot that was sent to.
const GUARD: i64 = 2 * 1_024 * 8;

fn empty(now: Instant) -> Shard {
    Shard::new(ShardConfig {
        id: ShardId(0),
        seed: Seed { public: 1, secret: [1; 32] },
        certificate: Certificate::generate().unwrap(),
        candidates: Vec::new(),
        clock: Clock::new(now, secs(1_700_000_000)),
    })
}

/// Bytes that a shard holds for so many receivers of one slot of each kind, with handshakes made.
fn held(receivers: u64, publishers: u64) -> i64 {
    let now = Instant::now();
    let mut world = World::new(now, 1, 1);
    for id in 1..=publishers {
        world.join(0, PeerSetup::new(id, 7).slots(0, 0).talking().skimming());
    }
    for id in 0..receivers {
        let setup = PeerSetup::new(100 + id, 7).slots(1, 1).skimming();
        world.join(0, PeerSetup { handshake: true, ..setup });
        world.run(ms(5));
    }
    world.run(secs(2));
    assert_eq!(world.peers().filter(|peer| peer.connected).count() as u64, receivers + publishers);
    let shard = std::mem::replace(world.shard_mut(0), empty(now));
    -allocation_counter::measure(|| drop(shard)).bytes_current
}

/// Of each of a few more receivers. What the crypto library's C code holds is not seen: four AES keys
/// of DTLS and SRTP, 4 kB.
fn each(publishers: u64) -> i64 {
    const FEW: u64 = 4;
    const MORE: u64 = 16;
    (held(FEW + MORE, publishers) - held(FEW, publishers)) / MORE as i64
}

#[test]
fn an_idle_receiver_holds_less_than_64_kib() {
    let bytes = each(0);
    assert!((10_000..64 * 1024).contains(&bytes), "{bytes}");
}

#[test]
fn one_with_sound_and_picture_holds_less_than_92_kib() {
    let bytes = each(1) - GUARD;
    assert!((10_000..92 * 1024).contains(&bytes), "{bytes}");
}
