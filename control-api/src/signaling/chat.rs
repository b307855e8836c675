//! Chat: stored and sent to all, or to one user and stored nowhere.

use super::connection::Conversation;
use super::message::Incoming;
use crate::domain::messages;
use crate::{Error, Result};
use serde_json::json;

impl Conversation {
    pub(super) async fn chat(&self, message: &Incoming) -> Result<()> {
        let content =
            message.text("content")?.ok_or_else(|| Error::field("content", "is required"))?;
        if content.trim().is_empty() || content.chars().count() > messages::LONGEST {
            return Err(Error::field("content", "must have 1 to 1000 characters"));
        }
        let (app, session) = (&self.signaling.app, &self.session);
        let Some(to) = message.to else {
            // Comes back on the domain's bus, in the order in which messages were stored.
            messages::post(app, &session.identity, session.meeting_id, content).await?;
            return Ok(());
        };
        let role = session.changing().role;
        if !self.meeting.settings.enable_chat && !role.leads() {
            return Err(Error::Forbidden("chat is switched off"));
        }
        let data = json!({
            "message_id": null,
            "user_id": session.user_id(),
            "username": session.identity.username,
            "nickname": session.identity.nickname,
            "content": content,
            "timestamp": app.clock.now().iso(),
        });
        self.relay("chat", to, data)
    }
}
