use crate::common::World;
use crate::common::dtls::{CM32, CM80, DtlsClient, GCM128, GCM256, Options};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use weir_sfu_api::SrtpProfile;

fn chosen(profiles: &[SrtpProtectionProfile]) -> SrtpProfile {
    let client = DtlsClient::new(Options { profiles: profiles.to_vec(), ..Options::default() });
    let mut world = World::new(client);
    world.connect();
    world.assert_media_flows();
    assert_eq!(world.client.errors, [""; 0], "no alert reached the client");
    world.connected_with().unwrap()
}

#[test]
fn the_order_of_the_client_does_not_matter() {
    assert_eq!(chosen(&[CM80, GCM256, GCM128]), SrtpProfile::AeadAes128Gcm, "Chromium");
    assert_eq!(chosen(&[GCM128, GCM256, CM80, CM32]), SrtpProfile::AeadAes128Gcm, "Firefox");
    assert_eq!(chosen(&[CM32, CM80, GCM256]), SrtpProfile::AeadAes256Gcm);
    assert_eq!(chosen(&[CM32, CM80]), SrtpProfile::Aes128CmHmacSha1_80);
    assert_eq!(chosen(&[CM32]), SrtpProfile::Aes128CmHmacSha1_32);
}

#[test]
fn a_client_without_srtp_is_refused() {
    let mut world =
        World::new(DtlsClient::new(Options { profiles: Vec::new(), ..Options::default() }));
    world.connect();
    assert_eq!(world.failure(), Some("no SRTP profile negotiated"));
}
