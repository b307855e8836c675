//! The WebSocket envelope (contract 8.2): `{type, from, to, meeting_id, data}`.

use crate::domain::types::{MeetingId, UserId};
use crate::{Error, Timestamp};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A message from a client. Payload fields are looked for in `data`, then at the top level.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) kind: String,
    /// The user it is for; `None` (also for 0) means the server.
    pub(crate) to: Option<UserId>,
    pub(crate) meeting_id: Option<MeetingId>,
    top: Map<String, Value>,
    data: Map<String, Value>,
}

impl Incoming {
    /// Reads one text frame.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let bad = |what: &str| Error::BadRequest(what.to_owned());
        let value: Value =
            serde_json::from_str(text).map_err(|_| bad("the message is no valid JSON"))?;
        let Value::Object(mut top) = value else {
            return Err(bad("the message is no JSON object"));
        };
        let Some(Value::String(kind)) = top.remove("type") else {
            return Err(bad("type is missing or no string"));
        };
        let data = match top.remove("data") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(data)) => data,
            Some(_) => return Err(bad("data is no object")),
        };
        let mut message = Self { kind, to: None, meeting_id: None, top, data };
        // `user_id` names the sender in the flat form and is not believed in any.
        let to = ["to", "target", "to_user_id"].into_iter().find_map(|key| message.field(key));
        message.to = match to {
            None | Some(Value::Null) => None,
            Some(value) => Some(integer(value).ok_or_else(|| bad("to is no user id"))?)
                .filter(|user_id| *user_id != 0),
        };
        message.meeting_id = match message.field("meeting_id") {
            None | Some(Value::Null) => None,
            Some(value) => Some(integer(value).ok_or_else(|| bad("meeting_id is no number"))?),
        };
        Ok(message)
    }

    /// A payload field.
    pub(crate) fn field(&self, key: &str) -> Option<&Value> {
        self.data.get(key).or_else(|| self.top.get(key)).filter(|value| !value.is_null())
    }

    /// A payload field that must be text.
    pub(crate) fn text(&self, key: &'static str) -> Result<Option<&str>, Error> {
        match self.field(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::field(key, "must be a string")),
        }
    }

    /// A payload field that must be a boolean.
    pub(crate) fn boolean(&self, key: &'static str) -> Result<Option<bool>, Error> {
        match self.field(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(Error::field(key, "must be a boolean")),
        }
    }

    /// A payload field that must be a user id.
    pub(crate) fn user(&self, key: &'static str) -> Result<Option<UserId>, Error> {
        match self.field(key) {
            None => Ok(None),
            Some(value) => {
                integer(value).map(Some).ok_or_else(|| Error::field(key, "must be a user id"))
            }
        }
    }

    /// `data` to pass on: the object itself, or in the flat form the named fields.
    pub(crate) fn payload(&self, keys: &[&str]) -> Value {
        let mut data = Map::new();
        for key in keys {
            if let Some(value) = self.field(key) {
                data.insert((*key).to_owned(), value.clone());
            }
        }
        Value::Object(data)
    }
}

/// A JSON number, or a numeric string (contract section 7).
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A message to a client, before the receiver is known.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) kind: &'static str,
    /// 0 for the server.
    pub(crate) from: UserId,
    pub(crate) to: Option<UserId>,
    pub(crate) meeting_id: MeetingId,
    /// The sender's peer, where it matters.
    pub(crate) peer_id: Option<String>,
    pub(crate) data: Value,
}

impl Outgoing {
    /// From the server itself.
    pub(crate) fn server(kind: &'static str, meeting_id: MeetingId, data: Value) -> Self {
        Self { kind, from: 0, to: None, meeting_id, peer_id: None, data }
    }

