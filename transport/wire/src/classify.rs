//! Which protocol a datagram belongs to (RFC 7983 section 7, RFC 5761 section 4).

/// The protocols that share one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatagramKind {
    /// First byte 0 to 3.
    Stun,
    /// First byte 20 to 63.
    Dtls,
    /// First byte 128 to 191, second not in 192 to 223.
    Rtp,
    /// First byte 128 to 191, second 192 to 223.
    Rtcp,
    /// Anything else; to be dropped and counted.
    Unknown,
}

/// Classifies a datagram by its first two bytes. Says nothing about its validity.
#[must_use]
pub fn classify(datagram: &[u8]) -> DatagramKind {
    match datagram {
        [0..=3, ..] => DatagramKind::Stun,
        [20..=63, ..] => DatagramKind::Dtls,
        [128..=191, 192..=223, ..] => DatagramKind::Rtcp,
        [128..=191, _, ..] => DatagramKind::Rtp,
        _ => DatagramKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_decides_and_the_second_tells_rtcp() {
        for first in 0..=255_u8 {
            let expected = match first {
                0..=3 => DatagramKind::Stun,
                20..=63 => DatagramKind::Dtls,
                128..=191 => DatagramKind::Rtp,
                _ => DatagramKind::Unknown,
            };
            assert_eq!(classify(&[first, 96, 0, 0]), expected, "{first}");
        }
        for second in 0..=255_u8 {
            let rtcp = (192..=223).contains(&second);
            let expected = if rtcp { DatagramKind::Rtcp } else { DatagramKind::Rtp };
            assert_eq!(classify(&[0x80, second]), expected, "{second}");
        }
        assert_eq!(classify(&[]), DatagramKind::Unknown);
        assert_eq!(classify(&[0x80]), DatagramKind::Unknown);
    }
}
