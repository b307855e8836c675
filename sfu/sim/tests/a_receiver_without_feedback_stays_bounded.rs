use crate::common::{ms, secs, seeds, world};
use weir_sim::oracles::{assert_flawless, longest_gap};
use weir_sim::{Feedback, LinkConfig, Manners, PeerSetup, Source};

/// It negotiated transport-wide feedback and sends none; its reports come.
#[test]
fn a_receiver_without_feedback_stays_bounded() {
    for seed in seeds(&[1, 2]) {
        let mut world = world(seed);
        world.link = LinkConfig::clean(ms(20));
        for id in [1, 2] {
            let voice = PeerSetup::new(id, 7).publish(Source::microphone());
            let camera = Source { bitrate_bps: 6_000_000, ..Source::simulcast_camera() };
            world.join(0, voice.publish(camera));
        }
        let viewer = world.join(0, PeerSetup::new(3, 7).slots(2, 2));
        world.peer_mut(viewer).manners =
            Manners { feedback: Feedback::Never, ..Manners::default() };
        world.run(secs(40));
        let now = world.now();
        let most = (0..38).map(|second| {
            let from = now - secs(40 - second);
            world.down(viewer).between(from, from + secs(2)).sent_bps()
        });
        let most = most.max().unwrap_or(0);
        eprintln!("seed {seed}: {most} bit/s in two seconds at most");
        // What receiver reports can earn (docs/congestion.md), and a fifth for what goes beside.
        assert!(most <= 3_000_000, "{most}");
        let peer = world.peer(viewer);
        assert_flawless(peer);
        for slot in peer.slots.iter().filter(|slot| slot.mid.as_str().starts_with('a')) {
            assert!(longest_gap(slot, now - secs(30), now) < ms(200));
        }
        world.finish();
    }
}
