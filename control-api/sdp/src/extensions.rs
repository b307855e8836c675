//! Header extensions (RFC 8285 5 and 6).

use crate::line::{Line, direction};
use weir_sfu_api::{Direction, ExtensionKind, ExtensionMap, MediaKind};

/// One `a=extmap` of a kind we know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfferedExtension {
    pub(crate) kind: ExtensionKind,
    pub(crate) id: u8,
    /// The suffix as in `a=extmap:2/recvonly`, seen from the client.
    pub(crate) direction: Option<Direction>,
}

/// Adds one extension. Unknown URIs, ids outside 1 to 14 and 16 to 255, and ids or kinds that
/// were there before are left out.
pub(crate) fn parse(known: &mut Vec<OfferedExtension>, value: &str) {
    let mut words = value.split_whitespace();
    let (Some(id), Some(uri)) = (words.next(), words.next()) else { return };
    let (id, suffix) = match id.split_once('/') {
        Some((id, suffix)) => (id, Some(suffix)),
        None => (id, None),
    };
    let Some(id) = id.parse::<u8>().ok().filter(|id| *id != 0 && *id != 15) else { return };
    let Some(kind) = ExtensionKind::from_uri(uri) else { return };
    if known.iter().any(|other| other.id == id || other.kind == kind) {
        return;
    }
    let direction = match suffix.map(direction) {
        None => None,
        Some(Some(direction)) => Some(direction),
        Some(None) => return,
    };
    known.push(OfferedExtension { kind, id, direction });
}

/// The intersection of what the client offers and what we use in this m-line.
pub(crate) fn negotiate(line: &Line, kind: MediaKind, slot_transport_cc: bool) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    for offered in &line.extensions {
        // Two-byte headers, which ids above 14 need, come mixed with one-byte ones only where
        // the client says that it can take that (RFC 8285 4.1.2).
        if offered.id > 14 && !line.extmap_allow_mixed {
            continue;
        }
        let allowed = offered.direction.unwrap_or(Direction::SendRecv);
        let inward = line.direction.sends() && allowed.sends();
        let outward = line.direction.receives() && allowed.receives();
        let idle = line.direction == Direction::Inactive && allowed != Direction::Inactive;
        if (inward && publisher_uses(offered.kind, kind))
            || (outward && slot_uses(offered.kind, kind, slot_transport_cc))
            || (idle && publisher_uses(offered.kind, kind))
        {
            map.set(offered.kind, offered.id);
        }
    }
    map
}

fn publisher_uses(extension: ExtensionKind, kind: MediaKind) -> bool {
    match extension {
        ExtensionKind::AudioLevel => kind == MediaKind::Audio,
        ExtensionKind::Mid | ExtensionKind::AbsSendTime | ExtensionKind::TransportCc => true,
        ExtensionKind::Rid
        | ExtensionKind::RepairedRid
        | ExtensionKind::VideoOrientation
        | ExtensionKind::PlayoutDelay
        | ExtensionKind::VideoContentType
        | ExtensionKind::ColorSpace
        | ExtensionKind::DependencyDescriptor
        | ExtensionKind::VideoLayersAllocation => kind == MediaKind::Video,
    }
}

/// A slot carries one stream, so it needs no rids, and what the publisher says about its layers
/// does not hold for what is forwarded.
fn slot_uses(extension: ExtensionKind, kind: MediaKind, slot_transport_cc: bool) -> bool {
    match extension {
        ExtensionKind::TransportCc => slot_transport_cc,
        ExtensionKind::Rid | ExtensionKind::RepairedRid | ExtensionKind::VideoLayersAllocation => {
            false
        }
        _ => publisher_uses(extension, kind),
    }
}

/// The id word of the answer's `a=extmap`: a direction suffix comes back reversed
/// (RFC 8285 6).
pub(crate) fn answer_id(line: &Line, kind: ExtensionKind, id: u8) -> String {
    let suffix = line
        .extensions
        .iter()
        .find(|offered| offered.kind == kind)
        .and_then(|offered| offered.direction)
        .map(|direction| match direction {
            Direction::SendOnly => "/recvonly",
            Direction::RecvOnly => "/sendonly",
            Direction::SendRecv => "/sendrecv",
            Direction::Inactive => "/inactive",
        });
    format!("{id}{}", suffix.unwrap_or_default())
}
