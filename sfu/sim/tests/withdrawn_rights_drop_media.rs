use crate::common::{ms, secs, world};
use weir_sfu::DropReason;
use weir_sfu_api::{Event, Rights};
use weir_sim::PeerSetup;
use weir_sim::oracles::assert_flawless;

#[test]
fn withdrawn_rights_drop_media() {
    let mut world = world(1);
    let speaker = world.join(0, PeerSetup::new(1, 7).talking());
    let viewer = world.join(0, PeerSetup::new(2, 7).talking());
    world.run(secs(3));
    world.set_rights(speaker, Rights { publish_video: false, ..Rights::ALL });
    assert!(matches!(world.events.last(), Some((_, _, Event::Slots { .. }))));
    assert!(world.events.iter().any(|(_, _, event)| matches!(event, Event::TrackDown { .. })));
    let count =
        |world: &weir_sim::World, peer: usize, mid: &str| world.peer(peer).slot(mid).frames.len();
    // What is on its way arrives.
    world.run(ms(50));
    let (video, audio) = (count(&world, viewer, "v0"), count(&world, viewer, "a0"));
    world.run(secs(2));
    assert_eq!(count(&world, viewer, "v0"), video, "video after it was forbidden");
    assert!(count(&world, viewer, "a0") > audio + 90, "audio stays");
    assert!(world.shard(0).counters().drops(DropReason::NotAllowed) > 50);

    world.set_rights(speaker, Rights::ALL);
    world.run(secs(2));
    assert!(count(&world, viewer, "v0") > video + 40, "video is back");

    world.set_rights(viewer, Rights { subscribe: false, ..Rights::ALL });
    world.run(ms(50));
    let before = (count(&world, viewer, "v0"), count(&world, viewer, "a0"));
    world.run(secs(2));
    assert_eq!((count(&world, viewer, "v0"), count(&world, viewer, "a0")), before);
    assert!(count(&world, speaker, "v0") > 150, "its own media goes on");

    world.set_rights(viewer, Rights::NONE);
    world.run(ms(50));
    let before = count(&world, speaker, "a0");
    world.run(secs(1));
    assert_eq!(count(&world, speaker, "a0"), before);
    assert_flawless(world.peer(viewer));
    assert_flawless(world.peer(speaker));
    world.finish();
}
