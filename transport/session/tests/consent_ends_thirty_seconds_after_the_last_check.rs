use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr};
use std::time::Duration;
use weir_session::{Drop, TransportEvent};

#[test]
fn a_connected_peer_that_stops_checking_is_let_go() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    let start = world.now;
    for _ in 0..6 {
        world.now += Duration::from_secs(10);
        world.server.handle_timeout(world.now);
        world.check(addr(4000));
    }
    assert!(world.server.is_connected());
    let (at, why) = world.server.poll_timeout().unwrap();
    assert_eq!((at - start, why), (Duration::from_secs(90), "ice consent"));
    world.server.handle_timeout(at - Duration::from_millis(1));
    assert!(world.server.is_connected());
    world.server.handle_timeout(at);
    world.drain();
    assert!(matches!(world.events.last(), Some(TransportEvent::ConsentExpired)));
    assert!(world.server.has_ended() && world.server.poll_timeout().is_none());
    assert_eq!(world.server.seal_rtp(1, &[0x80; 12], [&[], &[]], 0, &mut [0; 99]), None);
    let request = crate::common::stun::check(&crate::common::server_ice(), "clnt").finish();
    assert_eq!(world.stun(addr(4000), &request), Err(Drop::Closed));
}

#[test]
fn a_client_that_never_checks_is_let_go() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let (at, _) = world.server.poll_timeout().unwrap();
    assert_eq!(at - world.now, Duration::from_secs(30));
    world.server.handle_timeout(at);
    world.drain();
    assert!(matches!(world.events[..], [TransportEvent::ConsentExpired]));
}
