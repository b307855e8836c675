//! ClientHellos put together from their fragments.
//!
//! Browsers' hellos take two datagrams. rtc-dtls answers each part of the second hello with
//! another HelloVerifyRequest, so it gets whole ones only.

use weir_wire::dtls::{HANDSHAKE, handshake_header, records};

use crate::limits::MAX_CLIENT_HELLO_BYTES;

const RECORD_HEADER_LEN: usize = 13;
const MESSAGE_HEADER_LEN: usize = 12;

/// One hello being put together.
#[derive(Default)]
pub(super) struct Assembly {
    message_seq: u16,
    body: Vec<u8>,
    /// Which bytes of `body` have come.
    have: Vec<bool>,
}

impl Assembly {
    /// Takes the hello fragments of a datagram (checked by [`super::records::inspect`]). Returns
    /// a datagram with one whole hello once all its parts have come.
    pub(super) fn push(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let mut whole = None;
        for record in records(datagram).map_while(Result::ok) {
            let mut rest = record.fragment;
            while let Some(header) = handshake_header(rest) {
                let length = usize::try_from(header.length).ok()?;
                let offset = usize::try_from(header.fragment_offset).ok()?;
                let part_len = usize::try_from(header.fragment_length).ok()?;
                let (part, behind) = rest.get(MESSAGE_HEADER_LEN..)?.split_at_checked(part_len)?;
                rest = behind;
                if length > MAX_CLIENT_HELLO_BYTES {
                    continue;
                }
                if header.message_seq != self.message_seq || length != self.body.len() {
                    self.message_seq = header.message_seq;
                    self.body = vec![0; length];
                    self.have = vec![false; length];
                }
                let end = offset.checked_add(part_len)?;
                self.body.get_mut(offset..end)?.copy_from_slice(part);
                self.have.get_mut(offset..end)?.fill(true);
                if self.have.iter().all(|have| *have) {
                    whole = self.datagram(record.version, record.sequence_number);
                }
            }
        }
        whole
    }

    /// A record of epoch 0 with the whole message. The handshake's transcript is over whole
    /// messages in any case (RFC 6347 4.2.6).
    fn datagram(&mut self, version: u16, sequence_number: u64) -> Option<Vec<u8>> {
        let body = std::mem::take(&mut self.body);
        self.have.clear();
        let length = u32::try_from(body.len()).ok()?;
        let record_len = u16::try_from(body.len().checked_add(MESSAGE_HEADER_LEN)?).ok()?;
        let [_, l0, l1, l2] = length.to_be_bytes();
        let [s0, s1] = self.message_seq.to_be_bytes();
        let [_, _, sequence @ ..] = sequence_number.to_be_bytes();
        let mut out = Vec::with_capacity(
            body.len().saturating_add(RECORD_HEADER_LEN).saturating_add(MESSAGE_HEADER_LEN),
        );
        out.push(HANDSHAKE);
        out.extend_from_slice(&version.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&sequence);
        out.extend_from_slice(&record_len.to_be_bytes());
        out.extend_from_slice(&[1, l0, l1, l2, s0, s1, 0, 0, 0, l0, l1, l2]);
        out.extend_from_slice(&body);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(seq: u8, record_seq: u8, offset: u8, body: &[u8], length: u8) -> Vec<u8> {
        let len = body.len() as u8;
        let mut out = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, record_seq, 0, len + 12];
        out.extend([1, 0, 0, length, 0, seq, 0, 0, offset, 0, 0, len]);
        out.extend(body);
        out
    }

    #[test]
    fn parts_in_any_order_and_repeated_make_one_hello() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.push(&part(0, 1, 4, b"efg", 7)), None);
        assert_eq!(assembly.push(&part(0, 2, 4, b"efg", 7)), None);
        let mut both = part(0, 3, 0, b"ab", 7);
        both.extend(part(0, 4, 1, b"bcd", 7));
        assert_eq!(assembly.push(&both), Some(part(0, 4, 0, b"abcdefg", 7)));
        assert_eq!(assembly.push(&part(0, 5, 4, b"efg", 7)), None, "begins anew");
        let whole = part(1, 6, 0, b"whole", 5);
        assert_eq!(assembly.push(&whole), Some(whole));
    }

    #[test]
    fn a_hello_that_is_too_long_is_never_built() {
        let mut assembly = Assembly::default();
        let mut bytes = part(0, 1, 0, b"x", 1);
        bytes[15] = 0x80;
        assert_eq!(assembly.push(&bytes), None);
        assert!(assembly.body.is_empty());
    }
}
