use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr, server_ice, stun};
use weir_session::Path;

#[test]
fn a_nomination_from_a_new_address_moves_the_path_and_keeps_the_session() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let first = stun::check(&server_ice(), "clnt").nominate(1_000).finish();
    world.stun(addr(4000), &first).unwrap();
    world.connect();
    let moved = addr(5000);
    assert!(world.check(moved).address_validated, "seen, not nominated");
    assert_eq!(world.server.path().unwrap().remote, addr(4000));
    let second = stun::check(&server_ice(), "clnt").nominate(2_000).finish();
    let outcome = world.stun(moved, &second).unwrap();
    assert_eq!(outcome.nominated, Some(Path { remote: moved, local: None }));
    world.src = moved;
    world.client.send(world.now, b"hello");
    world.step(&mut |_, _| true);
    assert!(world.drops.is_empty());
    world.assert_media_flows();
    assert_eq!(world.paths().last().unwrap().remote, moved);
}
