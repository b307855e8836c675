use crate::common::{ms, secs, world};
use weir_sim::PeerSetup;
use weir_sim::oracles::{assert_flawless, gaps, longest_gap};

#[test]
fn two_people_see_and_hear_each_other() {
    let mut world = world(1);
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(10));
    for (me, other) in [(people[0], 2), (people[1], 1)] {
        let peer = world.peer(me);
        assert_flawless(peer);
        let (audio, video) = (peer.slot("a0"), peer.slot("v0"));
        assert!(audio.frames.len() > 450, "{}", audio.frames.len());
        assert!(video.frames.len() > 230, "{}", video.frames.len());
        assert!(gaps(audio, other, 0).is_empty() && gaps(video, other, 0).is_empty());
        let from = world.now() - secs(9);
        assert!(longest_gap(video, from, world.now()) < ms(100));
        assert!(longest_gap(audio, from, world.now()) < ms(50));
    }
    world.finish();
}
