//! STUN: what was read is written and read again.

use std::hint::black_box;
use std::net::SocketAddr;
use weir_wire::stun::{StunClass, StunMessage, StunWriter, attr};

/// No HMAC, but a value that depends on every byte.
fn mac(input: &[u8]) -> [u8; 20] {
    let mut out = [0x5a_u8; 20];
    for (at, byte) in input.iter().enumerate() {
        out[at % 20] = out[at % 20].rotate_left(3) ^ byte;
    }
    out
}

pub(super) fn check(data: &[u8]) {
    let Ok(message) = StunMessage::parse(data) else { return };
    black_box((message.method(), message.error_code(), message.nomination()));
    black_box((message.username(), message.software(), message.use_candidate()));
    black_box((message.fingerprint_ok(), message.unknown_required().count()));
    let mut input = Vec::new();
    message.integrity_input(&mut input);
    assert_eq!(message.message_integrity().is_none(), input.is_empty());

    let id = message.transaction_id();
    let mut writer = match message.class() {
        StunClass::Request => StunWriter::binding_request(id),
        StunClass::Indication => StunWriter::binding_indication(id),
        StunClass::Success => StunWriter::binding_success(id),
        StunClass::Error => StunWriter::binding_error(id, 487, "Role Conflict"),
    };
    let ours = |kind: u16| matches!(kind, attr::MESSAGE_INTEGRITY | attr::FINGERPRINT);
    let added: Vec<_> = message
        .attributes()
        .filter(|attribute| !ours(attribute.kind))
        .map(|attribute| (attribute.kind, attribute.value))
        .collect();
    if added.iter().map(|(_, value)| value.len() + 8).sum::<usize>() > 15_000 {
        return;
    }
    for (kind, value) in &added {
        writer.attribute(*kind, value);
    }
    let address = message.xor_mapped_address();
    if let Some(address) = address {
        writer.xor_mapped_address(address);
    }
    let bytes = writer.finish(Some(&mac));
    let again = StunMessage::parse(&bytes).expect("a written message is one");
    assert_eq!((again.class(), again.transaction_id()), (message.class(), id));
    assert_eq!(again.fingerprint_ok(), Some(true));
    again.integrity_input(&mut input);
    assert_eq!(again.message_integrity().map(|(_, found)| found), Some(mac(&input)));
    let skipped = usize::from(message.class() == StunClass::Error);
    let kept = again.attributes().filter(|attribute| !ours(attribute.kind)).skip(skipped);
    let kept: Vec<_> = kept.map(|attribute| (attribute.kind, attribute.value)).collect();
    assert_eq!(kept[..added.len()], added);
    if let Some(address) = address {
        let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
        let value = again.attributes().filter(|a| a.kind == attr::XOR_MAPPED_ADDRESS).last();
        let mut alone = StunWriter::binding_success(id);
        alone.attribute(attr::XOR_MAPPED_ADDRESS, value.expect("it was added").value);
        let bytes = alone.finish(None);
        let alone = StunMessage::parse(&bytes).expect("a written message is one");
        assert_eq!(alone.xor_mapped_address(), Some(canonical));
    }
}
