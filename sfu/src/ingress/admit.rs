//! From a decrypted packet to a known packet of a known layer.

use crate::counters::{DropReason, LateReason};
use crate::ingress::facts;
use crate::ingress::publication::{Binding, Publication};
use crate::ingress::stream::{Arrival, Stream};
use crate::limits;
use crate::packet::{ExtensionRange, Facts, PacketMeta};
use crate::peer::Peer;
use crate::pool::{PacketRef, Pool};
use crate::select::Level;
use std::ops::Range;
use std::time::Instant;
use weir_sfu_api::{CodecKind, ExtensionKind, MediaKind};
use weir_wire::ext;
use weir_wire::payload::vp9;
use weir_wire::rtp::RtpPacket;

/// What came of one packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted {
    pub(crate) publication: u8,
    pub(crate) layer: u8,
    pub(crate) meta: PacketMeta,
    /// The audio level extension (RFC 6464).
    pub(crate) audio_level: Option<ext::AudioLevel>,
    /// Too much is missing to repair: ask for a key frame.
    pub(crate) broken: bool,
    /// The transport-wide feedback is full and should leave now.
    pub(crate) feedback_full: bool,
}

/// Why a packet was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It should not have been sent.
    Drop(DropReason),
    /// It comes too late to matter.
    Late(LateReason),
}

impl From<DropReason> for Refused {
    fn from(reason: DropReason) -> Self {
        Self::Drop(reason)
    }
}

/// The bytes of a packet that were found before its stream is known.
struct Located {
    binding: Binding,
    /// RTX: the original sequence number; media: the packet's own.
    number: u16,
    payload_type: u8,
    payload_start: usize,
    payload_len: usize,
}

