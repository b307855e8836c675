//! Padding that shows whether a path carries more: packets without payload on RTX SSRCs, where they
//! touch no number of the media.

use crate::counters::{add, bump};
use crate::egress::train::Exit;
use crate::peer::Peer;
use weir_bwe::Probe;
use weir_session::Path;
use weir_wire::ext::transport_cc_bytes;
use weir_wire::rtp::{FixedHeader, set_padding_bit, write_header};

/// Padding of one packet: its length is a byte (RFC 3550 5.1).
const MOST: u8 = 255;
/// Bytes of a header with one extension.
const HEADER_BYTES: usize = 32;

/// Sends what is left of a probe's portion as padding, where a slot can carry it.
pub(crate) fn fill(peer: &mut Peer, exit: &mut Exit<'_>, path: Path, mut probe: Probe) {
    while probe.bytes > 0 {
        let used = send(peer, exit, path, probe.cluster);
        if used == 0 {
            return;
        }
        probe.bytes = probe.bytes.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
    }
}

/// One packet of padding; gives its bytes, 0 where no slot can carry it.
fn send(peer: &mut Peer, exit: &mut Exit<'_>, path: Path, cluster: u8) -> usize {
    let slot = peer.slots.iter_mut().find_map(|slot| {
        let payload_type = slot.padding_type()?;
        Some((slot.last_sent().map_or(0, |last| last.timestamp), payload_type, slot))
    });
    let (Some((timestamp, payload_type, slot)), Some(transport)) = (slot, peer.transport.as_ref())
    else {
        return 0;
    };
    let Some((id, number)) = peer.leg.next_number(&slot.section) else { return 0 };
    slot.rtx_seq = slot.rtx_seq.wrapping_add(1);
    let fixed = FixedHeader {
        marker: false,
        payload_type,
        sequence_number: slot.rtx_seq as u16,
        timestamp,
        ssrc: slot.rtx_ssrc,
    };
    let mut header = [0; HEADER_BYTES];
    let wide = transport_cc_bytes(number);
    let Some(len) = write_header(&mut header, &fixed, &[(id, &wide)]) else { return 0 };
    set_padding_bit(&mut header, true);
    let header = header.get(..len).unwrap_or_default();
    let plain = len.saturating_add(usize::from(MOST));
    let most = plain.saturating_add(transport.sealed_overhead());
    let index = slot.rtx_seq;
    let used = exit.out.push_with(path.remote, path.local, most, true, |buffer| {
        transport.seal_rtp(index, header, [&[], &[]], MOST, buffer).unwrap_or(0)
    });
    if used == 0 {
        return 0;
    }
    peer.leg.sent(exit.now, Some((id, number)), used, cluster, false);
    bump(&mut exit.counters.rtp_out);
    bump(&mut exit.counters.probe_packets);
    bump(&mut peer.counters.packets_sent);
    add(&mut peer.counters.bytes_sent, plain);
    add(&mut peer.counters.probed, plain);
    used
}
