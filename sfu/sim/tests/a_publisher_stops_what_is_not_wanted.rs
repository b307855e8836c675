//! The simulated publisher does as the server demands.

use crate::common::{secs, world};
use weir_sfu_api::{LayerDemand, Mid, Rid};
use weir_sim::{PeerSetup, Source};

#[test]
fn a_publisher_stops_what_is_not_wanted() {
    let mut world = world(1);
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(Source::meeting_camera()));
    world.join(0, PeerSetup::new(2, 7));
    world.run(secs(2));
    let demand = |active: [bool; 3]| -> Vec<LayerDemand> {
        let rids = ["q", "h", "f"].map(Rid::new);
        rids.into_iter().zip(active).map(|(rid, active)| LayerDemand { rid, active }).collect()
    };
    let made = |world: &mut weir_sim::World, active: [bool; 3]| -> Vec<(u32, u32)> {
        let counts = |world: &weir_sim::World| -> Vec<(u32, u32)> {
            let streams = &world.peer(speaker).tracks[0].streams;
            streams.iter().map(|stream| (stream.frames, stream.key_frames)).collect()
        };
        let before = counts(world);
        let mid = Mid::new("p0").unwrap();
        world.peer_mut(speaker).take_demand(mid, &demand(active));
        world.run(secs(1));
        counts(world).iter().zip(before).map(|(now, old)| (now.0 - old.0, now.1 - old.1)).collect()
    };
    let off = made(&mut world, [true, false, false]);
    assert!(off[0].0 >= 29 && off[1..] == [(0, 0); 2], "{off:?}");
    // What comes back begins with a key frame.
    let on = made(&mut world, [true, true, false]);
    assert!(on[1].0 >= 29 && on[1].1 >= 1 && on[2] == (0, 0), "{on:?}");
    world.finish();
}
