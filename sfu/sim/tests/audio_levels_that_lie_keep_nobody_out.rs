use crate::common::{aware, ms, seated, secs, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::assert_flawless;
use weir_sim::{PeerSetup, Source};

/// Six senders claim to be as loud as can be, some always, some by turns; a seventh just speaks.
#[test]
fn audio_levels_that_lie_keep_nobody_out() {
    let mut world = world(1);
    let listener = world.join(0, aware(100, 3, 0));
    let people: Vec<usize> = (1..=7)
        .map(|id| {
            let setup = PeerSetup::new(id, 7).slots(0, 0).publish(Source::microphone());
            world.join(0, setup)
        })
        .collect();
    let mut heard = 0;
    for step in 0..1_000u64 {
        for (n, peer) in people.iter().enumerate() {
            let level = match n {
                0 | 1 => 0,
                2 | 3 => [0, 127][(step % 2) as usize],
                4 | 5 => [0, 127][(step / 20 % 2) as usize],
                _ if step < 100 || step % 16 >= 13 => 80,
                _ => 32,
            };
            world.peer_mut(*peer).tracks[0].level = level;
        }
        world.run(ms(100));
        heard += u64::from(seated(&world, listener, MediaKind::Audio).contains(&7));
    }
    // 90 s of speech.
    assert!(heard > 450, "heard for {heard} of 900 steps");
    assert_flawless(world.peer(listener));
    world.run(secs(1));
    world.finish();
}
