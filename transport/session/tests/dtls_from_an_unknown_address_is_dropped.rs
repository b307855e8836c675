use crate::common::dtls::{DtlsClient, Options};
use crate::common::{World, addr};
use weir_session::Drop;

#[test]
fn a_client_hello_before_any_check_leaves_no_state() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.client.start(world.now);
    world.step(&mut |_, _| true);
    assert_eq!(world.drops, [Drop::Unauthenticated]);
    world.check(addr(9));
    world.client.handle_timeout(world.client.timeout().unwrap());
    world.step(&mut |_, _| true);
    assert_eq!(world.drops, [Drop::Unauthenticated; 2], "checked from elsewhere");
    assert!(world.sent_to.is_empty());
}
