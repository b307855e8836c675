//! Messages about media: offers to the server, relays between people, media state.

use super::connection::Conversation;
use super::message::{Close, Incoming, Outgoing};
use super::negotiation::source_from_word;
use super::session::{LeaveReason, Phase, media_json};
use crate::domain::live::MediaState;
use crate::domain::types::UserId;
use crate::{Error, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weir_sfu_api::SourceKind;

/// The most entries of `tracks` in one offer.
const MAX_TRACKS: usize = 512;

impl Conversation {
    /// One message to its handler. `Ok(Some)` ends the connection.
    pub(super) async fn dispatch(&mut self, message: &Incoming) -> Result<Option<Close>> {
        let kind = message.kind.as_str();
        match kind {
            "join" => self.join(message).await?,
            "leave" => {
                self.session.changing().leave_reason = LeaveReason::Left;
                return Ok(Some(Close::NORMAL));
            }
            "offer" | "answer" | "ice-candidate" | "candidate" | "chat" | "media-state"
            | "view" | "raise-hand" | "lower-hand" | "reaction" | "ask-unmute" | "lock"
            | "admit" => {
                self.join_first().await?;
                if self.session.changing().phase == Phase::Waiting {
                    return Err(Error::Forbidden("waiting to be admitted"));
                }
                match kind {
                    "offer" => self.offer(message).await?,
                    "answer" => self.answer(message)?,
                    "ice-candidate" | "candidate" => self.candidate(message)?,
                    "chat" => self.chat(message).await?,
                    "media-state" => self.media_state(message)?,
                    "view" => self.view(message)?,
                    _ => self.meeting_message(message).await?,
                }
            }
            _ => return Err(Error::BadRequest("unknown type".to_owned())),
        }
        Ok(None)
    }

    async fn offer(&mut self, message: &Incoming) -> Result<()> {
        if let Some(to) = message.to {
            return self.relay("offer", to, message.payload(&["type", "sdp"]));
        }
        let sdp = message.text("sdp")?.ok_or_else(|| Error::field("sdp", "is required"))?;
        let sources = sources(message.field("tracks"))?;
        let before = self.media.as_ref().map(|media| media.peer());
        let result = self.negotiator.offer(&mut self.media, sdp, &sources, self.rights).await;
        let has_media = self.media.is_some();
        self.session.changing().has_media = has_media;
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                self.signaling.publish(&self.session);
                return Err(error.into());
            }
        };
        if self.media.as_ref().map(|media| media.peer()) != before {
            self.slots = Vec::new();
            self.layers.clear();
            self.signaling.publish(&self.session);
            // A new peer starts as not muted.
            self.tell_muted();
            self.tell_view();
        }
        let data = json!({"type": "answer", "sdp": answer});
        self.session.send(&Outgoing::server("answer", self.session.meeting_id, data));
        Ok(())
    }

    fn answer(&self, message: &Incoming) -> Result<()> {
        match message.to {
            Some(to) => self.relay("answer", to, message.payload(&["type", "sdp"])),
            None => Err(Error::BadRequest("the server made no offer".to_owned())),
        }
    }

    /// The server is ICE-lite: what is meant for it is not needed and never fails.
    fn candidate(&self, message: &Incoming) -> Result<()> {
        let kind = if message.kind == "candidate" { "candidate" } else { "ice-candidate" };
        self.session.changing().candidate.get_or_insert(kind);
        match message.to {
            Some(to) => {
                let data =
                    message.payload(&["candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"]);
                self.relay(kind, to, data)
            }
            None => Ok(()),
        }
    }

    /// To all connections of one user in the meeting.
    pub(super) fn relay(&self, kind: &'static str, to: UserId, data: Value) -> Result<()> {
        let meeting_id = self.session.meeting_id;
        if !self.session.identity.grants().publish_data {
            return Err(Error::Forbidden("this access token does not allow messages"));
        }
        let receivers = self.signaling.registry.of_user(meeting_id, to);
        if receivers.is_empty() {
            return Err(Error::NotFound("that user is not in the meeting"));
        }
        let mut message = Outgoing {
            kind,
            from: self.session.user_id(),
            to: Some(to),
            meeting_id,
            peer_id: Some(self.session.peer_id.clone()),
            data,
        };
        for receiver in receivers {
            if kind == "candidate" || kind == "ice-candidate" {
                message.kind = receiver.changing().candidate.unwrap_or(kind);
            }
            receiver.send(&message);
        }
        Ok(())
    }

    fn media_state(&mut self, message: &Incoming) -> Result<()> {
        let (audio, video, screen) =
            (message.boolean("audio")?, message.boolean("video")?, message.boolean("screen")?);
        let role = self.session.changing().role;
        if [audio, video, screen].contains(&Some(true)) && !self.may_publish() {
            return Err(Error::Forbidden("only hosts and moderators may publish here"));
        }
        if screen == Some(true) && !self.meeting.settings.enable_screen_share && !role.leads() {
            return Err(Error::Forbidden("screen sharing is switched off"));
        }
        let state = {
            let mut changing = self.session.changing();
            changing.media.audio = audio.unwrap_or(changing.media.audio);
            changing.media.video = video.unwrap_or(changing.media.video);
            changing.media.screen = screen.unwrap_or(changing.media.screen);
            // Switching the microphone on oneself ends mute_on_join.
            if audio == Some(true) {
                changing.silenced = false;
            }
            changing.media
        };
        self.apply_rights();
        if let Some(media) = &self.media {
            let said = [
                (SourceKind::Microphone, audio),
                (SourceKind::Camera, video),
                (SourceKind::Screen, screen),
            ];
            for (source, on) in said {
                if let Some(on) = on {
                    self.signaling.hub.set_muted(media.peer(), source, !on);
                }
            }
        }
        self.tell_media_state(state);
        Ok(())
    }

    /// Tells the others and REST what this client sends.
    pub(super) fn tell_media_state(&self, state: MediaState) {
        self.signaling.publish(&self.session);
        let message = Outgoing {
            from: self.session.user_id(),
            peer_id: Some(self.session.peer_id.clone()),
            ..Outgoing::server("media-state", self.session.meeting_id, media_json(state))
        };
        self.signaling.registry.broadcast(&message, Some(&self.session.id));
    }

    /// What a new peer has to know: it starts with everything on. A screen that is not shared has
    /// no track, and who shares one without a word about it does show it.
    fn tell_muted(&self) {
        let Some(media) = &self.media else { return };
        let state = self.session.changing().media;
        for (source, on) in
            [(SourceKind::Microphone, state.audio), (SourceKind::Camera, state.video)]
        {
            if !on {
                self.signaling.hub.set_muted(media.peer(), source, true);
            }
        }
    }
}

/// The additive `tracks` of an offer: `{"<mid>": "camera"|"screen"|"microphone"|"screen_audio"}`.
fn sources(tracks: Option<&Value>) -> Result<BTreeMap<String, SourceKind>> {
    let Some(tracks) = tracks else { return Ok(BTreeMap::new()) };
    let bad =
        || Error::field("tracks", "must map mids to camera, screen, microphone or screen_audio");
    let map = tracks.as_object().filter(|map| map.len() <= MAX_TRACKS).ok_or_else(bad)?;
    map.iter()
        .map(|(mid, word)| {
            let source = word.as_str().and_then(source_from_word).ok_or_else(bad)?;
            Ok((mid.clone(), source))
        })
        .collect()
}
