//! Coming back within a few seconds (contract 8.1): a session outlives its socket.
//!
//! The answer to `join` holds a token. Who shows it on a new connection, in the `resume_token` of
//! its first `join`, goes on with the session it belongs to: same ids, same peer in the shard, and
//! what was said meanwhile follows. Nobody else notices. The token works also while the server
//! still believes in the old socket, as it does when a phone changes its network.

use super::connection::{Conversation, End, Turn, Wire};
use super::message::{Close, Outgoing};
use super::session::{Ends, OUT_QUEUE, Session};
use super::slots;
use crate::auth::secret;
use crate::media::PeerEvent;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

impl Session {
    /// A new token for the answer to `join`; the one before is worth nothing from now on.
    pub(super) fn new_resume_token(&self) -> String {
        let token = secret::token("");
        self.changing().resume = Some(secret::digest(&token));
        token
    }

    /// Uses the token up; false when it is another one.
    pub(super) fn take_resume_token(&self, digest: &str) -> bool {
        self.changing().resume.take_if(|known| known == digest).is_some()
    }

    /// Gives the session a new socket; gives it back when the session has just ended.
    pub(super) fn take_over(&self, wire: Box<Wire>) -> Result<(), Box<Wire>> {
        self.back.try_send(wire).map_err(tokio::sync::mpsc::error::TrySendError::into_inner)
    }
}

impl Ends {
    /// Keeps a message for who is away. The oldest goes when there are too many: the answer to
    /// `join` tells how things stand.
    fn keep(&mut self, text: Arc<str>) {
        if self.missed.len() >= OUT_QUEUE {
            self.missed.pop_front();
        }
        self.missed.push_back(text);
    }
}

impl Conversation {
    /// Waits for the client to come back, while rights and media go on. `None`: it did not, or the
    /// session was ended meanwhile.
    pub(super) async fn away(&mut self, ends: &mut Ends) -> Option<Box<Wire>> {
        self.set_away(true);
        let until = Instant::now() + self.signaling.app.config.ws.timers.resume;
        loop {
            let media = async {
                match &mut self.media {
                    Some(media) => media.event().await,
                    None => std::future::pending().await,
                }
            };
            let turn = tokio::select! {
                biased;
                _ = ends.close.changed() => return None,
                Some(wire) = ends.back.recv() => Turn::Back(wire),
                Some(nudge) = ends.nudge.recv() => Turn::Nudge(nudge),
                Some(text) = ends.out.recv() => Turn::Out(text),
                event = media => Turn::Media(event),
                () = sleep_until(until) => return None,
            };
            match turn {
                Turn::Back(wire) => return Some(wire),
                Turn::Nudge(nudge) => {
                    let close = self.refresh(nudge).await;
                    close.is_none().then_some(())?;
                }
                Turn::Out(text) => ends.keep(text),
                // The last state is told on return; who speaks now is old by then.
                Turn::Media(Some(PeerEvent::Slots(list))) => self.slots = list,
                Turn::Media(Some(PeerEvent::Layers { mid, layers })) => {
                    self.layers.insert(mid, layers);
                }
                Turn::Media(Some(PeerEvent::Speakers(_))) => {}
                Turn::Media(event) => self.media_event(event),
                _ => {}
            }
        }
    }

    /// Answers the `join` of who is back, then tells what they missed.
    pub(super) async fn welcome_back(&mut self, wire: &mut Wire, ends: &mut Ends) -> Option<End> {
        while let Ok(text) = ends.out.try_recv() {
            ends.keep(text);
        }
        self.session.touch();
        let meeting_id = self.session.meeting_id;
        let now = self.signaling.app.clock.now();
        let mut answer = match self.come_in().await {
            Ok(answer) => answer,
            Err(error) => {
                wire.error(meeting_id, &self.signaling.app, &error).await;
                return Some(End::Close(Close::for_refusal(&error).unwrap_or(Close::NORMAL)));
            }
        };
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("resumed".to_owned(), true.into());
        }
        self.set_away(false);
        ends.missed.push_front(Outgoing::server("join", meeting_id, answer).text(now));
        if self.media.is_some() && !self.slots.is_empty() {
            ends.missed.push_back(slots::slots(meeting_id, &self.slots).text(now));
        }
        for (mid, layers) in &self.layers {
            ends.missed.push_back(slots::layers(meeting_id, *mid, layers).text(now));
        }
        while let Some(text) = ends.missed.pop_front() {
            if !wire.send_text(&text).await {
                return Some(End::Lost);
            }
        }
        None
    }

    fn set_away(&self, away: bool) {
        self.session.changing().away = away;
        self.signaling.publish(&self.session);
    }
}
