use crate::common::secs;
use std::time::Instant;
use weir_sim::oracles::{assert_flawless, seen};
use weir_sim::{LinkConfig, PeerSetup, World};

/// Rooms live whole on one shard; who shares it must not matter.
#[test]
fn four_shards_serve_four_rooms_as_one_shard_does() {
    let run = |shards: u16| {
        let mut world = World::new(Instant::now(), 1, shards);
        world.link = LinkConfig::clean(crate::common::ms(20));
        let people: Vec<usize> = (0..12)
            .map(|n| {
                let home = (n % 4) % usize::from(shards);
                let setup = PeerSetup::new(n as u64 + 1, n as u64 % 4).talking().slots(2, 2);
                let peer = world.join(home, setup);
                world.run(crate::common::ms(100));
                peer
            })
            .collect();
        world.run(secs(5));
        let all: Vec<_> = people
            .iter()
            .map(|peer| {
                assert_flawless(world.peer(*peer));
                seen(world.peer(*peer))
            })
            .collect();
        world.finish();
        all
    };
    let (one, four) = (run(1), run(4));
    for (peer, (one, four)) in one.iter().zip(&four).enumerate() {
        assert_eq!(one.len(), 4, "two voices and two pictures");
        let keys = |seen: &std::collections::BTreeMap<_, _>| {
            seen.keys().cloned().collect::<Vec<(String, u32, u8)>>()
        };
        assert_eq!(keys(one), keys(four), "peer {}", peer + 1);
        for (key, frames) in one {
            assert!(frames.len() > 60 && *frames == four[key], "peer {} {key:?}", peer + 1);
        }
    }
}
