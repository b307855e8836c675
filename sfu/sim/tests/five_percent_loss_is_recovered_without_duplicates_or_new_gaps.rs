use crate::common::{ms, secs, seeds, world};
use weir_sfu_api::MediaKind;
use weir_sim::oracles::{assert_flawless, gaps_in, latencies, longest_gap, slots, sources};
use weir_sim::{LinkConfig, PeerSetup};

/// 5 % loss, 50 ms delay, jitter and reordering on each leg.
fn run(seed: u64) {
    let mut world = world(seed);
    world.link = LinkConfig::lossy(0.05);
    let base = world.now();
    let people = [1, 2, 3].map(|id| world.join(0, PeerSetup::new(id, 7).talking().slots(2, 2)));
    world.run(secs(30));
    let end = world.now();
    for me in people {
        let peer = world.peer(me);
        assert_flawless(peer);
        for slot in slots(peer, MediaKind::Video) {
            let source = sources(slot);
            assert_eq!(source.len(), 1, "{source:?}");
            // At first a second key frame may overtake what is being repeated of the first.
            let begin = slot.frames.partition_point(|frame| frame.at < base + secs(1));
            let frames = &slot.frames[begin..];
            assert_eq!(gaps_in(frames, source[0], 0), [0; 0], "frames are missing");
            assert!(slot.frames.len() > 25 * 28, "{}", slot.frames.len());
            assert!(slot.counters.skips <= 1 && slot.counters.unasked == 0);
            assert!(slot.counters.recovered > 50, "{:?}", slot.counters);
            // Asking, repeating and asking the publisher for it before: three round trips.
            assert!(longest_gap(slot, base + secs(2), end) < ms(700), "frozen");
            let late = latencies(slot, base);
            let share = |percent: usize| late[(late.len() - 1) * percent / 100];
            assert!(share(50) < ms(250) && share(95) < ms(450) && share(100) < ms(1_000));
        }
        for slot in slots(peer, MediaKind::Audio) {
            // Twice 5 % and no repetition.
            let share = slot.frames.len() as f64 / (50.0 * 29.8);
            assert!((0.87..=0.94).contains(&share), "{share}");
        }
    }
    let counters = world.shard(0).counters();
    assert!(counters.retransmitted > 300, "{counters:?}");
    world.finish();
}

#[test]
fn five_percent_loss_is_recovered_without_duplicates_or_new_gaps() {
    for seed in seeds(&[1, 2, 3, 5, 8]) {
        run(seed);
    }
}
