use crate::common::{TEN, each_seed, ms, secs, world};
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::peer::recv::Frame;
use weir_sim::{LinkConfig, PeerSetup, Source};

/// Which frames of which layers the neighbour used, in order. Frames' times differ by a packet or two:
/// the other's key frames are larger.
fn run(seed: u64, squeezed: bool) -> Vec<(u8, u32)> {
    let mut world = world(seed);
    let start = world.now();
    let voice = PeerSetup::new(1, 7).publish(Source::microphone());
    world.join(0, voice.publish(Source::meeting_camera()));
    world.link = LinkConfig::narrow(8_000_000);
    let neighbour = world.join(0, PeerSetup::new(2, 7).slots(1, 1));
    let viewer = world.join(0, PeerSetup::new(3, 7).slots(1, 1));
    if squeezed {
        world.down(viewer).rate_from(start + secs(8), Some(300_000));
        world.down(viewer).rate_from(start + secs(14), Some(8_000_000));
    }
    world.run(secs(24));
    let least = world.peer(viewer).slot("v0").frames.iter().filter(|f| f.at > start + secs(3));
    assert_eq!(least.map(|frame| frame.layer).min(), Some(if squeezed { 0 } else { 2 }));
    let peer = world.peer(neighbour);
    assert_flawless(peer);
    // The last ones may be on their way.
    let arrived = |frame: &&Frame| frame.created_us < 23_500_000;
    let frames = peer.slots.iter().flat_map(|slot| &slot.frames).filter(arrived);
    let seen = frames.map(|f| (f.layer, f.number)).collect();
    for slot in &peer.slots {
        let gap = longest_gap(slot, start + secs(2), world.now());
        assert!(gap < ms(150), "{gap:?}");
    }
    world.finish();
    seen
}

#[test]
fn a_squeezed_receiver_changes_nothing_for_another() {
    each_seed(&TEN, |seed| {
        let (with, without) = (run(seed, true), run(seed, false));
        let differs = with.iter().zip(&without).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(with.len(), without.len(), "seed {seed}");
    });
}
