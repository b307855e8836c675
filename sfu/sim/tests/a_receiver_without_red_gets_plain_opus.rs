use crate::common::{secs, world};
use weir_sfu_api::CodecKind;
use weir_sim::content::RED_START;
use weir_sim::oracles::{assert_flawless, gaps};
use weir_sim::{PeerSetup, Source};

#[test]
fn a_receiver_without_red_gets_plain_opus() {
    let mut world = world(1);
    let red = Source::microphone().with_codec(CodecKind::Red);
    world.join(0, PeerSetup::new(1, 7).publish(red));
    let viewer = world.join(0, PeerSetup::new(2, 7));
    world.run(secs(3));
    let peer = world.peer(viewer);
    assert_flawless(peer);
    let slot = peer.slot("a0");
    assert!(slot.frames.len() > 140, "{}", slot.frames.len());
    assert_eq!(gaps(slot, 1, 0), [0; 0]);
    let each = slot.counters.payload / slot.counters.packets;
    assert_eq!(each, 100 - RED_START.len() as u64, "only the primary block");
    assert!(slot.levels.len() == 1, "audio levels arrive: {:?}", slot.levels);
    world.finish();
}
