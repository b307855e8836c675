use crate::common::{secs, world};
use weir_sfu_api::CodecKind;
use weir_sim::oracles::assert_flawless;
use weir_sim::{PeerSetup, Source};

#[test]
fn a_receiver_without_the_codec_is_told() {
    let mut world = world(1);
    world.join(0, PeerSetup::new(1, 7).publish(Source::camera().with_codec(CodecKind::Av1)));
    let mut setup = PeerSetup::new(2, 7).slots(0, 1);
    setup.without = vec![CodecKind::Av1];
    let old = world.join(0, setup);
    let new = world.join(0, PeerSetup::new(3, 7).slots(0, 1));
    world.run(secs(2));
    assert!(world.slot_states(old)[0].unavailable);
    assert!(world.slot_states(old)[0].track.is_some());
    assert!(!world.slot_states(new)[0].unavailable);
    assert!(world.peer(old).slot("v0").frames.is_empty());
    assert!(world.peer(new).slot("v0").frames.len() > 40);
    assert_flawless(world.peer(old));
    assert_flawless(world.peer(new));
    world.finish();
}
