use crate::common::{aware, ms, secs, tile, view, world};
use weir_sim::Source;
use weir_sim::oracles::assert_flawless;

fn camera() -> Source {
    Source { bitrate_bps: 16_000, fps: 2, ..Source::camera() }
}

/// What a join and a leave cost the others, counted: looks at somebody's slots.
#[test]
fn a_full_room_examines_nobody_else_when_someone_joins() {
    let mut world = world(1);
    let mut people = Vec::new();
    for id in 1..=300 {
        let setup = aware(id, 3, 9).publish(Source::microphone()).publish(camera());
        let peer = world.join(0, setup);
        world.peer_mut(peer).tracks[0].level = 80;
        // A page by names for some, the last speakers for the others.
        let names =
            if id % 2 == 0 { (id % 7 + 1..id % 7 + 10).map(tile).collect() } else { vec![] };
        view(&mut world, peer, names, u16::MAX);
        people.push(peer);
        if id % 20 == 0 {
            world.run(ms(200));
        }
    }
    world.run(secs(1));
    let looks = |world: &weir_sim::World| world.shard(0).counters().seatings;
    let before = looks(&world);
    let joined = world.join(0, aware(301, 3, 9).publish(Source::microphone()).publish(camera()));
    world.run(secs(1));
    let cost = looks(&world) - before;
    // Its own two kinds, at the join and at the offer; nobody else's.
    assert!(cost <= 4, "a join cost {cost} looks");
    let shown = world.events.iter().any(|(_, _, event)| {
        matches!(event, weir_sfu_api::Event::TrackUp { track, .. } if track.peer.0 == 301)
    });
    assert!(shown, "it publishes");
    let before = looks(&world);
    world.leave(joined);
    world.run(ms(100));
    assert!(looks(&world) - before <= 4, "a leave cost {} looks", looks(&world) - before);
    let before = looks(&world);
    // Named by some, shown by nobody: a page from 290 on.
    view(&mut world, people[0], vec![tile(290)], 0);
    world.run(secs(1));
    world.leave(people[289]);
    world.run(ms(100));
    assert!(looks(&world) - before <= 6, "{} looks", looks(&world) - before);
    assert_flawless(world.peer(people[0]));
    world.finish();
}
