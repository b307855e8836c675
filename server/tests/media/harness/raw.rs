//! Datagrams written by hand: STUN and the begin of a DTLS handshake.

use aws_lc_rs::hmac;

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// CRC-32 of ISO 3309, as FINGERPRINT wants it.
const CRC_POLYNOMIAL: u32 = 0xedb8_8320;

/// A binding request of a controlling agent (RFC 8445 7.2.2).
pub(crate) struct Check<'a> {
    /// Both halves, for example `server:client`.
    pub(crate) username: &'a str,
    /// The server's password.
    pub(crate) password: &'a str,
    pub(crate) nominate: bool,
    pub(crate) transaction: [u8; 12],
}

impl Check<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 0];
        message.extend(MAGIC_COOKIE);
        message.extend(self.transaction);
        attribute(&mut message, 0x0006, self.username.as_bytes());
        attribute(&mut message, 0x0024, &1_845_501_695_u32.to_be_bytes());
        attribute(&mut message, 0x802a, &7_u64.to_be_bytes());
        if self.nominate {
            attribute(&mut message, 0x0025, &[]);
        }
        // The length covers MESSAGE-INTEGRITY while that is computed, then FINGERPRINT.
        set_length(&mut message, 24);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.password.as_bytes());
        let tag = hmac::sign(&key, &message);
        attribute(&mut message, 0x0008, tag.as_ref());
        set_length(&mut message, 8);
        let sum = crc32(&message) ^ 0x5354_554e;
        attribute(&mut message, 0x8028, &sum.to_be_bytes());
        message
    }
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend((value.len() as u16).to_be_bytes());
    message.extend(value);
    while !message.len().is_multiple_of(4) {
        message.push(0);
    }
    set_length(message, 0);
}

fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() - 20 + more) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { CRC_POLYNOMIAL } else { 0 }
        })
    })
}

/// Is it a success response to that request?
pub(crate) fn is_success(datagram: &[u8], transaction: &[u8; 12]) -> bool {
    datagram.get(..2) == Some(&[1, 1]) && datagram.get(8..20) == Some(transaction)
}

/// A DTLS 1.2 ClientHello in one record, as RFC 6347 4.2 has it, with what a WebRTC client offers.
pub(crate) fn client_hello(random: [u8; 32], cookie: &[u8], sequence: u16) -> Vec<u8> {
    let mut extensions = Vec::new();
    let mut extension = |kind: u16, body: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend((body.len() as u16).to_be_bytes());
        extensions.extend(body);
    };
    // P-256; uncompressed points; ECDSA with SHA-256; use_srtp with GCM128; extended master secret.
    extension(10, &[0, 2, 0, 23]);
    extension(11, &[1, 0]);
    extension(13, &[0, 2, 4, 3]);
    extension(14, &[0, 2, 0, 7, 0]);
    extension(23, &[]);

    let mut body = vec![0xfe, 0xfd];
    body.extend(random);
    body.push(0);
    body.push(cookie.len() as u8);
    body.extend(cookie);
    // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.
    body.extend([0, 2, 0xc0, 0x2b]);
    body.extend([1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);

    let length = (body.len() as u32).to_be_bytes();
    let mut message = vec![1];
    message.extend(&length[1..]);
    message.extend(sequence.to_be_bytes());
    message.extend([0, 0, 0]);
    message.extend(&length[1..]);
    message.extend(body);

    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0];
    record.extend(sequence.to_be_bytes());
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

/// The cookie of a HelloVerifyRequest.
pub(crate) fn cookie(datagram: &[u8]) -> Option<Vec<u8>> {
    let message = datagram.get(13..)?;
    (datagram.first() == Some(&22) && message.first() == Some(&3)).then_some(())?;
    let length = usize::from(*message.get(14)?);
    Some(message.get(15..15 + length)?.to_vec())
}
