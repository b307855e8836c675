use crate::common::World;
use crate::common::dtls::{DtlsClient, Options};
use weir_session::{Drop, TransportEvent};

#[test]
fn we_send_close_notify() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    world.server.close(world.now);
    world.step(&mut |_, _| true);
    assert!(world.client.closed);
    assert!(world.server.has_ended());
    assert_eq!(world.server.handle_dtls(world.now, world.src, &[22; 20]), Err(Drop::Closed));
}

#[test]
fn the_client_sends_close_notify() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    world.client.close(world.now);
    world.step(&mut |_, _| true);
    world.drain();
    assert!(matches!(world.events.last(), Some(TransportEvent::ClosedByPeer)));
    assert!(world.server.has_ended());
    assert_eq!(world.drops, [], "a goodbye is no drop");
}

#[test]
fn application_data_goes_both_ways() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    assert!(!world.server.send_application_data(world.now, b"too early"));
    world.connect();
    world.client.send(world.now, b"ping");
    assert!(world.server.send_application_data(world.now, b"pong"));
    while world.step(&mut |_, _| true) {}
    assert_eq!(world.client.data, [b"pong"]);
    let Some(TransportEvent::ApplicationData(data)) = world.events.last() else { panic!() };
    assert_eq!(&data[..], b"ping");
}
