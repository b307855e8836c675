//! Step 8 and 9: what waits for one receiver is sealed into its trains.

use crate::counters::{Counters, DropReason, add, bump};
use crate::egress::padding;
use crate::egress::queue::{Item, Lane};
use crate::limits;
use crate::packet::PacketMeta;
use crate::peer::Peer;
use crate::pool::Pool;
use crate::rewrite::Mapped;
use crate::slot::Slot;
use std::ops::Range;
use std::time::Instant;
use weir_session::{Path, PeerTransport};
use weir_sfu_api::{CodecKind, ExtensionKind, MediaKind};
use weir_wire::dd;
use weir_wire::ext::transport_cc_bytes;
use weir_wire::payload::{red, vp8, vp9};
use weir_wire::rtp::{FixedHeader, set_padding_bit, write_header};
use weir_wire::train::{MAX_SEGMENTS, TrainBuf};

/// Bytes of the largest header we write: fixed part and six forwarded extensions.
const HEADER_BYTES: usize = 512;
/// Bytes of the largest payload prefix: RTX number and a rewritten payload descriptor.
const PREFIX_BYTES: usize = 64;
/// Bytes of the largest extension.
const DESCRIPTOR_BYTES: usize = 256;

/// A packet laid out for one receiver, before sealing. Its memory serves one packet after another.
pub(crate) struct Layout {
    header: [u8; HEADER_BYTES],
    header_len: usize,
    prefix: [u8; PREFIX_BYTES],
    prefix_len: usize,
    /// A dependency descriptor that was rewritten.
    descriptor: [u8; DESCRIPTOR_BYTES],
    body_start: usize,
    body_end: usize,
    index: u64,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            header: [0; HEADER_BYTES],
            header_len: 0,
            prefix: [0; PREFIX_BYTES],
            prefix_len: 0,
            descriptor: [0; DESCRIPTOR_BYTES],
            body_start: 0,
            body_end: 0,
            index: 0,
        }
    }
}

impl Layout {
    fn plain_len(&self) -> usize {
        self.header_len
            .saturating_add(self.prefix_len)
            .saturating_add(self.body_end.saturating_sub(self.body_start))
    }
}

/// Where sealed packets go and what is counted of them.
pub(crate) struct Exit<'a> {
    pub(crate) pool: &'a mut Pool,
    pub(crate) out: &'a mut TrainBuf,
    pub(crate) counters: &'a mut Counters,
    pub(crate) layout: &'a mut Layout,
    pub(crate) now: Instant,
}

/// Seals what may leave of the peer's queue: audio, then what was asked for again, then video, then
/// the padding of a probe. What exceeds the pacing budget stays, and waits for the next tick.
pub(crate) fn flush(peer: &mut Peer, exit: &mut Exit<'_>) {
    let Some(path) = peer.transport.as_ref().and_then(PeerTransport::path) else {
        return discard(peer, exit.pool);
    };
    let mut queue = std::mem::take(&mut peer.queue);
    let mut probe = peer.leg.probe(exit.now);
    for lane in Lane::ALL {
        let mut before = None;
        let mut sent = 0usize;
        for (position, item) in queue.lane(lane).enumerate() {
            let probing = probe.as_ref().filter(|probe| probe.bytes > 0).map(|probe| probe.cluster);
            if lane != Lane::Audio && probing.is_none() && !peer.leg.may_send(exit.now) {
                break;
            }
            let target = run_target(queue.from(lane, position), before, exit.pool);
            let used = send(peer, exit, item, path, target, probing.unwrap_or(0));
            if let Some(probe) = &mut probe {
                probe.bytes = probe.bytes.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
            }
            before = Some((item.slot, target.unwrap_or(item.bytes)));
            sent = sent.saturating_add(1);
        }
        queue.take(lane, sent, |item| exit.pool.release(item.packet));
    }
    // The memory is used again.
    peer.queue = queue;
    if let Some(probe) = probe {
        padding::fill(peer, exit, path, probe);
    }
}

/// Nobody is there to take it.
fn discard(peer: &mut Peer, pool: &mut Pool) {
    for lane in Lane::ALL {
        peer.queue.take(lane, usize::MAX, |item| pool.release(item.packet));
    }
}

