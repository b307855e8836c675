use crate::common::dtls::{CM80, DtlsClient, GCM256, Options};
use crate::common::{Way, World};
use weir_sfu_api::SrtpProfile;

#[test]
fn fragments_in_many_datagrams_make_one_hello_for_each_profile_tried() {
    for mtu in [40, 100, 300] {
        let profiles = vec![CM80];
        let mut world =
            World::new(DtlsClient::new(Options { mtu, profiles, ..Options::default() }));
        world.connect();
        assert_eq!(world.connected_with(), Some(SrtpProfile::Aes128CmHmacSha1_80));
        world.assert_media_flows();
    }
}

/// As Chromium's on a bad path: the second half of the hello is lost the first time.
#[test]
fn a_lost_fragment_is_made_good_by_the_repetition() {
    let profiles = vec![CM80, GCM256];
    let client = DtlsClient::new(Options { mtu: 60, profiles, ..Options::default() });
    let mut world = World::new(client);
    world.check(world.src);
    world.client.start(world.now);
    let mut seen = 0;
    world.run(std::time::Duration::from_secs(9), |way, _| {
        seen += usize::from(way == Way::ToServer);
        way == Way::ToClient || seen != 2
    });
    assert_eq!(world.connected_with(), Some(SrtpProfile::AeadAes256Gcm));
}
