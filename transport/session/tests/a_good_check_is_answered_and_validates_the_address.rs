use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr, server_ice, stun};
use weir_session::Path;
use weir_wire::stun::StunClass;

#[test]
fn the_answer_names_the_address_and_is_signed_with_our_password() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    for (src, new) in
        [(addr(1), true), (addr(1), false), ("[2001:db8::5]:9".parse().unwrap(), true)]
    {
        let outcome = world.check(src);
        assert_eq!(outcome.address_validated, new);
        world.drain();
        let (dst, answer) = world.stun_answers.pop().unwrap();
        assert_eq!(dst, src);
        let message = stun::authentic(&answer, &server_ice().pwd);
        assert_eq!(message.class(), StunClass::Success);
        assert_eq!(message.xor_mapped_address(), Some(src));
    }
    assert_eq!(world.server.path(), Some(Path { remote: addr(1), local: None }));
    assert_eq!(world.paths(), [Path { remote: addr(1), local: None }]);
}

#[test]
fn an_indication_is_taken_silently() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let indication = weir_wire::stun::StunWriter::binding_indication(*b"transaction!").finish(None);
    let outcome = world.stun(addr(1), &indication).unwrap();
    assert!(!outcome.address_validated);
    world.drain();
    assert!(world.stun_answers.is_empty());
}

#[test]
fn the_answer_leaves_from_the_address_that_was_asked() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    let local = Some("203.0.113.4".parse().unwrap());
    let request = stun::check(&server_ice(), "clnt").finish();
    world.server.handle_stun(world.now, addr(1), local, &request).unwrap();
    let Some(weir_session::Output::Transmit { src, .. }) = world.server.poll_output() else {
        panic!("no answer");
    };
    assert_eq!(src, local);
    assert_eq!(world.server.path(), Some(Path { remote: addr(1), local }));
}
