//! The examples of RFC 7714, sections 16 and 17.

use super::*;
use crate::srtp::testing::hex;

const SALT: [u8; 12] = *b"Quid pro quo";
const RTP: &str = "8040f17b 8041f8d3 5501a0b2\
    47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573";

fn rtp(key: &str, sealed: &str) {
    let gcm = Gcm::with_session_key(&hex(key), SALT);
    let plain = hex(RTP);
    let sealed = hex(sealed);
    let mut out = [0; 128];
    let (header, body) = plain.split_at(12);
    let len = gcm.seal_rtp(0x5501_a0b2, 0xf17b, header, [&[], body], &[], &mut out).unwrap();
    assert_eq!(out[..len].to_vec(), sealed);
    let (prefix, rest) = body.split_at(2);
    let len = gcm.seal_rtp(0x5501_a0b2, 0xf17b, header, [prefix, rest], &[], &mut out).unwrap();
    assert_eq!(out[..len].to_vec(), sealed, "with a prefix");
    let len = gcm.open_rtp(0x5501_a0b2, 0xf17b, &sealed, 12, &mut out).unwrap();
    assert_eq!(out[..len].to_vec(), plain);
}

#[test]
fn rtp_with_aead_aes_128_gcm_is_as_in_rfc_7714_16_1() {
    rtp(
        "000102030405060708090a0b0c0d0e0f",
        "8040f17b 8041f8d3 5501a0b2\
         f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833\
         899d7f27 beb16a91 52cf765e e4390cce",
    );
}

#[test]
fn rtp_with_aead_aes_256_gcm_is_as_in_rfc_7714_16_2() {
    rtp(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "8040f17b 8041f8d3 5501a0b2\
         32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b\
         7aa3db36 dfffd6b0 f9bb7878 d7a76c13",
    );
}

#[test]
fn rtcp_with_aead_aes_128_gcm_is_as_in_rfc_7714_17_1() {
    let gcm = Gcm::with_session_key(&hex("000102030405060708090a0b0c0d0e0f"), SALT);
    let plain = hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61\
         deadbeef deadbeef deadbeef deadbeef deadbeef");
    let sealed = hex("81c8000d 4d617273\
         63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46\
         86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4");
    let mut out = [0; 128];
    let len = gcm.seal_rtcp(0x5d4, &plain, &mut out).unwrap();
    assert_eq!(out[..len].to_vec(), sealed);
    let len = gcm.open_rtcp(&sealed, &mut out).unwrap();
    assert_eq!(out[..len].to_vec(), plain);
}
