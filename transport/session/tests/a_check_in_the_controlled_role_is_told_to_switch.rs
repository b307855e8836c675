use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr, server_ice, stun};
use weir_wire::stun::StunClass;

/// RFC 8445 7.3.1.1; we are lite and so controlled, whatever the tie-breakers.
#[test]
fn a_role_conflict_is_answered_with_487() {
    for tie_breaker in [0, u64::MAX] {
        let mut world = World::new(DtlsClient::new(Options::default()));
        let request = stun::check(&server_ice(), "clnt")
            .with(|writer| {
                writer.ice_controlled(tie_breaker);
            })
            .finish();
        let outcome = world.stun(addr(1), &request).unwrap();
        assert!(!outcome.address_validated);
        world.drain();
        let (_, answer) = world.stun_answers.pop().unwrap();
        let message = stun::authentic(&answer, &server_ice().pwd);
        assert_eq!(message.class(), StunClass::Error);
        assert_eq!(message.error_code().unwrap().0, 487);
        assert_eq!(world.server.path(), None);
    }
}
