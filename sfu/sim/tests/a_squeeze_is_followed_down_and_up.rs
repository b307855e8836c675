use crate::common::{TEN, each_seed, ms, secs, world};
use std::time::Duration;
use weir_sim::oracles::{freezes, longest_gap, share_of_height, switches};
use weir_sim::{LinkConfig, PeerSetup, Source};

/// Capacity 3 Mbit/s, at 20 s 600 kbit/s, at 50 s 3 Mbit/s again.
fn run(seed: u64, queue: Duration) {
    let mut world = world(seed);
    world.link = LinkConfig::clean(ms(20));
    let voice = PeerSetup::new(1, 7).publish(Source::microphone());
    world.join(0, voice.publish(Source::simulcast_camera()));
    let viewer = world.join(0, PeerSetup::new(2, 7).slots(1, 1));
    world.down(viewer).config = LinkConfig { queue, ..LinkConfig::narrow(3_000_000) };
    let start = world.now();
    let (drop, rise, end) = (start + secs(20), start + secs(50), start + secs(80));
    world.down(viewer).rate_from(drop, Some(600_000));
    world.down(viewer).rate_from(rise, Some(3_000_000));
    world.run(end - start);
    let slot = world.peer(viewer).slot("v0");
    // The whole squeeze, with what falls to it and what recovers.
    let frozen = freezes(slot, drop, rise);
    let longest = frozen.iter().map(|(_, time)| *time).max().unwrap_or_default();
    let gap = longest_gap(slot, drop, rise);
    let top = slot.frames.iter().find(|frame| frame.at > rise && frame.layer == 2);
    let back = top.map(|frame| frame.at - rise);
    let steady = [(start + secs(5), drop), (drop + secs(5), rise), (rise + secs(15), end)];
    let steady = steady.map(|(from, to)| switches(slot, from, to));
    let best = share_of_height(slot, 360, start + secs(5), drop);
    let audio = world.peer(viewer).slot("a0").frames.len();
    let link = world.down(viewer);
    let settled = link.between(drop + secs(2), rise);
    let waits = link.between(drop + secs(2), drop + secs(3)).queue_delay;
    let used = link.between(start + secs(5), drop).delivered_bps();
    eprintln!(
        "seed {seed}, {queue:?}: sent {} of 600000 bit/s after 2 s, queue {waits:?}, longest freeze {longest:?}, longest gap {gap:?}, \
         top layer back after {back:?}, switches while steady {steady:?}, top layer before {best:.2}, \
         {used} bit/s of 3000000, {audio} of 4000 packets of sound",
        settled.sent_bps()
    );
    assert!(settled.sent_bps() < 600_000 && waits < ms(200), "{settled:?} {waits:?}");
    assert!(longest <= ms(500) && gap <= ms(500), "{frozen:?} {gap:?}");
    assert!(back.is_some_and(|back| back < secs(10)), "{back:?}");
    assert!(steady.iter().all(|switches| *switches < 2), "in half a minute: {steady:?}");
    assert!(best > 0.95, "{best}");
    assert!(audio > 3_900, "{audio}");
    world.finish();
}

#[test]
fn a_squeeze_is_followed_down_and_up() {
    each_seed(&TEN, |seed| run(seed, ms(1_000)));
}

/// The bottleneck drops its tail 0.16 s after the rate fell, before anybody can know.
#[test]
fn also_behind_a_short_queue() {
    each_seed(&TEN, |seed| run(seed, ms(300)));
}