    /// The `error` message (contract 8.3).
    pub(crate) fn error(meeting_id: MeetingId, error: &Error, ref_type: &str) -> Self {
        let data = json!({
            "code": error.code(),
            "message": error.to_string(),
            "ref_type": ref_type.chars().take(32).collect::<String>(),
        });
        Self::server("error", meeting_id, data)
    }

    /// The text frame. Serialised once and shared by all receivers.
    pub(crate) fn text(&self, now: Timestamp) -> Arc<str> {
        let mut envelope = json!({
            "type": self.kind,
            "from": self.from,
            "meeting_id": self.meeting_id,
            "data": self.data,
            "timestamp": now.iso(),
        });
        if let Some(map) = envelope.as_object_mut() {
            if let Some(to) = self.to {
                map.insert("to".to_owned(), to.into());
            }
            if let Some(peer_id) = &self.peer_id {
                map.insert("peer_id".to_owned(), peer_id.clone().into());
            }
        }
        envelope.to_string().into()
    }
}

/// Why and how the server ends a connection (contract 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Close {
    pub(crate) const NORMAL: Self = Self { code: 1000, reason: "bye" };
    pub(crate) const RESUMED: Self = Self { code: 1000, reason: "resumed on another connection" };
    pub(crate) const IDLE: Self = Self { code: 1000, reason: "nothing heard for too long" };
    pub(crate) const STOPPING: Self = Self { code: 1001, reason: "server stopping" };
    pub(crate) const MALFORMED: Self = Self { code: 1002, reason: "malformed frame" };
    pub(crate) const BINARY: Self = Self { code: 1003, reason: "text frames only" };
    pub(crate) const NOT_UTF8: Self = Self { code: 1007, reason: "text is not UTF-8" };
    pub(crate) const TOO_LARGE: Self = Self { code: 1009, reason: "message above 64 KiB" };
    pub(crate) const TOO_SLOW: Self = Self { code: 1013, reason: "messages are not taken" };
    pub(crate) const UNAUTHORIZED: Self = Self { code: 4401, reason: "unauthorized" };
    pub(crate) const FORBIDDEN: Self = Self { code: 4403, reason: "forbidden" };
    pub(crate) const NO_MEETING: Self = Self { code: 4404, reason: "meeting does not exist" };
    pub(crate) const REMOVED: Self = Self { code: 4409, reason: "removed from the meeting" };
    pub(crate) const ENDED: Self = Self { code: 4410, reason: "meeting has ended" };
    pub(crate) const TOO_MANY: Self = Self { code: 4429, reason: "too many messages" };

    /// The close that goes with a refusal to enter; `None` keeps the connection open.
    pub(crate) fn for_refusal(error: &Error) -> Option<Self> {
        match error {
            Error::Unauthorized | Error::TokenExpired | Error::BadLogin => Some(Self::UNAUTHORIZED),
            Error::Banned | Error::Forbidden(_) | Error::WrongMeetingPassword => {
                Some(Self::FORBIDDEN)
            }
            Error::NoSuchMeeting => Some(Self::NO_MEETING),
            Error::MeetingEnded => Some(Self::ENDED),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_and_flat_forms_are_the_same() {
        for text in [
            r#"{"type":"offer","to":7,"meeting_id":1,"data":{"sdp":"x"}}"#,
            r#"{"type":"offer","target":"7","meeting_id":"1","sdp":"x","user_id":3}"#,
            r#"{"type":"offer","data":{"sdp":"x","to_user_id":7,"meeting_id":1}}"#,
        ] {
            let message = Incoming::parse(text).unwrap();
            assert_eq!((message.to, message.meeting_id), (Some(7), Some(1)), "{text}");
            assert_eq!(message.text("sdp").unwrap(), Some("x"));
        }
        assert_eq!(Incoming::parse(r#"{"type":"offer","to":0}"#).unwrap().to, None);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"a","data":[]}"#,
            r#"{"type":"a","to":"me"}"#,
        ] {
            assert!(Incoming::parse(text).is_err(), "{text}");
        }
    }
}
