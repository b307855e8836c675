//! Commands reach shards by ways of their own: who joins, publishes and is received may do so before
//! the shards of the room heard of each other, in whatever order they do.

use crate::common::{aware, ms, secs};
use std::time::Instant;
use weir_sfu_api::{Command, MediaKind, RoomId, ShardId};
use weir_sim::oracles::{assert_flawless, slots};
use weir_sim::{LinkConfig, PeerSetup, Source, World};

fn span(world: &mut World, to: u16) {
    let (room, home, shards) = (RoomId(7), ShardId(0), vec![ShardId(0), ShardId(1)]);
    world.command(usize::from(to), Command::Span { room, home, shards });
}

fn person(id: u64) -> PeerSetup {
    aware(id, 3, 2).publish(Source::microphone()).publish(Source::camera()).talking()
}

/// The shards in this order, the second join after so many of them.
fn meet(order: [u16; 2], join_after: usize, pause: u64) {
    let what = format!("{order:?}, joined after {join_after}, {pause} ms apart");
    let mut world = World::new(Instant::now(), 1, 2);
    world.link = LinkConfig::clean(ms(20));
    let one = world.join(0, person(1));
    world.run(secs(1));
    let mut two = None;
    for step in 0..=2 {
        if step == join_after {
            two = Some(world.join(1, person(2)));
        }
        world.run(ms(pause));
        if let Some(shard) = order.get(step) {
            span(&mut world, *shard);
        }
        world.run(ms(pause));
    }
    let two = two.unwrap();
    let views = [one, two].map(|peer| (world.home(peer), world.peer(peer).id()));
    for (home, peer) in views {
        let view = Box::new(weir_sfu_api::View { last_n: u16::MAX, ..Default::default() });
        world.command(home, Command::SetView { peer, view });
    }
    world.run(secs(3));
    for (peer, other) in [(one, two), (two, one)] {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let (peer, since) = (world.peer(peer), world.now() - secs(1));
            let frames = slots(peer, kind).flat_map(|slot| &slot.frames);
            let count = frames.filter(|frame| frame.at > since).count();
            assert!(count > 20, "{what}: {count} {kind:?} frames of {other}");
            assert_flawless(peer);
        }
    }
    for shard in 0..2 {
        assert_eq!(
            world.shard(shard).counters().drop_list().iter().map(|(_, n)| n).sum::<u64>(),
            0
        );
    }
    world.finish();
}

#[test]
fn a_join_may_come_before_its_room_is_known_elsewhere() {
    for order in [[0, 1], [1, 0]] {
        for join_after in 0..=2 {
            for pause in [0, 150] {
                meet(order, join_after, pause);
            }
        }
    }
}
