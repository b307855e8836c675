//! DTLS record headers (RFC 6347 section 4.1), as far as a demultiplexer needs them.

use crate::{ParseError, read::Reader};

/// Content type of alerts.
pub const ALERT: u8 = 21;
/// Content type of handshake messages.
pub const HANDSHAKE: u8 = 22;
/// Content type of application data.
pub const APPLICATION_DATA: u8 = 23;

/// Handshake message type of a ClientHello.
const CLIENT_HELLO: u8 = 1;
const HEADER_LEN: usize = 13;

/// One record: its header and its (perhaps encrypted) fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Content type, see the constants of this module.
    pub content_type: u8,
    /// Protocol version on the wire: 0xfeff for DTLS 1.0, 0xfefd for 1.2.
    pub version: u16,
    /// 0 before encryption starts.
    pub epoch: u16,
    /// 48-bit sequence number within the epoch.
    pub sequence_number: u64,
    /// Fragment; its length was checked against the datagram.
    pub fragment: &'a [u8],
}

/// Iterator made by [`records`].
#[derive(Debug, Clone)]
pub struct Records<'a> {
    reader: Reader<'a>,
    failed: bool,
}

/// The records of a datagram. The first error ends it; DTLS 1.3's short record headers (first
/// byte 32 to 63) are such an error.
#[must_use]
pub fn records(datagram: &[u8]) -> Records<'_> {
    Records { reader: Reader::new(datagram), failed: false }
}

impl<'a> Records<'a> {
    fn read(&mut self) -> Result<Record<'a>, ParseError> {
        let at = self.reader.pos();
        let [content_type, v0, v1, e0, e1, s0, s1, s2, s3, s4, s5, l0, l1] =
            self.reader.array::<HEADER_LEN>("DTLS record header")?;
        if !(20..=31).contains(&content_type) {
            return Err(ParseError::new("DTLS content type", at));
        }
        if v0 != 0xfe {
            return Err(ParseError::new("DTLS version", at.saturating_add(1)));
        }
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let fragment = self.reader.take(len, "DTLS record length")?;
        Ok(Record {
            content_type,
            version: u16::from_be_bytes([v0, v1]),
            epoch: u16::from_be_bytes([e0, e1]),
            sequence_number: u64::from_be_bytes([0, 0, s0, s1, s2, s3, s4, s5]),
            fragment,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.reader.is_empty() {
            return None;
        }
        let record = self.read();
        self.failed = record.is_err();
        Some(record)
    }
}

/// Header of a handshake message or of a fragment of one (RFC 6347 section 4.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeHeader {
    /// 1 is ClientHello.
    pub message_type: u8,
    /// Bytes of the whole message, below 2^24.
    pub length: u32,
    /// Number of the message in the handshake.
    pub message_seq: u16,
    /// Where this fragment starts in the message.
    pub fragment_offset: u32,
    /// Bytes of this fragment.
    pub fragment_length: u32,
}

/// Reads the header at the start of an unencrypted handshake record's fragment.
#[must_use]
pub fn handshake_header(fragment: &[u8]) -> Option<HandshakeHeader> {
    let [message_type, l0, l1, l2, s0, s1, o0, o1, o2, f0, f1, f2] =
        *fragment.first_chunk::<12>()?;
    Some(HandshakeHeader {
        message_type,
        length: u32::from_be_bytes([0, l0, l1, l2]),
        message_seq: u16::from_be_bytes([s0, s1]),
        fragment_offset: u32::from_be_bytes([0, o0, o1, o2]),
        fragment_length: u32::from_be_bytes([0, f0, f1, f2]),
    })
}

/// Whether the datagram starts with a ClientHello or a fragment of one, unencrypted.
#[must_use]
pub fn is_client_hello(datagram: &[u8]) -> bool {
    let Some(Ok(record)) = records(datagram).next() else { return false };
    record.content_type == HANDSHAKE
        && record.epoch == 0
        && handshake_header(record.fragment).is_some_and(|h| h.message_type == CLIENT_HELLO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content_type: u8, epoch: u8, fragment: &[u8]) -> Vec<u8> {
        let mut bytes = vec![content_type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 7];
        bytes.extend(u16::try_from(fragment.len()).unwrap().to_be_bytes());
        bytes.extend(fragment);
        bytes
    }

    #[test]
    fn several_records_in_one_datagram() {
        let mut bytes = record(HANDSHAKE, 0, &[1, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(record(APPLICATION_DATA, 1, &[9; 5]));
        let all: Vec<_> = records(&bytes).map(Result::unwrap).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].content_type, all[0].epoch, all[0].sequence_number), (22, 0, 7));
        assert_eq!((all[1].content_type, all[1].epoch, all[1].fragment), (23, 1, &[9_u8; 5][..]));
        assert!(is_client_hello(&bytes));
        assert_eq!(handshake_header(all[0].fragment).unwrap().length, 50);
    }

    #[test]
    fn truncated_and_foreign_records_are_errors_once() {
        let mut bytes = record(HANDSHAKE, 0, &[1; 20]);
        bytes.pop();
        let all: Vec<_> = records(&bytes).collect();
        assert_eq!(all, [Err(ParseError::new("DTLS record length", 13))]);
        assert!(!is_client_hello(&bytes));
        assert!(records(&[0x2f; 40]).next().unwrap().is_err());
        assert!(!is_client_hello(&record(HANDSHAKE, 1, &[1; 20])));
        assert!(!is_client_hello(&record(HANDSHAKE, 0, &[2; 20])));
        assert!(!is_client_hello(&[]));
    }
}
