use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr, client_ice, server_ice, sha256, stun};
use weir_session::{Drop, RestartError};
use weir_sfu_api::{DtlsSetup, IceCredentials, TransportDescription};

fn new_server_ice() -> IceCredentials {
    IceCredentials { ufrag: "srv2".into(), pwd: "the-server-password-0002".into() }
}

fn description(world: &World) -> TransportDescription {
    TransportDescription {
        ice: IceCredentials { ufrag: "cln2".into(), pwd: "the-client-password-0002".into() },
        fingerprints: vec![sha256(&world.client.certificate_der)],
        setup: DtlsSetup::ActPass,
    }
}

#[test]
fn the_old_path_serves_until_the_first_new_check() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    world.assert_media_flows();
    let remote = description(&world);
    world.server.restart(new_server_ice(), &remote, world.now).unwrap();
    assert_eq!(world.server.local_credentials(), &new_server_ice());
    assert!(world.server.is_connected());
    let outcome = world.check(addr(4000));
    assert!(!outcome.restarted, "old credentials still keep consent");
    assert_eq!(world.server.path().unwrap().remote, addr(4000));

    let check = stun::check(&new_server_ice(), "cln2").finish();
    let outcome = world.stun(addr(6000), &check).unwrap();
    assert!(outcome.restarted && outcome.address_validated);
    assert_eq!(world.server.path().unwrap().remote, addr(6000));
    assert_eq!(world.stun(addr(6000), &check).map(|o| o.restarted), Ok(false));

    let old = stun::check(&server_ice(), &client_ice().ufrag).finish();
    assert_eq!(world.stun(addr(4000), &old), Err(Drop::StunUsername));
    assert_eq!(
        world.server.handle_dtls(world.now, addr(4000), &[22; 40]),
        Err(Drop::Unauthenticated)
    );
    world.src = addr(6000);
    world.client.send(world.now, b"still here");
    world.step(&mut |_, _| true);
    assert!(world.drops.is_empty());
    let events = world.events.len();
    assert!(events > 0);
}

#[test]
fn a_restart_with_the_same_address_changes_no_path() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    let paths = world.paths().len();
    let remote = description(&world);
    world.server.restart(new_server_ice(), &remote, world.now).unwrap();
    let check = stun::check(&new_server_ice(), "cln2").finish();
    assert!(world.stun(addr(4000), &check).unwrap().restarted);
    world.drain();
    assert_eq!(world.paths().len(), paths);
}

#[test]
fn another_certificate_or_role_is_refused() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    let good = description(&world);
    let mut other = good.clone();
    other.fingerprints[0].value[0] ^= 1;
    assert_eq!(
        world.server.restart(new_server_ice(), &other, world.now),
        Err(RestartError::FingerprintChanged)
    );
    let passive = TransportDescription { setup: DtlsSetup::Passive, ..good };
    assert_eq!(
        world.server.restart(new_server_ice(), &passive, world.now),
        Err(RestartError::RoleChanged)
    );
    assert_eq!(world.server.local_credentials(), &server_ice());
}
