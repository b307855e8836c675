use crate::common::{ms, secs, world};
use weir_sim::{LinkConfig, PeerSetup, Source};

#[test]
fn transport_feedback_covers_every_packet() {
    let mut world = world(1);
    world.link = LinkConfig { duplicate: 0.01, ..LinkConfig::lossy(0.05) };
    // Uploads arrive in any order, feedback without loss: it is not repeated.
    let speaker = world.join(
        0,
        PeerSetup::new(1, 7)
            .talking()
            .publish(Source { bitrate_bps: 6_000_000, ..Source::simulcast_camera() }),
    );
    world.down(speaker).config = LinkConfig::clean(ms(50));
    world.join(0, PeerSetup::new(2, 7));
    world.run(secs(20));
    let peer = world.peer(speaker);
    let sent = peer.wide.packets.iter();
    let old = sent.filter(|(at, _)| at.is_some_and(|at| at < world.now() - ms(250)));
    let told: Vec<bool> = old.map(|(_, told)| told.expect("no feedback for a packet")).collect();
    assert!(told.len() > 5_000, "{}", told.len());
    let lost = told.iter().filter(|arrived| !**arrived).count() as f64 / told.len() as f64;
    assert!((0.045..0.055).contains(&lost), "{lost}");
    assert_eq!(peer.wide.told_twice, 0);
    assert!(peer.wide.feedbacks > 350, "every 50 ms: {}", peer.wide.feedbacks);
    assert!(peer.largest_rtcp <= 1_200, "{}", peer.largest_rtcp);
    world.finish();
}

#[test]
fn a_publisher_without_transport_feedback_gets_remb() {
    let mut world = world(2);
    let mut setup = PeerSetup::new(1, 7).talking();
    setup.transport_cc = false;
    let speaker = world.join(0, setup);
    world.run(secs(20));
    let limit = world.peer(speaker).remb_bps.expect("a REMB");
    assert!(limit > 1_000_000, "grows with use: {limit}");
    assert_eq!(world.peer(speaker).wide.feedbacks, 0);
    world.finish();
}

/// A screen share's key frame: a thousand packets at once, half of a second's feedback.
#[test]
fn a_burst_is_told_in_packets_below_the_mtu() {
    let mut world = world(3);
    let screen = Source { bitrate_bps: 12_000_000, fps: 5, ..Source::camera() };
    let speaker = world.join(0, PeerSetup::new(1, 7).publish(screen));
    world.up(speaker).config = LinkConfig { delay: ms(20), ..LinkConfig::lossy(0.1) };
    // Whom nobody watches is asked off.
    world.join(0, PeerSetup::new(2, 7).slots(0, 1));
    world.run(secs(4));
    let peer = world.peer(speaker);
    assert!(peer.wide.packets.len() > 5_000, "{}", peer.wide.packets.len());
    let old =
        peer.wide.packets.iter().filter(|(at, _)| at.is_some_and(|at| at + ms(250) < world.now()));
    assert!(old.clone().all(|(_, told)| told.is_some()));
    assert!(peer.largest_rtcp <= 1_250, "{}", peer.largest_rtcp);
    world.finish();
}
