use crate::common::{aware, ms, seated, secs, talk, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::assert_flawless;
use weir_sim::{PeerSetup, Source};

/// In a room where silent people hold all seats, speech takes one with its first packet; two who
/// begin together lose nothing either.
#[test]
fn who_begins_to_speak_is_heard_from_the_first_syllable() {
    let mut world = world(1);
    let listener = world.join(0, aware(100, 3, 0));
    let people: Vec<usize> = (1..=20)
        .map(|id| {
            let setup = PeerSetup::new(id, 7).slots(0, 0).publish(Source::microphone());
            let peer = world.join(0, setup);
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
