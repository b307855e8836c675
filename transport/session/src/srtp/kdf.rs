//! Session keys from a master key (RFC 3711 4.3, RFC 7714 11).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

/// What a derived key is for (RFC 3711 4.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Fills `out` with key stream of the AES-CM pseudo-random function, key derivation rate 0.
/// `salt` is 14 bytes for AES-CM and 12 for GCM, which counts as padded with zeros on the right.
/// `None` when the key is neither 16 nor 32 bytes or the salt longer than 14.
pub(crate) fn derive(master_key: &[u8], salt: &[u8], label: Label, out: &mut [u8]) -> Option<()> {
    let algorithm = match master_key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    if salt.len() > 14 {
        return None;
    }
    let mut iv = [0u8; 16];
    for (to, from) in iv.iter_mut().zip(salt) {
        *to = *from;
    }
    // key_id = label || index / rate with index 0: the label stands in front of 48 zero bits, and
    // the whole is the low end of 112 bits.
    if let Some(byte) = iv.get_mut(7) {
        *byte ^= label as u8;
    }
    let key = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, master_key).ok()?).ok()?;
    out.fill(0);
    key.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::testing::hex;

    /// RFC 3711 B.3.
    #[test]
    fn derives_the_keys_of_rfc_3711_appendix_b3() {
        let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let mut cipher = [0; 16];
        derive(&key, &salt, Label::RtpEncryption, &mut cipher).unwrap();
        assert_eq!(cipher.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        let mut session_salt = [0; 14];
        derive(&key, &salt, Label::RtpSalt, &mut session_salt).unwrap();
        assert_eq!(session_salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        let mut auth = [0; 94];
        derive(&key, &salt, Label::RtpAuthentication, &mut auth).unwrap();
        assert_eq!(
            auth.to_vec(),
            hex("CEBE321F6FF7716B6FD4AB49AF256A15\
                 6D38BAA48F0A0ACF3C34E2359E6CDBCE\
                 E049646C43D9327AD175578EF7227098\
                 6371C10C9A369AC2F94A8C5FBCDDDC25\
                 6D6E919A48B610EF17C2041E47403576\
                 6B68642C59BBFC2F34DB60DBDFB2")
        );
    }

    #[test]
    fn refuses_other_key_and_salt_lengths() {
        assert!(derive(&[0; 15], &[0; 14], Label::RtpSalt, &mut [0; 14]).is_none());
        assert!(derive(&[0; 16], &[0; 15], Label::RtpSalt, &mut [0; 14]).is_none());
    }
}
