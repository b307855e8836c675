//! Coming in: `join`, the waiting room, and what follows a change of role or settings.

use super::connection::{Conversation, Door, Told};
use super::message::{Close, Incoming, Outgoing};
use super::rights;
use super::session::{Nudge, Phase, media_json};
use crate::domain::identity;
use crate::domain::joining::{self, Joined};
use crate::domain::live::MediaState;
use crate::domain::types::{Presence, Settings};
use crate::store::meetings::Meeting;
use crate::store::participants::{self, Participant};
use crate::{Error, Result};
use serde_json::{Value, json};
use weir_sfu_api::{Rights, SlotPolicy};

/// Above so many people the join answer holds only the first [`SHORT_LIST`] (contract 8.3).
const LONG_MEETING: i64 = 100;
const SHORT_LIST: i64 = 50;

impl Conversation {
    /// `join`: answered each time, announced once.
    pub(super) async fn join(&mut self, message: &Incoming) -> Result<()> {
        if let Some(batch) = message.boolean("batch")? {
            self.session.changing().batch = batch;
        }
        match message.text("slots")? {
            None => {}
            Some("speakers") => self.negotiator.new.slots = SlotPolicy::Speakers,
            Some("join_order") => self.negotiator.new.slots = SlotPolicy::JoinOrder,
            Some(_) => return Err(Error::field("slots", "must be speakers or join_order")),
        }
        if let Some(state) = message.field("media_state") {
            self.first_state(state)?;
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
            self.signaling.registry.tell_waiting(self.session.meeting_id);
        } else {
            self.welcome(answer);
        }
        Ok(())
    }

    /// What a newcomer sends from the start: the others learn it with `user-joined`.
    fn first_state(&self, state: &Value) -> Result<()> {
        let bad = || Error::field("media_state", "must hold booleans audio and video");
        let state = state.as_object().ok_or_else(bad)?;
        let flag = |key: &str| match state.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(bad),
        };
        let (audio, video) = (flag("audio")?, flag("video")?);
        let mut changing = self.session.changing();
        if changing.phase == Phase::New {
            changing.media.audio = audio.unwrap_or(changing.media.audio);
            changing.media.video = video.unwrap_or(changing.media.video);
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
        let waited = self.session.changing().phase == Phase::Waiting;
        self.signaling.registry.joined(&self.session);
        if waited {
            self.signaling.registry.tell_waiting(self.session.meeting_id);
        }
        // Who waited had none.
        self.apply_rights();
        self.signaling.publish(&self.session);
    }

    async fn welcome_data(&mut self) -> Result<Value> {
        let signaling = &self.signaling;
        let meeting_id = self.session.meeting_id;
        let (mut people, total) =
            participants::list(&signaling.app.db, meeting_id, LONG_MEETING, 0).await?;
        if total > LONG_MEETING {
            // Of so many only those who are here matter; the first to come are the hosts mostly.
            people = participants::page_of_status(
                &signaling.app.db,
                meeting_id,
                Presence::Online,
                SHORT_LIST,
                0,
            )
            .await?;
        }
        let hands = signaling.app.live.hands(meeting_id);
        let present = signaling.registry.select(meeting_id, |other| other.is_joined());
        let list: Vec<Value> = people
            .iter()
            .map(|person| {
                let live = present.iter().find(|other| other.user_id() == person.user_id);
                let mut value = participant_json(person);
                let hand = hands.iter().find(|hand| hand.user_id == person.user_id);
                value["hand_raised"] = hand.is_some().into();
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
        let hands: Vec<Value> = hands
            .iter()
            .map(|hand| json!({"user_id": hand.user_id, "raised_at": hand.raised_at.iso()}))
            .collect();
        let told = Told { rights: self.allowed(), role: own.role };
        let here = signaling.registry.total(meeting_id);
        // Who is just coming in is not among them yet.
        let newcomer = own.phase != Phase::Joined && !own.hidden;
        let mut answer = json!({
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
            "online_total": here + usize::from(newcomer),
            "hands": hands,
            "locked": signaling.app.live.is_locked(meeting_id),
            "settings": settings_json(&self.meeting.settings),
            "rights": rights_json(told.rights),
        });
        if own.role.leads() {
            answer["waiting"] = signaling.registry.waiting(meeting_id)["waiting"].take();
        }
        self.told = Some(told);
        Ok(answer)
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
        let found = crate::domain::meetings::find(app, meeting_id).await?;
        let before = std::mem::replace(&mut self.meeting, found);
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
            (Phase::Joined, _) => {
                self.apply_rights();
                self.tell_changes(&before);
            }
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
        self.quieten();
        self.apply_rights();
    }

    /// Whether this participant may be seen and heard at all.
    pub(super) fn may_publish(&self) -> bool {
        let role = self.session.changing().role;
        rights::may_publish(&self.meeting.settings, role, self.session.identity.grants())
    }

    /// Who may not publish sends nothing, whatever the client said before.
    fn quieten(&self) {
        if self.may_publish() {
            return;
        }
        let silence = MediaState { audio: false, video: false, screen: false };
        let (before, joined) = {
            let mut changing = self.session.changing();
            (std::mem::replace(&mut changing.media, silence), changing.phase == Phase::Joined)
        };
        if joined && before != silence {
            self.tell_media_state(silence);
        }
    }

    /// What the client may do: its rights, but for a microphone it only has to switch on.
    fn allowed(&self) -> Rights {
        let role = self.session.changing().role;
        let grants = self.session.identity.grants();
        let (kind, settings) = (self.meeting.meeting_type, &self.meeting.settings);
        rights::rights(kind, settings, role, Presence::Online, grants, false)
    }

    /// Tells the client what is new: its rights, its role, the meeting's settings.
    fn tell_changes(&mut self, before: &Meeting) {
        let meeting_id = self.session.meeting_id;
        let meeting = &self.meeting;
        if before.title != meeting.title || before.settings != meeting.settings {
            let data =
                json!({"title": meeting.title, "settings": settings_json(&meeting.settings)});
            self.session.send(&Outgoing::server("meeting-updated", meeting_id, data));
        }
        let told = Told { rights: self.allowed(), role: self.session.changing().role };
        if self.told != Some(told) {
            self.told = Some(told);
            let data = json!({"role": told.role.as_str(), "rights": rights_json(told.rights)});
            self.session.send(&Outgoing::server("rights", meeting_id, data));
        }
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

fn rights_json(rights: Rights) -> Value {
    json!({
        "publish_audio": rights.publish_audio,
        "publish_video": rights.publish_video,
        "publish_screen": rights.publish_screen,
        "subscribe": rights.subscribe,
    })
}

fn settings_json(settings: &Settings) -> Value {
    json!({
        "enable_recording": settings.enable_recording,
        "enable_chat": settings.enable_chat,
        "enable_screen_share": settings.enable_screen_share,
        "enable_waiting_room": settings.enable_waiting_room,
        "mute_on_join": settings.mute_on_join,
        "who_may_publish": settings.who_may_publish.as_str(),
    })
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
