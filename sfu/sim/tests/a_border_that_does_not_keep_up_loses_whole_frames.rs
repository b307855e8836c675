use crate::common::{aware, ms, secs, tile, two_shards, view};
use weir_sfu::DropReason;
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::{PeerSetup, Source, World};

#[test]
fn a_border_that_does_not_keep_up_loses_whole_frames() {
    let mut world = two_shards(1);
    let camera = || Source { bitrate_bps: 8_000_000, pace: None, ..Source::camera() };
    let speakers: Vec<usize> =
        (1..=8).map(|id| world.join(0, PeerSetup::new(id, 7).publish(camera()))).collect();
    let near = world.join(0, PeerSetup::new(19, 7).slots(0, 1));
    // Each sees two, so that paths are no limit.
    let viewers = [1, 3, 5, 7].map(|first| {
        let viewer = world.join(1, aware(20 + first, 0, 2));
        view(&mut world, viewer, vec![tile(first), tile(first + 1)], 0);
        viewer
    });
    world.run(secs(3));
    let full = |world: &World| world.shard(0).counters().drops(DropReason::BorderFull);
    let asked = |world: &World| -> usize {
        let tracks = speakers.iter().map(|speaker| &world.peer(*speaker).tracks[0]);
        tracks.map(|track| track.streams[0].requests.len()).sum()
    };
    assert_eq!(full(&world), 0);
    viewers.iter().for_each(|viewer| assert_flawless(world.peer(*viewer)));

    // The other shard's thread stands still: 4 MB are half a second of this.
    let before = asked(&world);
    world.border_open = false;
    world.run(ms(900));
    let stopped = full(&world);
    assert!(stopped > 500, "{stopped}");
    assert!(asked(&world) >= before + 8, "whoever lost a frame needs a key frame");
    let begin = world.now();
    world.border_open = true;
    world.run(secs(3));
    let after = full(&world) - stopped;
    assert!(after < 200, "{after} more: no longer than to the next frames");
    for slot in viewers.iter().flat_map(|viewer| &world.peer(*viewer).slots) {
        assert!(slot.faults.is_empty(), "{:#?}", slot.faults);
        assert!(longest_gap(slot, begin + secs(2), world.now()) < ms(300), "{}", slot.mid);
    }
    // On the publishers' own shard nobody noticed.
    assert_flawless(world.peer(near));
    assert!(longest_gap(world.peer(near).slot("v0"), begin - secs(2), world.now()) < ms(200));
    world.finish();
}
