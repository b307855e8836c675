use crate::common::dtls::{DtlsClient, Options};
use crate::common::{Way, World};
use std::time::Duration;

fn stalls(is_client: bool, deliver: impl FnMut(Way, &[u8]) -> bool) -> World {
    let mut world = World::new(DtlsClient::new(Options { is_client, ..Options::default() }));
    let start = world.now;
    world.check(world.src);
    world.client.start(world.now);
    world.run(Duration::from_secs(60), deliver);
    assert_eq!(world.failure(), Some("handshake timed out"));
    assert_eq!(world.now - start, Duration::from_secs(10));
    world
}

#[test]
fn in_silence() {
    stalls(true, |_, _| false);
}

#[test]
fn when_answers_never_arrive_and_few_are_sent() {
    let world = stalls(true, |way, _| way == Way::ToServer);
    assert!(world.sent_to.len() <= 12, "{}", world.sent_to.len());
}

#[test]
fn when_we_call_and_nobody_answers() {
    let world = stalls(false, |_, _| false);
    assert_eq!(world.sent_to.len(), 9, "the flight and eight repetitions");
}

#[test]
fn when_the_peer_sends_more_than_a_handshake_needs() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.check(world.src);
    world.client.start(world.now);
    let hello = world.client.poll_transmit().unwrap();
    let mut refused = 0;
    for _ in 0..1_000 {
        refused += usize::from(world.server.handle_dtls(world.now, world.src, &hello).is_err());
    }
    world.drain();
    assert!(refused > 700, "{refused}");
    assert!(world.sent_to.len() <= 32, "{}", world.sent_to.len());
}
