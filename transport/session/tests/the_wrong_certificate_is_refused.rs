use crate::common::World;
use crate::common::dtls::{DtlsClient, Options};
use weir_sfu_api::{Fingerprint, HashAlgorithm};

fn refused(is_client: bool, fingerprint: impl Fn(&[u8]) -> Fingerprint) {
    let client = DtlsClient::new(Options { is_client, ..Options::default() });
    let announced = vec![fingerprint(&client.certificate_der)];
    let mut world = World::announcing(client, announced);
    world.connect();
    assert!(world.failure().is_some());
    assert_eq!(world.connected_with(), None);
    assert!(!world.server.is_connected());
    assert_eq!(world.server.profile(), None);
}

#[test]
fn in_either_role() {
    for is_client in [true, false] {
        refused(is_client, |_| Fingerprint {
            algorithm: HashAlgorithm::Sha256,
            value: vec![7; 32],
        });
    }
}

#[test]
fn also_when_only_sha1_vouches_for_it() {
    refused(true, |der| Fingerprint {
        algorithm: HashAlgorithm::Sha1,
        value: aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der)
            .as_ref()
            .to_vec(),
    });
}
