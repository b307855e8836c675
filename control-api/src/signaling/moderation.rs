//! What meeting clients expect beyond the documents: hands, reactions, locks, admissions.

use super::connection::Conversation;
use super::message::{Incoming, Outgoing};
use crate::domain::participants;
use crate::{Error, Result};
use serde_json::{Value, json};

/// The longest reaction in characters: one emoji with all its modifiers, or a short word.
const LONGEST_REACTION: usize = 32;

impl Conversation {
    pub(super) async fn meeting_message(&self, message: &Incoming) -> Result<()> {
        match message.kind.as_str() {
            "raise-hand" => self.tell_all("raise-hand", json!({"user_id": self.session.user_id()})),
            "lower-hand" => {
                let whose = message.user("user_id")?.or(message.to);
                let whose = whose.unwrap_or(self.session.user_id());
                if whose != self.session.user_id() {
                    self.must_lead()?;
                }
                self.tell_all("lower-hand", json!({"user_id": whose}))
            }
            "reaction" => {
                let emoji = ["reaction", "emoji"]
                    .into_iter()
                    .find_map(|key| message.text(key).transpose())
                    .transpose()?
                    .filter(|text| (1..=LONGEST_REACTION).contains(&text.chars().count()))
                    .ok_or_else(|| Error::field("reaction", "must have 1 to 32 characters"))?;
                let user_id = self.session.user_id();
                self.tell_all("reaction", json!({"user_id": user_id, "reaction": emoji}))
            }
            "ask-unmute" => {
                self.must_lead()?;
                self.relay("ask-unmute", self.target(message)?, json!({}))
            }
            "lock" => {
                self.must_lead()?;
                let locked = message.boolean("locked")?.unwrap_or(true);
                self.signaling.app.live.set_locked(self.session.meeting_id, locked);
                self.tell_all("lock", json!({"locked": locked}))
            }
            _ => {
                let (app, session) = (&self.signaling.app, &self.session);
                let target = self.target(message)?;
                participants::admit(app, &session.identity, session.meeting_id, target).await
            }
        }
    }

    /// To everybody in the meeting, oneself included: all see the same order.
    fn tell_all(&self, kind: &'static str, data: Value) -> Result<()> {
        if !self.session.identity.grants().publish_data {
            return Err(Error::Forbidden("this access token does not allow messages"));
        }
        let message = Outgoing {
            from: self.session.user_id(),
            ..Outgoing::server(kind, self.session.meeting_id, data)
        };
        self.signaling.registry.broadcast(&message, None);
        Ok(())
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
