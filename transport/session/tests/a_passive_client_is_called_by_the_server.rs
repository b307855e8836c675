use crate::common::World;
use crate::common::dtls::{CM80, DtlsClient, GCM128, Options};
use weir_sfu_api::{DtlsSetup, SrtpProfile};

#[test]
fn the_handshake_starts_with_the_first_authenticated_address() {
    let client = DtlsClient::new(Options { is_client: false, ..Options::default() });
    let mut world = World::new(client);
    assert_eq!(world.server.setup(), DtlsSetup::Active);
    world.drain();
    assert!(world.sent_to.is_empty());
    world.connect();
    assert_eq!(world.connected_with(), Some(SrtpProfile::AeadAes128Gcm), "our order");
    world.assert_media_flows();
}

#[test]
fn the_profile_is_one_the_client_has() {
    for (profile, expected) in
        [(CM80, SrtpProfile::Aes128CmHmacSha1_80), (GCM128, SrtpProfile::AeadAes128Gcm)]
    {
        let profiles = vec![profile];
        let options = Options { is_client: false, profiles, ..Options::default() };
        let mut world = World::new(DtlsClient::new(options));
        world.connect();
        assert_eq!(world.connected_with(), Some(expected));
    }
}