/// Admits the packet of `len` bytes in `slot`; `None` when it was only a probe for bandwidth.
/// `next_uid` numbers new streams.
pub(crate) fn admit(
    peer: &mut Peer,
    pool: &mut Pool,
    slot: PacketRef,
    len: usize,
    next_uid: &mut u32,
    now: Instant,
    now_us: u64,
) -> Result<Option<Admitted>, Refused> {
    let bytes = pool.bytes(slot).get(..len).unwrap_or_default();
    let rtp = RtpPacket::parse(bytes).map_err(|_| DropReason::MalformedRtp)?;
    let feedback_full = note_transport_cc(peer, &rtp, now_us);
    let Some(located) = locate(peer, &rtp)? else { return Ok(None) };
    let newest = is_newest(&peer.bindings, &located.binding);
    let (timestamp, marker, ssrc) = (rtp.timestamp(), rtp.marker(), rtp.ssrc());
    let publication = peer
        .publications
        .get_mut(usize::from(located.binding.publication))
        .ok_or(DropReason::UnknownStream)?;
    if !publication.section.direction.sends() {
        // The last packets, or probes for bandwidth, of a source that was just taken out.
        return Err(Refused::Late(LateReason::EndedStream));
    }
    let codec = publication
        .payload_type(located.payload_type)
        .map(|pt| pt.codec.kind)
        .ok_or(DropReason::UnknownStream)?;

    let mut meta = PacketMeta {
        timestamp,
        marker,
        payload_type: located.payload_type,
        codec: Some(codec),
        payload_start: u16::try_from(located.payload_start).map_err(|_| DropReason::Oversized)?,
        payload_len: u16::try_from(located.payload_len).map_err(|_| DropReason::Oversized)?,
        ..PacketMeta::default()
    };
    let mut audio_level = None;
    let mut descriptor = None;
    for (id, range) in rtp.extensions().ranges() {
        let Some(kind) = publication.section.extensions.kind(id) else { continue };
        let value = bytes.get(range.clone()).unwrap_or_default();
        match kind {
            ExtensionKind::AudioLevel => {
                audio_level = ext::AudioLevel::read(value);
            }
            ExtensionKind::DependencyDescriptor => descriptor = Some(range.clone()),
            _ => {}
        }
        if let (Ok(start), Ok(len)) = (u16::try_from(range.start), u8::try_from(value.len())) {
            meta.note_extension(ExtensionRange { kind, start, len });
        }
    }
    let header_len = rtp.header_len();

    let kind = publication.section.kind;
    let clock_rate = clock_rate(kind);
    let cache_size = publication.cache_size();
    let nackable =
        publication.payload_type(located.payload_type).is_some_and(|pt| pt.feedback.nack);
    let layer = publication.layer(located.binding.layer).ok_or(DropReason::UnknownStream)?;
    if layer.stream.is_none() {
        if located.binding.rtx {
            return Err(DropReason::UnknownStream.into());
        }
        let uid = take_uid(next_uid);
        layer.stream = Some(Stream::new(uid, ssrc, clock_rate, cache_size));
    }
    let stream = layer.stream.as_mut().ok_or(DropReason::UnknownStream)?;
    if !newest && (located.binding.rtx || stream.is_active(now)) {
        return Err(DropReason::Superseded.into());
    }
    if !located.binding.rtx && stream.ssrc != ssrc {
        // The layer came back under a new SSRC, for example after replacing the encoder.
        stream.cache.clear(pool);
        *stream = Stream::new(take_uid(next_uid), ssrc, clock_rate, cache_size);
    }
    read_facts(stream, codec, pool.bytes(slot), descriptor, located.number, &mut meta)?;
    let mut broken = false;
    let seq = match stream.arrive(located.number, located.binding.rtx, now) {
        Arrival::New { seq, gap } => {
            broken = gap;
            seq
        }
        Arrival::Late { seq } => seq,
        // Senders probe for bandwidth by repeating old packets as RTX: nothing is lost with them.
        Arrival::Duplicate if located.binding.rtx => return Ok(None),
        Arrival::Duplicate => return Err(DropReason::Duplicate.into()),
        Arrival::Reset { seq } => {
            stream.cache.clear(pool);
            stream.uid = take_uid(next_uid);
            seq
        }
    };
    if !nackable {
        stream.missing.clear();
    }
    if !located.binding.rtx {
        stream.measure(located.payload_len, timestamp, now_us, now);
        let level = Level::new(meta.facts.spatial, meta.facts.temporal);
        let size = header_len.saturating_add(located.payload_len);
        stream.rates.note(level, timestamp, size, meta.facts.key_frame, now);
    }
    meta.stream = stream.uid;
    meta.seq = seq;
    pool.set_meta(slot, meta);
    if nackable {
        stream.cache.insert(pool, seq, slot, now_us);
    }
    if meta.facts.key_frame && meta.facts.frame_start && codec.is_video() {
        layer.key_frame_wanted = false;
        layer.resolution = meta.facts.resolution.or(layer.resolution);
    }
    Ok(Some(Admitted {
        publication: located.binding.publication,
        layer: located.binding.layer,
        meta,
        audio_level,
        broken: broken && codec.is_video(),
        feedback_full,
    }))
}

/// Reads what the packet is: by the stream's dependency descriptor, else by its payload.
fn read_facts(
    stream: &mut Stream,
    codec: CodecKind,
    bytes: &[u8],
    descriptor: Option<Range<usize>>,
    number: u16,
    meta: &mut PacketMeta,
) -> Result<(), DropReason> {
    let seq = stream.extend(number);
    let described = descriptor
        .and_then(|range| bytes.get(range))
        .and_then(|value| stream.structures.read(value, seq));
    let payload = bytes.get(meta.payload()).unwrap_or_default();
    let read = facts::read(codec, payload, described.as_ref().map(|(described, _)| described));
    meta.facts = read.ok_or(DropReason::MalformedPayload)?;
    let new_structure = described.is_some_and(|(_, new)| new);
    if new_structure && let Some(structure) = stream.structures.current() {
        stream.resolutions = [0, 1, 2, 3].map(|spatial| structure.resolution(spatial));
        let highest = stream.resolutions.iter().rev().find_map(|known| *known);
        meta.facts.resolution = highest;
    } else if let Facts { resolution: Some(only), key_frame: true, .. } = meta.facts {
        stream.resolutions = match codec {
            CodecKind::Vp9 => vp9_resolutions(payload),
            _ => [Some(only), None, None, None],
        };
    }
    Ok(())
}