/// The payload size to pad up to: the largest in the run of packets of the same stream that begins
/// here, where it is at most [`limits::PAD_BYTES`] more (libwebrtc's packets of a frame differ by a
/// byte or so); also up to what went before in the same train. `None` when no padding helps: the
/// last packet of a train may be shorter.
fn run_target<'a>(
    mut rest: impl Iterator<Item = &'a Item>,
    before: Option<(u16, u16)>,
    pool: &Pool,
) -> Option<u16> {
    let first = rest.next()?;
    let own = first.bytes;
    if own == 0 || first.mapped.empty {
        return None;
    }
    let meta = pool.look(first.packet)?;
    if !meta.codec.is_some_and(CodecKind::is_video) {
        return None;
    }
    let most = own.saturating_add(limits::PAD_BYTES as u16);
    let mut target = own;
    let mut company = false;
    // What waits may be long: a train holds no more.
    for item in rest.take(usize::from(MAX_SEGMENTS)) {
        if item.slot != first.slot || item.resend != first.resend || item.mapped.empty {
            break;
        }
        let next = item.bytes;
        if next > most {
            break;
        }
        company = true;
        target = target.max(next);
    }
    if let Some((slot, size)) = before
        && slot == first.slot
        && size <= most
    {
        target = target.max(size);
    }
    (company && target > own).then_some(target)
}

/// Seals one packet; counts it. Gives its bytes.
fn send(
    peer: &mut Peer,
    exit: &mut Exit<'_>,
    item: &Item,
    path: Path,
    target: Option<u16>,
    cluster: u8,
) -> usize {
    let Exit { pool, out, counters, layout, now } = exit;
    let Some(meta) = pool.look(item.packet) else { return 0 };
    let bytes = pool.bytes(item.packet);
    let (Some(transport), Some(slot)) =
        (peer.transport.as_mut(), peer.slots.get_mut(usize::from(item.slot)))
    else {
        return 0;
    };
    let number = peer.leg.next_number(&slot.section);
    if layout.lay_out(slot, item, meta, bytes, number).is_none() {
        counters.dropped(DropReason::Seal);
        return 0;
    }
    let padding = target
        .map(|target| target.saturating_sub(meta.payload_len))
        .and_then(|padding| u8::try_from(padding).ok())
        .filter(|padding| {
            let padded = peer.counters.padded.wrapping_add(u64::from(*padding));
            padded.saturating_mul(limits::PAD_SHARE) <= peer.counters.bytes_sent
        })
        // A packet without content is padding only (RFC 3550 5.1).
        .unwrap_or(u8::from(item.mapped.empty));
    if padding > 0 {
        set_padding_bit(&mut layout.header, true);
    }
    let body = bytes.get(layout.body_start..layout.body_end).unwrap_or_default();
    let header = layout.header.get(..layout.header_len).unwrap_or_default();
    let prefix = layout.prefix.get(..layout.prefix_len).unwrap_or_default();
    let plain = layout.plain_len().saturating_add(usize::from(padding));
    let most = plain.saturating_add(transport.sealed_overhead());
    let used = out.push_with(path.remote, path.local, most, true, |buffer| {
        transport.seal_rtp(layout.index, header, [prefix, body], padding, buffer).unwrap_or(0)
    });
    if used == 0 {
        counters.dropped(DropReason::Seal);
        return 0;
    }
    let audio = slot.section.kind == MediaKind::Audio;
    peer.leg.sent(*now, number, used, cluster, audio);
    bump(&mut counters.rtp_out);
    bump(&mut peer.counters.packets_sent);
    add(&mut peer.counters.bytes_sent, plain);
    add(&mut peer.counters.padded, usize::from(padding));
    if padding > 0 {
        bump(if item.resend { &mut counters.padded_rtx } else { &mut counters.padded });
    }
    if item.resend {
        bump(&mut counters.retransmitted);
        bump(&mut peer.counters.retransmitted);
    } else {
        bump(&mut slot.sent_packets);
        // RFC 3550 6.4.1: payload octets, without header and padding.
        let octets = if item.mapped.empty { 0 } else { meta.payload_len };
        add(&mut slot.sent_octets, usize::from(octets));
        slot.note_sent(item);
    }
    used
}

