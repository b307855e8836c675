use super::*;

/// RFC 5769 section 2.1; the password is VOkJxbRl1RmTxUk/WvJxBt.
const REQUEST: &[u8] =
    b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x10STUN test client\
\x00\x24\x00\x04\x6e\x00\x01\xff\
\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
\x00\x06\x00\x09evtj:h6vY\x20\x20\x20\
\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

/// RFC 5769 section 2.2.
const RESPONSE_V4: &[u8] =
    b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x0btest vector\x20\
\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
\x80\x28\x00\x04\xc0\x7d\x4c\x96";

/// RFC 5769 section 2.3.
const RESPONSE_V6: &[u8] =
    b"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
\x80\x22\x00\x0btest vector\x20\
\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9\
\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41\
\x80\x28\x00\x04\xc8\xfb\x0b\x4c";

const ID: [u8; 12] = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

#[test]
fn the_request_of_rfc_5769() {
    let m = StunMessage::parse(REQUEST).unwrap();
    assert_eq!((m.class(), m.method(), m.transaction_id()), (StunClass::Request, BINDING, ID));
    assert_eq!(m.username(), Some("evtj:h6vY"));
    assert_eq!(m.software(), Some("STUN test client"));
    assert_eq!(m.priority(), Some(0x6e00_01ff));
    assert_eq!(m.ice_controlled(), Some(0x932f_f9b1_5126_3b36));
    assert_eq!(m.ice_controlling(), None);
    assert!(!m.use_candidate());
    assert_eq!(m.fingerprint_ok(), Some(true));
    assert_eq!(m.unknown_required().count(), 0);
    let (range, mac) = m.message_integrity().unwrap();
    assert_eq!(range, 0..REQUEST.len() - 32);
    assert_eq!(mac, REQUEST[REQUEST.len() - 28..REQUEST.len() - 8]);
    let mut input = vec![1, 2, 3];
    m.integrity_input(&mut input);
    assert_eq!(input[..4], [0, 1, 0, 0x50]);
    assert_eq!(input[4..], REQUEST[4..range.end]);
}

#[test]
fn the_responses_of_rfc_5769() {
    let v4 = StunMessage::parse(RESPONSE_V4).unwrap();
    assert_eq!((v4.class(), v4.fingerprint_ok()), (StunClass::Success, Some(true)));
    assert_eq!(v4.xor_mapped_address(), Some("192.0.2.1:32853".parse().unwrap()));
    let v6 = StunMessage::parse(RESPONSE_V6).unwrap();
    let address = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
    assert_eq!((v6.xor_mapped_address(), v6.fingerprint_ok()), (Some(address), Some(true)));
    for address in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
        let mut w = StunWriter::binding_success(ID);
        w.software("test vector").xor_mapped_address(address.parse().unwrap());
        let bytes = w.finish(None);
        let m = StunMessage::parse(&bytes).unwrap();
        assert_eq!(m.xor_mapped_address(), Some(address.parse().unwrap()));
        assert!(m.message_integrity().is_none());
        assert_eq!(m.fingerprint_ok(), Some(true));
    }
    let mut w = StunWriter::binding_success(ID);
    w.xor_mapped_address("[::ffff:192.0.2.1]:32853".parse().unwrap());
    assert_eq!(w.finish(None)[20..32], RESPONSE_V4[36..48]);
}

#[test]
fn a_request_reads_back_and_its_integrity_covers_what_was_sealed() {
    let sealed = std::cell::RefCell::new(Vec::new());
    let hmac = |bytes: &[u8]| {
        *sealed.borrow_mut() = bytes.to_vec();
        [7; 20]
    };
    let mut w = StunWriter::binding_request([9; 12]);
    w.username("abcd:wxyz1").priority(1).use_candidate().ice_controlling(2).nomination(3);
    let bytes = w.finish(Some(&hmac));
    let m = StunMessage::parse(&bytes).unwrap();
    assert_eq!(m.username(), Some("abcd:wxyz1"));
    assert_eq!((m.priority(), m.ice_controlling(), m.nomination()), (Some(1), Some(2), Some(3)));
    assert!(m.use_candidate());
    let mut input = Vec::new();
    m.integrity_input(&mut input);
    assert_eq!(input, *sealed.borrow());
    assert_eq!(m.message_integrity().unwrap().1, [7; 20]);
    assert_eq!(m.fingerprint_ok(), Some(true));
    let mut broken = bytes.clone();
    broken[30] ^= 1;
    assert_eq!(StunMessage::parse(&broken).unwrap().fingerprint_ok(), Some(false));
}

