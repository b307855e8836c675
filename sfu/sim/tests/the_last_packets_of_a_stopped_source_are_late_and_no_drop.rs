use crate::common::{ms, secs, world};
use weir_sfu_api::SourceKind;
use weir_sim::{PeerSetup, Source};

/// A screen that is no longer shared: its last packets come after the offer that takes it out.
#[test]
fn the_last_packets_of_a_stopped_source_are_late_and_no_drop() {
    let mut world = world(1);
    let screen = Source { kind: SourceKind::Screen, ..Source::camera() };
    let one = world.join(0, PeerSetup::new(1, 7).talking().publish(screen));
    let two = world.join(0, PeerSetup::new(2, 7).talking());
    world.up(one).config.delay = ms(80);
    world.run(secs(2));
    assert_eq!(world.shard(0).population().2, 5);
    world.peer_mut(one).tracks[2].stopped = true;
    world.offer(one);
    world.run(secs(1));
    assert_eq!(world.shard(0).population().2, 4, "no track rises again from late packets");
    let states = world.slot_states(two);
    assert_eq!(states.iter().filter(|state| state.track.is_some()).count(), 2);
    let counters = world.shard(0).counters();
    let late = counters.late_list();
    assert!(matches!(late[..], [("ended_stream", 1..)]), "{late:?}");
    assert_eq!(counters.drop_list(), []);
    world.finish();
}