/// Of the scalability structure, which comes with key frames only.
fn vp9_resolutions(payload: &[u8]) -> [Option<(u16, u16)>; 4] {
    let all = vp9::parse(payload).map(|parsed| parsed.resolutions).unwrap_or_default();
    [0, 1, 2, 3].map(|spatial| all.get(spatial).copied().flatten())
}

fn take_uid(next_uid: &mut u32) -> u32 {
    // 0 stands for no stream.
    *next_uid = next_uid.wrapping_add(1).max(1);
    *next_uid
}

/// RTP clock rate of everything Weir forwards (RFC 7587, RFC 7741 and kin).
fn clock_rate(kind: MediaKind) -> u32 {
    match kind {
        MediaKind::Audio => CodecKind::Opus.clock_rate(),
        MediaKind::Video => CodecKind::Vp8.clock_rate(),
    }
}

/// Notes the transport-wide number; true when the list is full.
fn note_transport_cc(peer: &mut Peer, rtp: &RtpPacket<'_>, now_us: u64) -> bool {
    // The id is the same in all sections of a BUNDLE group (RFC 8843 7.1.3).
    let id = peer
        .publications
        .iter()
        .find_map(|publication| publication.section.extensions.id(ExtensionKind::TransportCc));
    let Some(number) = id.and_then(|id| rtp.extension(id)).and_then(ext::read_transport_cc) else {
        return false;
    };
    peer.arrivals.note(number, rtp.ssrc(), now_us)
}

/// Finds the layer of a packet by SSRC, else by mid and rid, else by what SDP announced, and reads
/// past the RTX header (RFC 4588 4).
fn locate(peer: &mut Peer, rtp: &RtpPacket<'_>) -> Result<Option<Located>, DropReason> {
    let ssrc = rtp.ssrc();
    let known = peer.bindings.iter().find(|binding| binding.ssrc == ssrc).copied();
    let binding = match known {
        Some(binding) => binding,
        None => bind(peer, rtp)?,
    };
    let publication =
        peer.publications.get(usize::from(binding.publication)).ok_or(DropReason::UnknownStream)?;
    let (payload_start, payload_len) = (rtp.header_len(), rtp.payload().len());
    if !binding.rtx {
        return Ok(Some(Located {
            binding,
            number: rtp.sequence_number(),
            payload_type: rtp.payload_type(),
            payload_start,
            payload_len,
        }));
    }
    let media =
        publication.rtx_payload_type(rtp.payload_type()).ok_or(DropReason::UnknownStream)?;
    match rtp.payload() {
        &[high, low, ref rest @ ..] if !rest.is_empty() => Ok(Some(Located {
            binding,
            number: u16::from_be_bytes([high, low]),
            payload_type: media.number,
            payload_start: payload_start.saturating_add(2),
            payload_len: rest.len(),
        })),
        // Padding on the RTX stream probes for bandwidth; it has done its work.
        _ => Ok(None),
    }
}

/// Whether no other media SSRC of the same layer came up after this one. Packets of an older one are
/// late; retransmissions of an older one number the packets of a stream that is no more. An RTX
/// SSRC may come up before its media does, as a probe for bandwidth: then it belongs to what follows.
fn is_newest(bindings: &[Binding], binding: &Binding) -> bool {
    let media = |other: &&Binding| {
        (other.publication, other.layer, other.rtx) == (binding.publication, binding.layer, false)
    };
    let mut around = bindings.splitn(2, |other| other.ssrc == binding.ssrc);
    let mut has_media = || around.next().is_some_and(|part| part.iter().any(|other| media(&other)));
    let (before, after) = (has_media(), has_media());
    !after || (binding.rtx && !before)
}

