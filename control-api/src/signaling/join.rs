//! Coming in: `join`, the waiting room, and what follows a change of role or settings.

use super::connection::{Conversation, Door};
use super::message::{Close, Incoming, Outgoing};
use super::rights;
use super::session::{Nudge, Phase, media_json};
use crate::domain::identity;
use crate::domain::joining::{self, Joined};
use crate::domain::types::Presence;
use crate::store::participants::{self, Participant};
use crate::{Error, Result};
use serde_json::{Value, json};

/// Above so many people the join answer holds only the first [`SHORT_LIST`] (contract 8.3).
const LONG_MEETING: i64 = 100;
const SHORT_LIST: usize = 50;

impl Conversation {
    /// `join`: answered each time, announced once.
    pub(super) async fn join(&mut self, message: &Incoming) -> Result<()> {
        if let Some(batch) = message.boolean("batch")? {
            self.session.changing().batch = batch;
        }
        self.enter().await
    }

    /// A message before `join` joins by itself (contract 8.3).
    pub(super) async fn join_first(&mut self) -> Result<()> {
        if self.session.changing().phase == Phase::New { self.enter().await } else { Ok(()) }
    }

    pub(crate) async fn enter(&mut self) -> Result<()> {
        let answer = self.come_in().await?;
        if self.session.changing().phase == Phase::Waiting {
            self.session.send(&Outgoing::server("join", self.session.meeting_id, answer));
            self.signaling.publish(&self.session);
        } else {
            self.welcome(answer);
        }
        Ok(())
    }

    /// Does in the store what `join` does; returns the answer.
    pub(super) async fn come_in(&mut self) -> Result<Value> {
        let meeting_id = self.session.meeting_id;
        let Joined { meeting, participant } =
            joining::join(&self.signaling.app, &self.session.identity, meeting_id, None).await?;
        self.meeting = meeting;
        self.take(&participant);
        if participant.status == Presence::Waiting {
            self.session.changing().phase = Phase::Waiting;
            return Ok(json!({"status": "waiting", "session_id": self.session.id}));
        }
        self.welcome_data().await
    }

    /// The answer to someone who is in, then the news to the others.
    fn welcome(&mut self, answer: Value) {
        self.session.send(&Outgoing::server("join", self.session.meeting_id, answer));
        self.signaling.registry.joined(&self.session);
        // Who waited had none.
        self.apply_rights();
        self.signaling.publish(&self.session);
    }

    async fn welcome_data(&self) -> Result<Value> {
        let signaling = &self.signaling;
        let meeting_id = self.session.meeting_id;
        let (mut people, total) =
            participants::list(&signaling.app.db, meeting_id, LONG_MEETING, 0).await?;
        if total > LONG_MEETING {
            people.truncate(SHORT_LIST);
        }
        let present = signaling.registry.select(meeting_id, |other| other.is_joined());
        let list: Vec<Value> = people
            .iter()
            .map(|person| {
                let live = present.iter().find(|other| other.user_id() == person.user_id);
                let mut value = participant_json(person);
                if let (Some(live), Some(map)) = (live, value.as_object_mut()) {
                    map.insert("peer_id".to_owned(), live.peer_id.clone().into());
                    map.insert("media_state".to_owned(), media_json(live.changing().media));
                }
                value
            })
            .collect();
        let ice: Vec<Value> = signaling
            .app
            .config
            .ice_servers
            .iter()
            .map(|server| {
                json!({
                    "urls": server.urls,
                    "username": server.username,
                    "credential": server.credential,
                })
            })
            .collect();
        let own = self.session.changing().clone();
        let resume = (self.door == Door::WebSocket).then(|| self.session.new_resume_token());
        Ok(json!({
            "status": "joined",
            "session_id": self.session.id,
            "resume_token": resume,
            "peer_id": self.session.peer_id,
            "room_id": format!("room_{meeting_id}"),
            "user_id": self.session.user_id(),
            "role": own.role.as_str(),
            "media_state": media_json(own.media),
            "participants": list,
            "participants_total": total,
            "ice_servers": ice,
            "locked": signaling.app.live.is_locked(meeting_id),
        }))
    }

    /// Looks everything up again after a nudge; the close when there is no place any more.
    pub(crate) async fn refresh(&mut self, nudge: Nudge) -> Option<Close> {
        match self.look_up(nudge).await {
            Ok(close) => close,
            Err(Error::Internal(cause)) => {
                tracing::error!(%cause, "a connection could not be refreshed");
                None
            }
            Err(error) => Some(Close::for_refusal(&error).unwrap_or(Close::REMOVED)),
        }
    }

    async fn look_up(&mut self, nudge: Nudge) -> Result<Option<Close>> {
        let app = &self.signaling.app;
        let (meeting_id, user_id) = (self.session.meeting_id, self.session.user_id());
        if let identity::Origin::Session { sid, generation } = &self.session.identity.origin {
            identity::session_user(app, sid, user_id, *generation).await?;
        }
        self.meeting = crate::domain::meetings::find(app, meeting_id).await?;
        if self.meeting.status.is_over() {
            return Ok(Some(Close::ENDED));
        }
        let Some(participant) = participants::find(&app.db, meeting_id, user_id).await? else {
            // Before the first join there need not be one.
            let phase = self.session.changing().phase;
            return Ok((phase != Phase::New).then_some(Close::REMOVED));
        };
        self.take(&participant);
        let phase = self.session.changing().phase;
        match (phase, participant.status) {
            (Phase::Waiting, Presence::Online) => {
                let answer = self.welcome_data().await?;
                self.welcome(answer);
            }
            (Phase::Waiting, Presence::Waiting) if nudge == Nudge::Admitted => {}
            // An earlier connection's end came after this one's join.
            (Phase::Joined | Phase::Waiting, Presence::Offline) => self.enter().await?,
            _ => self.apply_rights(),
        }
        Ok(None)
    }

    /// Takes over what the store says about the participant.
    fn take(&mut self, participant: &Participant) {
        {
            let mut changing = self.session.changing();
            changing.participant_id = participant.participant_id;
            changing.role = participant.role;
            changing.hidden = participant.hidden;
            if changing.phase == Phase::New
                && self.meeting.settings.mute_on_join
                && !participant.role.leads()
            {
                changing.silenced = true;
                changing.media.audio = false;
            }
        }
        self.apply_rights();
    }

    /// Computes rights anew and tells the shard when they changed.
    pub(super) fn apply_rights(&mut self) {
        let changing = self.session.changing().clone();
        let presence =
            if changing.phase == Phase::Waiting { Presence::Waiting } else { Presence::Online };
        let mut rights = rights::rights(
            self.meeting.meeting_type,
            &self.meeting.settings,
            changing.role,
            presence,
            self.session.identity.grants(),
            changing.silenced,
        );
        match self.door {
            Door::WebSocket => {}
            Door::Whip => rights.subscribe = false,
            Door::Whep => {
                rights = weir_sfu_api::Rights {
                    subscribe: rights.subscribe,
                    ..weir_sfu_api::Rights::NONE
                };
            }
        }
        if rights != self.rights {
            self.rights = rights;
            if let Some(media) = &self.media {
                self.signaling.hub.set_rights(media.peer(), rights);
            }
        }
    }
}

/// A participant as REST shows it.
fn participant_json(person: &Participant) -> Value {
    json!({
        "participant_id": person.participant_id,
        "meeting_id": person.meeting_id,
        "user_id": person.user_id,
        "username": person.username,
        "nickname": person.nickname,
        "role": person.role.as_str(),
        "status": person.status.as_str(),
        "joined_at": person.joined_at.iso(),
    })
}