impl Layout {
    /// Header and payload prefix of one packet for one slot.
    fn lay_out(
        &mut self,
        slot: &mut Slot,
        item: &Item,
        meta: &PacketMeta,
        bytes: &[u8],
        number: Option<(u8, u16)>,
    ) -> Option<()> {
        let outgoing = item.outgoing;
        let mapped = &item.mapped;
        let rtx = outgoing.rtx.filter(|_| item.resend);
        let Range { start, end } = meta.payload();
        (self.header_len, self.prefix_len) = (0, 0);
        (self.body_start, self.body_end, self.index) = (start, end, mapped.seq);
        let (ssrc, payload_type) = match rtx {
            Some(rtx) => {
                slot.rtx_seq = slot.rtx_seq.wrapping_add(1);
                self.index = slot.rtx_seq;
                // RFC 4588 4: the original sequence number goes before the payload.
                self.push_prefix(&(mapped.seq as u16).to_be_bytes())?;
                (slot.rtx_ssrc, rtx)
            }
            // Without RTX nothing is repeated: other padding under the same number reuses a nonce.
            None if item.resend => return None,
            None => {
                slot.guard.leaving(mapped.seq);
                (slot.ssrc, outgoing.payload_type)
            }
        };
        if outgoing.strip_red {
            let payload = bytes.get(meta.payload())?;
            let primary = red::primary(payload).ok()?;
            self.body_start = self.body_end.checked_sub(primary.payload.len())?;
        }
        if mapped.empty {
            self.body_start = self.body_end;
        } else {
            self.rewrite_descriptor(meta, mapped, bytes)?;
        }
        let fixed = FixedHeader {
            marker: mapped.marker,
            payload_type,
            sequence_number: self.index as u16,
            timestamp: mapped.timestamp,
            ssrc,
        };
        let wide = number.map(|(id, number)| (id, transport_cc_bytes(number)));
        let wide = wide.as_ref().map(|(id, bytes)| (*id, bytes.as_slice()));
        if meta.extended && !mapped.empty {
            return self.write_extended(slot, &fixed, mapped, meta, bytes, wide);
        }
        self.header_len = write_header(&mut self.header, &fixed, wide.as_slice())?;
        Some(())
    }

    /// The header of a packet whose own extensions are passed on.
    fn write_extended(
        &mut self,
        slot: &Slot,
        fixed: &FixedHeader,
        mapped: &Mapped,
        meta: &PacketMeta,
        bytes: &[u8],
        wide: Option<(u8, &[u8])>,
    ) -> Option<()> {
        let mut extensions: [(u8, &[u8]); 8] = [(0, &[]); 8];
        let mut count = 0usize;
        let mut descriptor_range = None;
        for range in meta.extensions() {
            let Some(id) = slot.section.extensions.id(range.kind) else { continue };
            let start = usize::from(range.start);
            let value = bytes.get(start..start.checked_add(usize::from(range.len))?)?;
            if range.kind == ExtensionKind::DependencyDescriptor {
                descriptor_range = Some((id, value));
                continue;
            }
            *extensions.get_mut(count)? = (id, value);
            count = count.checked_add(1)?;
        }
        // The dependency descriptor carries a frame number, which continues across switches, and which
        // layers are still to be expected.
        if let Some((id, value)) = descriptor_range {
            let number = mapped.frame_number.filter(|n| meta.facts.frame_number != Some(*n));
            let value = if number.is_some() || mapped.active_targets.is_some() {
                let number = mapped.frame_number.unwrap_or(0);
                let targets = meta.facts.decode_targets;
                let copy = &mut self.descriptor;
                let len = dd::rewrite(value, number, mapped.active_targets, targets, copy)?;
                self.descriptor.get(..len)?
            } else {
                value
            };
            *extensions.get_mut(count)? = (id, value);
            count = count.checked_add(1)?;
        }
        if let Some(wide) = wide {
            *extensions.get_mut(count)? = wide;
            count = count.checked_add(1)?;
        }
        self.header_len = write_header(&mut self.header, fixed, extensions.get(..count)?)?;
        Some(())
    }

    fn push_prefix(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.prefix_len.checked_add(bytes.len())?;
        self.prefix.get_mut(self.prefix_len..end)?.copy_from_slice(bytes);
        self.prefix_len = end;
        Some(())
    }

    /// VP8 and VP9 picture ids continue across switches: the descriptor moves into the prefix and
    /// is changed there.
    fn rewrite_descriptor(
        &mut self,
        meta: &PacketMeta,
        mapped: &Mapped,
        bytes: &[u8],
    ) -> Option<()> {
        let facts = &meta.facts;
        let unchanged = facts.picture_id == mapped.picture_id
            && facts.tl0_pic_idx == mapped.tl0_pic_idx
            && facts.key_idx == mapped.key_idx;
        if unchanged || facts.descriptor_len == 0 {
            return Some(());
        }
        let len = usize::from(facts.descriptor_len);
        let descriptor = bytes.get(self.body_start..self.body_start.checked_add(len)?)?;
        let payload = bytes.get(meta.payload())?;
        let start = self.prefix_len;
        self.push_prefix(descriptor)?;
        self.body_start = self.body_start.checked_add(len)?;
        let copy = self.prefix.get_mut(start..self.prefix_len)?;
        match meta.codec? {
            CodecKind::Vp8 => {
                let parsed = vp8::parse(payload).ok()?;
                vp8::rewrite(copy, &parsed, mapped.picture_id, mapped.tl0_pic_idx, mapped.key_idx);
            }
            CodecKind::Vp9 => {
                let parsed = vp9::parse(payload).ok()?;
                vp9::rewrite(copy, &parsed, mapped.picture_id, mapped.tl0_pic_idx);
            }
            _ => {}
        }
        Some(())
    }
}
