//! What the media server tells a client about its slots.

use super::message::Outgoing;
use crate::Timestamp;
use crate::domain::types::MeetingId;
use crate::media::{SlotView, SpeakerList};
use serde_json::{Value, json};
use std::sync::Arc;
use weir_sfu_api::{LayerDemand, Mid, PausedBy};

/// `slots` (contract 8.3), complete each time.
pub(crate) fn slots(meeting_id: MeetingId, slots: &[SlotView]) -> Outgoing {
    let list: Vec<Value> = slots.iter().map(slot).collect();
    Outgoing::server("slots", meeting_id, json!({"slots": list}))
}

fn slot(slot: &SlotView) -> Value {
    let content = slot.content.as_ref();
    let mut value = json!({
        "mid": slot.mid.as_str(),
        "kind": slot.kind.as_str(),
        "user_id": content.map(|content| content.user_id),
        "track": content.map(|content| content.track.as_str()),
        "username": content.map(|content| content.username.as_str()),
        "peer_id": content.map(|content| content.peer_id.as_str()),
        "source": content.map(|content| content.source.as_str()),
        "muted": slot.muted,
        "unavailable": slot.unavailable,
    });
    if let Some(map) = value.as_object_mut() {
        if let Some(rid) = slot.rid {
            map.insert("rid".to_owned(), rid.as_str().into());
        }
        if let Some(reason) = slot.paused_by {
            map.insert("paused_by".to_owned(), paused_by(reason).into());
        }
    }
    value
}

fn paused_by(reason: PausedBy) -> &'static str {
    match reason {
        PausedBy::Bandwidth => "bandwidth",
        PausedBy::View => "view",
    }
}

/// `layers`: which layers of a track the client should send; all of them are listed.
pub(crate) fn layers(meeting_id: MeetingId, mid: Mid, layers: &[LayerDemand]) -> Outgoing {
    let list: Vec<Value> = layers
        .iter()
        .map(|layer| {
            json!({"rid": layer.rid.map(|rid| rid.as_str().to_owned()), "active": layer.active})
        })
        .collect();
    Outgoing::server("layers", meeting_id, json!({"mid": mid.as_str(), "layers": list}))
}

/// `speakers` (contract 8.3), loudest first. Written once for all who are told.
pub(crate) fn speakers(meeting_id: MeetingId, list: &SpeakerList, now: Timestamp) -> Arc<str> {
    Arc::clone(list.text.get_or_init(|| write_speakers(meeting_id, list, now)))
}

fn write_speakers(meeting_id: MeetingId, list: &SpeakerList, now: Timestamp) -> Arc<str> {
    let list: Vec<Value> = list
        .speakers
        .iter()
        .map(|speaker| {
            json!({
                "user_id": speaker.user_id,
                "peer_id": speaker.peer_id,
                "level": speaker.level,
            })
        })
        .collect();
    Outgoing::server("speakers", meeting_id, json!({"speakers": list})).text(now)
}

/// `renegotiate` (contract 8.3). `new_connection`: the peer is gone and only a new PeerConnection
/// helps.
pub(crate) fn renegotiate(
    meeting_id: MeetingId,
    reason: &str,
    ice_restart: bool,
    new_connection: bool,
) -> Outgoing {
    let data = json!({
        "reason": reason,
        "ice_restart": ice_restart,
        "new_connection": new_connection,
    });
    Outgoing::server("renegotiate", meeting_id, data)
}
