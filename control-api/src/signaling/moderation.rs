//! What meeting clients expect beyond the documents: hands, reactions, locks, admissions.

use super::connection::Conversation;
use super::message::{Incoming, Outgoing};
use crate::domain::participants;
use crate::{Error, Result};
use serde_json::{Value, json};

/// The longest reaction in characters: one emoji with all its modifiers, or a short word.
const LONGEST_REACTION: usize = 32;
/// When to try again after too many, in seconds.
const RETRY_AFTER_S: u32 = 2;

impl Conversation {
    pub(super) async fn meeting_message(&mut self, message: &Incoming) -> Result<()> {
        let (meeting_id, user_id) = (self.session.meeting_id, self.session.user_id());
        match message.kind.as_str() {
            "raise-hand" => self.raise_hand(),
            "lower-hand" => {
                let whose = message.user("user_id")?.or(message.to).unwrap_or(user_id);
                if whose == user_id {
                    self.may_tell_all()?;
                } else {
                    self.must_lead()?;
                }
                if self.signaling.app.live.lower_hand(meeting_id, whose) {
                    self.tell_all("lower-hand", json!({"user_id": whose}));
                }
                Ok(())
            }
            "reaction" => {
                let emoji = ["reaction", "emoji"]
                    .into_iter()
                    .find_map(|key| message.text(key).transpose())
                    .transpose()?
                    .filter(|text| (1..=LONGEST_REACTION).contains(&text.chars().count()))
                    .ok_or_else(|| Error::field("reaction", "must have 1 to 32 characters"))?;
                self.gesture()?;
                self.tell_all("reaction", json!({"user_id": user_id, "reaction": emoji}));
                Ok(())
            }
            "ask-unmute" => {
                self.must_lead()?;
                self.relay("ask-unmute", self.target(message)?, json!({}))
            }
            "lock" => {
                self.must_lead()?;
                let locked = message.boolean("locked")?.unwrap_or(true);
                self.signaling.app.live.set_locked(meeting_id, locked);
                self.tell_all("lock", json!({"locked": locked}));
                Ok(())
            }
            _ => {
                let target = self.target(message)?;
                let app = &self.signaling.app;
                participants::admit(app, &self.session.identity, meeting_id, target).await
            }
        }
    }

    fn raise_hand(&mut self) -> Result<()> {
        self.gesture()?;
        let (app, session) = (&self.signaling.app, &self.session);
        let now = app.clock.now();
        if app.live.raise_hand(session.meeting_id, session.user_id(), now) {
            let data = json!({
                "user_id": session.user_id(),
                "username": session.identity.username,
                "nickname": session.identity.nickname,
                "raised_at": now.iso(),
            });
            self.tell_all("raise-hand", data);
        }
        Ok(())
    }

    /// Everybody hears of reactions and hands: each may make a few, and a meeting so many in all
    /// that its people are not flooded.
    fn gesture(&mut self) -> Result<()> {
        self.may_tell_all()?;
        let within =
            self.gestures.take() && self.signaling.registry.take_gesture(self.session.meeting_id);
        if within { Ok(()) } else { Err(Error::TooMany { retry_after_s: RETRY_AFTER_S }) }
    }

    fn may_tell_all(&self) -> Result<()> {
        let may = self.session.identity.grants().publish_data;
        may.then_some(()).ok_or(Error::Forbidden("this access token does not allow messages"))
    }

    /// To everybody in the meeting, oneself included: all see the same order.
    fn tell_all(&self, kind: &'static str, data: Value) {
        let message = Outgoing {
            from: self.session.user_id(),
            ..Outgoing::server(kind, self.session.meeting_id, data)
        };
        self.signaling.registry.broadcast(&message, None);
    }

    fn must_lead(&self) -> Result<()> {
        let leads = self.session.changing().role.leads() || self.session.identity.is_admin();
        leads.then_some(()).ok_or(Error::Forbidden("only hosts and moderators may do this"))
    }

    fn target(&self, message: &Incoming) -> Result<i64> {
        let named = message.user("user_id")?;
        message.to.or(named).ok_or_else(|| Error::field("user_id", "is required"))
    }
}
