//! 200 ms of jitter hide a queue of that length, but no fall from 3 Mbit/s to 600 kbit/s.

use crate::common::{Path, Source, World, ms};
use std::time::Duration;

fn squeeze(source: Source, reorder: bool, queue: Duration, seed: u64) {
    let path = Path { jitter: ms(200), reorder, queue, ..Path::default() };
    let mut world = World::new(path, source, seed);
    world.run(ms(20_000));
    world.link.path.rate = 600e3;
    world.run(ms(20_000));
    let [third, fourth] = [22, 23].map(|second: usize| world.seconds[second]);
    let later = world.mean_estimate(10);
    println!(
        "{source:?}, reorder {reorder}, queue {queue:?}, seed {seed}: sent {:.0} in the third second, \
         {:.0} in the fourth, queue then {:?}; later estimate {later:.0}",
        third.sent, fourth.sent, fourth.queue
    );
    assert!(third.sent < 600e3 && fourth.sent < 600e3, "{} {}", third.sent, fourth.sent);
    assert!(later > 300e3, "the estimate collapsed: {later}");
    // What stands at the end of a long queue takes its time.
    assert!(fourth.queue < queue.max(ms(150)) * 3 / 4, "the queue does not drain: {fourth:?}");
}

#[test]
fn a_squeeze_shows_through_jitter() {
    for seed in 0..10 {
        for reorder in [false, true] {
            for source in [Source::Follows(3e6), Source::Layers([150e3, 500e3, 2.4e6])] {
                for queue in [ms(300), ms(1_000)] {
                    squeeze(source, reorder, queue, seed);
                }
            }
        }
    }
}
