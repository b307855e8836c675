//! What the media server tells a client about its slots.

use super::message::Outgoing;
use crate::domain::types::MeetingId;
use crate::media::{SlotView, SpeakerView};
use serde_json::{Value, json};

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
    if let (Some(rid), Some(map)) = (slot.rid, value.as_object_mut()) {
        map.insert("rid".to_owned(), rid.as_str().into());
    }
    value
}

/// `speakers` (contract 8.3), loudest first.
pub(crate) fn speakers(meeting_id: MeetingId, speakers: &[SpeakerView]) -> Outgoing {
    let list: Vec<Value> = speakers
        .iter()
        .map(|speaker| {
            json!({
                "user_id": speaker.user_id,
                "peer_id": speaker.peer_id,
                "level": speaker.level,
            })
        })
        .collect();
    Outgoing::server("speakers", meeting_id, json!({"speakers": list}))
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
