use crate::common::{TEN, aware, each_seed, secs, view, world};
use weir_sfu_api::{Command, Event, ReplyBody, RequestId};
use weir_sim::{LinkConfig, PeerSetup, Source, World};

/// What the shard thinks that a peer's path carries, bit/s.
fn estimate(world: &mut World, peer: usize) -> u64 {
    let peer = world.peer(peer).id();
    world.command(0, Command::PeerStats { req: RequestId(9_999), peer });
    let replies = world.events.iter().rev().filter_map(|(_, _, event)| match event {
        Event::Reply(reply) if reply.req == RequestId(9_999) => reply.result.as_ref().ok(),
        _ => None,
    });
    let stats = replies.filter_map(|body| match body {
        ReplyBody::Peer(stats) => Some(stats.estimate_bps),
        _ => None,
    });
    stats.take(1).sum()
}

/// So many cameras, which together would take more than the path has: the estimate, and what flows.
fn run(seed: u64, capacity: u64, cameras: u64) {
    let mut world = world(seed);
    for id in 1..=cameras {
        world.join(0, PeerSetup::new(id, 7).publish(Source::meeting_camera()));
    }
    world.link = LinkConfig::narrow(capacity);
    let viewer = world.join(0, aware(20, 0, cameras as usize));
    view(&mut world, viewer, Vec::new(), u16::MAX);
    world.run(secs(10));
    let mut sum = 0;
    for _ in 0..20 {
        world.run(secs(1));
        sum += estimate(&mut world, viewer);
    }
    let mean = sum / 20;
    let now = world.now();
    let span = world.down(viewer).between(now - secs(20), now);
    let used = span.delivered_bps();
    eprintln!(
        "seed {seed}: {capacity} bit/s, estimate {mean}, used {used}, {:?}",
        span.queue_delay
    );
    assert!(mean * 10 >= capacity * 8, "{mean} of {capacity}");
    world.finish();
}

#[test]
fn estimates_reach_four_fifths_of_the_capacity() {
    each_seed(&TEN, |seed| {
        run(seed, 600_000, 1);
        run(seed, 1_000_000, 2);
    });
}

/// Six cameras take two seconds of computing a seed.
#[test]
fn also_those_of_wide_paths() {
    each_seed(&[1, 2, 3], |seed| {
        run(seed, 3_000_000, 3);
        run(seed, 6_000_000, 6);
    });
}
