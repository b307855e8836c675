//! What a datagram of DTLS records is, before rtc-dtls sees it.
//!
//! rtc-dtls answers nonsense with a fatal alert and ends the handshake; here nonsense is dropped
//! (RFC 6347 4.1.2.7) and repetitions of an answered flight are told apart from new ones.

use weir_wire::dtls::{HANDSHAKE, handshake_header, records};

use crate::error::Drop;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
const HANDSHAKE_HEADER_LEN: usize = 12;
/// The longest message taken: a certificate chain.
const MAX_MESSAGE_LEN: u32 = 16 * 1024;
/// How far ahead of the expected message number one may be: the longest flight has 6.
const MAX_AHEAD: u16 = 12;

/// Where the handshake stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// We are the server and wait for a ClientHello, the first or the one with our cookie.
    Listening,
    /// Handshake under way.
    Handshaking,
    /// Handshake complete.
    Connected,
}

/// What a datagram holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Inspection {
    /// Highest number of an unencrypted handshake message.
    pub(super) highest: Option<u16>,
    /// Nothing but unencrypted handshake messages below the expected number.
    pub(super) old: bool,
    /// An unencrypted warning other than close_notify.
    pub(super) warning: bool,
    /// There is an encrypted record.
    pub(super) protected: bool,
}

/// Checks a datagram. `expected` is the number of the peer's next handshake message.
pub(super) fn inspect(
    datagram: &[u8],
    server: bool,
    stage: Stage,
    expected: u16,
) -> Result<Inspection, Drop> {
    let mut found = Inspection { old: true, ..Inspection::default() };
    let mut any = false;
    for record in records(datagram) {
        let record = record.map_err(|_| Drop::DtlsMalformed)?;
        any = true;
        if !matches!(record.version, 0xfefd | 0xfeff) || record.fragment.is_empty() {
            return Err(Drop::DtlsMalformed);
        }
        if stage == Stage::Listening && (record.epoch, record.content_type) != (0, HANDSHAKE) {
            return Err(Drop::DtlsMalformed);
        }
        match (record.epoch, record.content_type) {
            (0, HANDSHAKE) => {
                handshake(record.fragment, server, stage, expected, &mut found)?;
            }
            (0, CHANGE_CIPHER_SPEC) if record.fragment == [1] => found.old = false,
            (0, ALERT) if stage == Stage::Handshaking && matches!(record.fragment, [1 | 2, _]) => {
                found.old = false;
                found.warning = matches!(record.fragment, [1, what] if *what != 0);
            }
            (1, CHANGE_CIPHER_SPEC..=APPLICATION_DATA) => {
                found.old = false;
                found.protected = true;
            }
            _ => return Err(Drop::DtlsMalformed),
        }
    }
    if any { Ok(found) } else { Err(Drop::DtlsMalformed) }
}

/// The messages, or parts of messages, of one unencrypted handshake record.
fn handshake(
    mut rest: &[u8],
    server: bool,
    stage: Stage,
    expected: u16,
    found: &mut Inspection,
) -> Result<(), Drop> {
    while !rest.is_empty() {
        let header = handshake_header(rest).ok_or(Drop::DtlsMalformed)?;
        let known = match (server, stage) {
            (true, Stage::Listening) => header.message_type == 1,
            (true, _) => matches!(header.message_type, 1 | 11 | 15 | 16),
            (false, _) => matches!(header.message_type, 2 | 3 | 11 | 12 | 13 | 14),
        };
        let end = header.fragment_offset.saturating_add(header.fragment_length);
        // A server may not ask for two cookies, so numbers stay close together.
        let near = header.message_seq < expected.saturating_add(MAX_AHEAD);
        if !known || !near || header.length > MAX_MESSAGE_LEN || end > header.length {
            return Err(Drop::DtlsMalformed);
        }
        // rtc-dtls takes an empty part of a message for its end.
        if header.fragment_length == 0 && header.length != 0 {
            return Err(Drop::DtlsMalformed);
        }
        let len = usize::try_from(header.fragment_length).map_err(|_| Drop::DtlsMalformed)?;
        rest = rest.get(HANDSHAKE_HEADER_LEN.saturating_add(len)..).ok_or(Drop::DtlsMalformed)?;
        found.old &= header.message_seq < expected;
        found.highest = found.highest.max(Some(header.message_seq));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content_type: u8, epoch: u8, fragment: &[u8]) -> Vec<u8> {
        let mut bytes = vec![content_type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0];
        bytes.extend((fragment.len() as u16).to_be_bytes());
        bytes.extend(fragment);
        bytes
    }

    fn message(kind: u8, seq: u8, len: u8) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, len, 0, seq, 0, 0, 0, 0, 0, len];
        bytes.extend(vec![7; usize::from(len)]);
        record(HANDSHAKE, 0, &bytes)
    }

    #[test]
    fn a_listening_server_takes_client_hellos_only() {
        let look = |bytes: &[u8]| inspect(bytes, true, Stage::Listening, 0);
        assert_eq!(look(&message(1, 0, 40)).unwrap().highest, Some(0));
        assert_eq!(look(&message(2, 0, 40)), Err(Drop::DtlsMalformed));
        assert_eq!(look(&message(1, 200, 40)), Err(Drop::DtlsMalformed));
        assert_eq!(look(&record(ALERT, 0, &[2, 40])), Err(Drop::DtlsMalformed));
        assert_eq!(look(&record(APPLICATION_DATA, 0, &[1])), Err(Drop::DtlsMalformed));
        assert_eq!(look(&record(HANDSHAKE, 1, &[1; 30])), Err(Drop::DtlsMalformed));
        assert_eq!(look(&[]), Err(Drop::DtlsMalformed));
        assert_eq!(look(&[22; 30]), Err(Drop::DtlsMalformed));
    }

    #[test]
    fn a_flight_below_the_expected_number_is_old() {
        let look = |bytes: &[u8]| inspect(bytes, true, Stage::Handshaking, 2).unwrap();
        assert!(look(&message(1, 1, 40)).old);
        assert!(!look(&message(16, 2, 40)).old);
        let mut both = message(1, 1, 40);
        both.extend(message(11, 2, 40));
        assert!(!look(&both).old);
        both = message(1, 1, 40);
        both.extend(record(CHANGE_CIPHER_SPEC, 0, &[1]));
        assert!(!look(&both).old);
        assert!(look(&record(ALERT, 0, &[1, 90])).warning);
        assert!(!look(&record(ALERT, 0, &[2, 40])).warning);
    }

    #[test]
    fn fragments_must_lie_in_their_message_and_in_their_record() {
        let look =
            |fragment: &[u8]| inspect(&record(HANDSHAKE, 0, fragment), true, Stage::Handshaking, 0);
        assert!(look(&[1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 1, 1, 1, 1]).is_ok());
        assert!(look(&[1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 1, 1, 1]).is_err());
        assert!(look(&[1, 0, 0, 4, 0, 0, 0, 0, 3, 0, 0, 2, 1, 1]).is_err());
        assert!(look(&[1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(look(&[1, 9, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1]).is_err());
    }
}
