use crate::common::World;
use crate::common::dtls::{DtlsClient, Options};
use aws_lc_rs::digest;
use weir_sfu_api::{Fingerprint, HashAlgorithm};

#[test]
fn the_last_of_three_with_another_hash() {
    let client = DtlsClient::new(Options::default());
    let der = client.certificate_der.clone();
    let announced = vec![
        Fingerprint { algorithm: HashAlgorithm::Sha1, value: vec![1; 20] },
        Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![2; 32] },
        Fingerprint {
            algorithm: HashAlgorithm::Sha512,
            value: digest::digest(&digest::SHA512, &der).as_ref().to_vec(),
        },
    ];
    let mut world = World::announcing(client, announced);
    world.connect();
    assert!(world.connected_with().is_some());
}
