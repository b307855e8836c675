use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr, server_ice, stun};
use weir_session::Drop;
use weir_sfu_api::IceCredentials;
use weir_wire::stun::{StunClass, StunWriter, attr};

fn dropped(request: &[u8]) -> Drop {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let drop = world.stun(addr(1), request).unwrap_err();
    world.drain();
    assert!(world.stun_answers.is_empty(), "no answer to the unauthenticated");
    assert_eq!(world.server.path(), None);
    drop
}

#[test]
fn wrong_credentials_are_not_answered() {
    let wrong_pwd = IceCredentials { pwd: "another-password-000001".into(), ..server_ice() };
    assert_eq!(dropped(&stun::check(&wrong_pwd, "clnt").finish()), Drop::StunIntegrity);
    let wrong_ufrag = IceCredentials { ufrag: "other".into(), ..server_ice() };
    assert_eq!(dropped(&stun::check(&wrong_ufrag, "clnt").finish()), Drop::StunUsername);
    assert_eq!(dropped(&stun::check(&server_ice(), "who").finish()), Drop::StunUsername);
    assert_eq!(dropped(&stun::check(&server_ice(), "clnt").finish_unsigned()), Drop::StunIntegrity);
    let anonymous = StunWriter::binding_request(*b"transaction!").finish(None);
    assert_eq!(dropped(&anonymous), Drop::StunUsername);
}

#[test]
fn damage_is_seen() {
    let good = stun::check(&server_ice(), "clnt").finish();
    // Behind it is FINGERPRINT, which is checked where present.
    let signed = good.len() - 8;
    for at in 0..good.len() {
        if at < signed {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            dropped(&bad);
        }
        dropped(&good[..at]);
    }
}

#[test]
fn answers_to_checks_we_never_sent_are_dropped() {
    let response = StunWriter::binding_success(*b"transaction!").finish(None);
    assert_eq!(dropped(&response), Drop::StunMalformed);
}

#[test]
fn an_unknown_required_attribute_is_answered_with_420() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let request =
        stun::check(&server_ice(), "clnt").with(|w| drop(w.attribute(0x7abc, b"what"))).finish();
    let outcome = world.stun(addr(1), &request).unwrap();
    assert!(!outcome.address_validated);
    world.drain();
    let (_, answer) = world.stun_answers.pop().unwrap();
    let message = stun::authentic(&answer, &server_ice().pwd);
    assert_eq!(message.class(), StunClass::Error);
    assert_eq!(message.error_code().unwrap().0, 420);
    assert_eq!(message.attribute(attr::UNKNOWN_ATTRIBUTES), Some(&[0x7a, 0xbc][..]));
    assert_eq!(world.server.path(), None);
}

fn drop<T>(_: T) {}
