use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr, server_ice, stun};
use std::time::Duration;
use weir_session::{Drop, StunOutcome};

#[test]
fn a_replay_from_elsewhere_moves_no_media() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let recorded = stun::check(&server_ice(), "clnt").nominate(1_000).finish();
    world.stun(addr(4000), &recorded).unwrap();
    world.connect();
    world.now += Duration::from_secs(5);
    assert_eq!(world.stun(addr(6666), &recorded), Err(Drop::StunReplayed));
    assert_eq!(world.server.path().unwrap().remote, addr(4000));
    world.drain();
    assert!(world.stun_answers.iter().all(|(to, _)| *to == addr(4000)));
}

#[test]
fn a_repeated_check_is_answered_but_keeps_no_consent() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let check = stun::check(&server_ice(), "clnt").finish();
    world.stun(addr(4000), &check).unwrap();
    let deadline = world.server.poll_timeout();
    world.now += Duration::from_secs(1);
    assert_eq!(world.stun(addr(4000), &check), Ok(StunOutcome::default()));
    assert_eq!(world.server.poll_timeout(), deadline);
    world.drain();
    assert_eq!(world.stun_answers.len(), 2);
}
