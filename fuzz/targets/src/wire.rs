//! Wire formats: what is parsed, changed in place or written parses again as the same.

mod dd;
mod payload;
mod rtcp;
mod rtp;
mod stun;

use crate::bytes::Bytes;
use std::hint::black_box;
use weir_wire::{DatagramKind, classify, dtls, ext};

/// Runs the formats on bytes of the network. The first byte chooses: a datagram, a payload
/// descriptor, a dependency descriptor, header extensions to write, feedback to write.
///
/// # Panics
/// When a format does not keep its word.
pub fn wire(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    match choice % 8 {
        0 => datagram(rest),
        1 => payload::vp8(rest),
        2 => payload::vp9(rest),
        3 => payload::others(rest),
        4 => dd::check(&mut Bytes::new(rest)),
        5 => rtp::write(&mut Bytes::new(rest)),
        6 => rtcp::write_feedback(&mut Bytes::new(rest)),
        _ => extensions(rest),
    }
}

fn datagram(data: &[u8]) {
    match classify(data) {
        DatagramKind::Rtp => rtp::check(data),
        DatagramKind::Rtcp => rtcp::check(data),
        DatagramKind::Stun => stun::check(data),
        DatagramKind::Dtls => records(data),
        DatagramKind::Unknown => {
            // Nobody asks for more, but it must be survived.
            rtp::check(data);
            rtcp::check(data);
            stun::check(data);
            records(data);
        }
    }
}

fn records(data: &[u8]) {
    let mut read = 0;
    for record in dtls::records(data).flatten() {
        read += 13 + record.fragment.len();
        assert!(read <= data.len(), "fragments lie within the datagram");
        assert!(record.sequence_number < 1 << 48);
        if let Some(header) = dtls::handshake_header(record.fragment) {
            assert!(
                header.length.max(header.fragment_offset).max(header.fragment_length) < 1 << 24
            );
        }
    }
    if dtls::is_client_hello(data) {
        assert!(read > 0, "a ClientHello is a record");
    }
}

fn extensions(data: &[u8]) {
    if let Some(level) = ext::AudioLevel::read(data) {
        assert_eq!(level.to_bytes()[0], data[0]);
    }
    if let Some(ticks) = ext::read_abs_send_time(data) {
        let again = ext::abs_send_time_from_us(ext::abs_send_time_to_us(ticks));
        // Microseconds are finer than ticks, so rounding down and to nearest gets back.
        assert_eq!(again, ticks);
    }
    black_box((ext::read_transport_cc(data), ext::VideoOrientation::read(data)));
}
