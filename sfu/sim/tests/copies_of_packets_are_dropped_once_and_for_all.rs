use crate::common::{secs, world};
use weir_sfu::DropReason;
use weir_sim::oracles::{assert_flawless, gaps};
use weir_sim::{LinkConfig, PeerSetup};

#[test]
fn copies_of_packets_are_dropped_once_and_for_all() {
    let mut world = world(1);
    world.link = LinkConfig { duplicate: 0.5, ..LinkConfig::lossy(0.02) };
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(5));
    for (me, other) in [(people[0], 2), (people[1], 1)] {
        assert_flawless(world.peer(me));
        assert_eq!(gaps(world.peer(me).slot("v0"), other, 0), [0; 0]);
    }
    let copies =
        world.up(people[0]).counters().duplicated + world.up(people[1]).counters().duplicated;
    let dropped = world.shard(0).counters().drops(DropReason::Replayed);
    // Checks come twice, too, and are answered twice.
    assert!(dropped + 20 > copies && dropped <= copies, "{dropped} of {copies}");
    world.finish();
}