/// Binds a new SSRC.
fn bind(peer: &mut Peer, rtp: &RtpPacket<'_>) -> Result<Binding, DropReason> {
    let binding = by_mid(&peer.publications, rtp)
        .or_else(|| by_announcement(&peer.publications, rtp))
        .or_else(|| by_payload_type(&peer.publications, rtp))
        .ok_or(DropReason::UnknownStream)?;
    // Of the same kind one more stays known, because its last packets may be late. The oldest makes
    // room: a client that changes its SSRCs often forgets only its own.
    let same = |other: &Binding| {
        (other.publication, other.layer, other.rtx)
            == (binding.publication, binding.layer, binding.rtx)
    };
    let oldest = peer.bindings.iter().position(same);
    if peer.bindings.iter().filter(|other| same(other)).count() >= 2
        && let Some(oldest) = oldest
    {
        peer.bindings.remove(oldest);
    } else if peer.bindings.len() >= limits::SSRCS_PER_PEER {
        peer.bindings.remove(oldest.unwrap_or(0));
    }
    peer.bindings.push(binding);
    Ok(binding)
}

/// By mid and rid (RFC 8843 9.2, RFC 8852).
fn by_mid(publications: &[Publication], rtp: &RtpPacket<'_>) -> Option<Binding> {
    publications.iter().enumerate().find_map(|(index, publication)| {
        let extensions = &publication.section.extensions;
        let mid = rtp.extension(extensions.id(ExtensionKind::Mid)?)?;
        if mid != publication.section.mid.as_bytes() {
            return None;
        }
        let get = |kind| extensions.id(kind).and_then(|id| rtp.extension(id));
        let rtx = publication.rtx_payload_type(rtp.payload_type()).is_some();
        let layer = if publication.section.simulcast.is_empty() {
            0
        } else if let Some(rid) = get(ExtensionKind::RepairedRid).filter(|_| rtx) {
            publication.layer_of_rid(rid)?
        } else {
            publication.layer_of_rid(get(ExtensionKind::Rid)?)?
        };
        Some(Binding { ssrc: rtp.ssrc(), publication: u8::try_from(index).ok()?, layer, rtx })
    })
}

/// By `a=ssrc` and `a=ssrc-group:FID` lines (RFC 5576).
fn by_announcement(publications: &[Publication], rtp: &RtpPacket<'_>) -> Option<Binding> {
    let ssrc = rtp.ssrc();
    publications.iter().enumerate().find_map(|(index, publication)| {
        let groups = &publication.section.ssrcs;
        let position =
            groups.iter().position(|group| group.media == ssrc || group.rtx == Some(ssrc))?;
        // Without rids several SSRCs in one m-line are layers in this order.
        let layer = position.min(publication.layers.len().saturating_sub(1));
        Some(Binding {
            ssrc,
            publication: u8::try_from(index).ok()?,
            layer: u8::try_from(layer).ok()?,
            rtx: groups.get(position)?.rtx == Some(ssrc),
        })
    })
}

/// By payload type, where only one m-line can be meant (RFC 8843 9.2).
fn by_payload_type(publications: &[Publication], rtp: &RtpPacket<'_>) -> Option<Binding> {
    let mut candidates = publications.iter().enumerate().filter(|(_, publication)| {
        publication.section.simulcast.is_empty()
            && publication.section.ssrcs.is_empty()
            && (publication.payload_type(rtp.payload_type()).is_some()
                || publication.rtx_payload_type(rtp.payload_type()).is_some())
    });
    let (index, publication) = candidates.next()?;
    if candidates.next().is_some() {
        return None;
    }
    Some(Binding {
        ssrc: rtp.ssrc(),
        publication: u8::try_from(index).ok()?,
        layer: 0,
        rtx: publication.rtx_payload_type(rtp.payload_type()).is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(ssrc: u32, rtx: bool) -> Binding {
        Binding { ssrc, publication: 0, layer: 0, rtx }
    }

    #[test]
    fn a_probe_before_the_media_belongs_to_it_and_old_repairs_do_not() {
        let (early_rtx, media) = (binding(1, true), binding(2, false));
        let bindings = [early_rtx, media];
        assert!(is_newest(&bindings, &early_rtx));
        assert!(is_newest(&bindings, &media));
        let (old_rtx, next) = (binding(3, true), binding(4, false));
        let bindings = [media, old_rtx, next];
        assert!(!is_newest(&bindings, &media));
        assert!(!is_newest(&bindings, &old_rtx));
        assert!(is_newest(&bindings, &next));
        let other_layer = Binding { layer: 1, ..binding(5, false) };
        assert!(is_newest(&[media, other_layer], &media));
    }
}
