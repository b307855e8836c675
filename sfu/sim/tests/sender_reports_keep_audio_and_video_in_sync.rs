use crate::common::{ms, secs, world};
use std::time::Duration;
use weir_sfu_api::MediaKind;
use weir_sim::oracles::{assert_flawless, skew_ms, slots, sources};
use weir_sim::{LinkConfig, PeerSetup, Source};

#[test]
fn sender_reports_keep_audio_and_video_in_sync() {
    let mut world = world(1);
    world.link = LinkConfig { jitter: ms(30), ..LinkConfig::clean(ms(20)) };
    let person = |id| PeerSetup::new(id, 7).slots(2, 2).publish(Source::microphone());
    let mut one = person(1).publish(Source::camera());
    one.clock_ahead = Duration::from_secs(86_400 * 365);
    let one = world.join(0, one);
    let two = world.join(0, person(2).publish(Source::simulcast_camera()));
    let three = world.join(0, person(3).publish(Source::camera()));
    world.run(secs(15));
    // Through a change of layers, too.
    world.peer_mut(two).tracks[1].streams[2].active = false;
    world.run(secs(5));
    for (me, others) in [(one, [2, 3]), (two, [1, 3]), (three, [1, 2])] {
        let peer = world.peer(me);
        assert_flawless(peer);
        for other in others {
            let of = |kind| slots(peer, kind).find(|slot| sources(slot) == [other]).unwrap();
            let (audio, video) = (of(MediaKind::Audio), of(MediaKind::Video));
            let skew = skew_ms(audio, video, other).expect("sender reports in both slots");
            // People notice 45 ms; 1 ms is the rounding of clocks.
            assert!(skew.abs() < 1.0, "{skew} ms between the slots of {other} at {}", peer.id());
        }
    }
    world.finish();
}