#[test]
fn errors_and_unknown_attributes() {
    let mut w = StunWriter::binding_request(ID);
    w.attribute(0x0033, b"abc").attribute(0x8033, b"").attribute(0x7fff, b"");
    let request = w.finish(None);
    let m = StunMessage::parse(&request).unwrap();
    let unknown: Vec<_> = m.unknown_required().collect();
    assert_eq!(unknown, [0x0033, 0x7fff]);
    let mut w = StunWriter::binding_error(ID, 420, "Unknown Attribute");
    w.unknown_attributes(&unknown);
    let bytes = w.finish(None);
    let m = StunMessage::parse(&bytes).unwrap();
    assert_eq!((m.class(), m.error_code()), (StunClass::Error, Some((420, "Unknown Attribute"))));
    assert_eq!(m.attribute(attr::UNKNOWN_ATTRIBUTES), Some(&[0, 0x33, 0x7f, 0xff][..]));
    for code in [400, 401, 487] {
        let bytes = StunWriter::binding_error(ID, code, "").finish(None);
        let m = StunMessage::parse(&bytes).unwrap();
        assert_eq!(m.error_code(), Some((code, "")));
    }
    let bytes = StunWriter::binding_indication(ID).finish(None);
    assert_eq!(StunMessage::parse(&bytes).unwrap().class(), StunClass::Indication);
}

#[test]
fn what_follows_message_integrity_is_not_believed() {
    let mut w = StunWriter::binding_request(ID);
    w.username("a:b").attribute(attr::MESSAGE_INTEGRITY, &[1; 20]).use_candidate().priority(9);
    w.attribute(0x0033, b"x").attribute(attr::MESSAGE_INTEGRITY, &[2; 20]);
    let bytes = w.finish(None);
    let m = StunMessage::parse(&bytes).unwrap();
    assert!(!m.use_candidate());
    assert_eq!((m.priority(), m.unknown_required().count()), (None, 0));
    assert_eq!(m.message_integrity(), Some((0..28, [1; 20])));
    assert_eq!(m.fingerprint_ok(), Some(true));
    assert_eq!(m.attributes().count(), 3);
    let mut input = Vec::new();
    m.integrity_input(&mut input);
    assert_eq!(input[2..4], [0, 32]);
}

#[test]
fn malformed_messages_are_refused() {
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = REQUEST.to_vec();
        change(&mut bytes);
        StunMessage::parse(&bytes).unwrap_err().what
    };
    assert_eq!(refused(&|b| b.truncate(19)), "STUN transaction id");
    assert_eq!(refused(&|b| b[0] = 0x40), "STUN message type");
    assert_eq!(refused(&|b| b[4] = 0), "STUN magic cookie");
    assert_eq!(refused(&|b| b[3] -= 1), "STUN message length");
    assert_eq!(refused(&|b| b.push(0)), "STUN message length");
    assert_eq!(refused(&|b| b[23] = 200), "STUN attribute length");
    assert_eq!(refused(&|b| b[79] = 16), "STUN attribute length");
    assert_eq!(
        refused(&|b| {
            b.extend([0x80, 0x22, 0, 0]);
            b[3] += 4;
        }),
        "STUN attribute after FINGERPRINT"
    );
    let mut short_address = StunWriter::binding_success(ID);
    short_address.attribute(attr::XOR_MAPPED_ADDRESS, &[0, 1, 0, 0, 1, 2, 3]);
    let bytes = short_address.finish(None);
    assert_eq!(StunMessage::parse(&bytes).unwrap().xor_mapped_address(), None);
}

#[test]
fn crc32_of_the_check_string() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}
