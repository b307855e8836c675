use crate::common::{aware, ms, seated, secs, talk};
use std::time::Instant;
use weir_sfu_api::MediaKind;
use weir_sim::oracles::assert_flawless;
use weir_sim::{PeerSetup, Source, World};

/// In a room where silent people hold all seats, speech takes one with its first packet; two who
/// begin together lose nothing either.
#[test]
fn who_begins_to_speak_is_heard_from_the_first_syllable() {
    // Shards, and where the listener is: the speakers are on the last one.
    for (shards, listens) in [(1, 0), (2, 0), (2, 1), (3, 1)] {
        first_syllable(shards, listens);
    }
}

fn first_syllable(shards: u16, listens: usize) {
    let mut world = World::new(Instant::now(), 1, shards);
    if shards > 1 {
        world.span(7, &(0..shards).collect::<Vec<_>>());
    }
    let talks = usize::from(shards) - 1;
    let listener = world.join(listens, aware(100, 3, 0));
    let people: Vec<usize> = (1..=20)
        .map(|id| {
            let setup = PeerSetup::new(id, 7).slots(0, 0).publish(Source::microphone());
            let peer = world.join(talks, setup);
            world.peer_mut(peer).tracks[0].level = 80;
            world.run(ms(30));
            peer
        })
        .collect();
    talk(&mut world, &[(people[0], 30)], secs(3));
    world.run(secs(2));
    let begun = world.now();
    let both = [people[15], people[16]];
    assert_eq!(seated(&world, listener, MediaKind::Audio).iter().filter(|id| **id > 15).count(), 0);
    // Three syllables: a whole word, no pause.
    for peer in both {
        world.peer_mut(peer).tracks[0].level = 30;
    }
    world.run(ms(600));
    let from_us = (begun - (world.now() - world.elapsed())).as_micros() as u64;
    for id in [16, 17] {
        let slots = world.peer(listener).slots.iter();
        let frames = slots.flat_map(|slot| &slot.frames).filter(|frame| frame.source == id);
        let mut made: Vec<u64> =
            frames.map(|frame| frame.created_us).filter(|us| *us >= from_us).collect();
        made.sort_unstable();
        let first = made.first().copied().expect("heard");
        assert!(first - from_us <= 20_000, "{id}: the first packet came {} us in", first - from_us);
        assert!(made.windows(2).all(|two| two[1] - two[0] <= 20_000), "{id}: {made:?}");
    }
    assert_flawless(world.peer(listener));
    world.finish();
}
