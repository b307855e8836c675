use crate::common::World;
use crate::common::dtls::{DtlsClient, Options};

#[test]
fn as_dtls_client_and_as_dtls_server() {
    for is_client in [true, false] {
        let client = DtlsClient::new(Options { rsa: true, is_client, ..Options::default() });
        let mut world = World::new(client);
        world.connect();
        assert!(world.connected_with().is_some(), "{:?} {:?}", world.events, world.client.errors);
        world.assert_media_flows();
    }
}
