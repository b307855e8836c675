use crate::common::{TEN, each_seed, secs, world};
use weir_sim::oracles::switches;
use weir_sim::{LinkConfig, Loss, PeerSetup, Source};

/// Bits per second of a meeting camera over a path of 10 Mbit/s, in the second half of 30 s, and
/// switches of the layer then.
fn rate(seed: u64, loss: Loss) -> (u64, usize) {
    let mut world = world(seed);
    world.join(0, PeerSetup::new(1, 7).publish(Source::meeting_camera()));
    world.link = LinkConfig { loss, ..LinkConfig::narrow(10_000_000) };
    let viewer = world.join(0, PeerSetup::new(2, 7).slots(0, 1));
    world.run(secs(30));
    let (from, now) = (world.now() - secs(15), world.now());
    let bps = world.down(viewer).between(from, now).sent_bps();
    let peer = world.peer(viewer);
    assert!(peer.faults.is_empty(), "{:?}", peer.faults);
    let outcome = (bps, switches(peer.slot("v0"), from, now));
    world.finish();
    outcome
}

#[test]
fn random_loss_without_congestion_costs_little() {
    each_seed(&TEN, |seed| {
        let (clean, _) = rate(seed, Loss::None);
        for (loss, least) in [(0.05, 70), (0.1, 40)] {
            let (lossy, switches) = rate(seed, Loss::Uniform(loss));
            eprintln!("seed {seed}, loss {loss}: {lossy} of {clean} bit/s, {switches} switches");
            assert!(lossy * 100 >= clean * least, "{loss}: {lossy} of {clean} bit/s");
            assert!(switches < 1, "in 15 s: {switches}");
        }
    });
}
