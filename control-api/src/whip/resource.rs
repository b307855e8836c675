//! A running WHIP or WHEP session and the task that ends it.

use super::MAX_RESOURCES_PER_USER;
use super::answer::Failure;
use crate::auth::secret;
use crate::domain::types::{MeetingId, UserId};
use crate::media::PeerEvent;
use crate::signaling::Close;
use crate::signaling::connection::{Conversation, Door};
use crate::signaling::session::{Ends, LeaveReason, Session};
use poem::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// All resources of this process.
#[derive(Default)]
pub(crate) struct Resources {
    by_id: Mutex<HashMap<String, Arc<Resource>>>,
}

/// One resource.
pub(crate) struct Resource {
    /// Part of its URL: 128 random bits.
    pub(crate) id: String,
    pub(crate) meeting_id: MeetingId,
    pub(crate) door: Door,
    /// Hash of the token that made it: the same token may change and delete it.
    pub(crate) token: String,
    pub(crate) session: Arc<Session>,
    pub(crate) inner: tokio::sync::Mutex<Inner>,
}

/// What requests and the task share.
pub(crate) struct Inner {
    pub(crate) conversation: Conversation,
    /// Entity tag of the ICE session (RFC 9725 4.3.1), quotes included.
    pub(crate) etag: String,
}

/// A new entity tag.
pub(crate) fn new_etag() -> String {
    format!("\"{}\"", secret::id(""))
}

impl Resources {
    pub(crate) fn get(&self, door: Door, meeting_id: MeetingId, id: &str) -> Option<Arc<Resource>> {
        let found = self.by_id().get(id).cloned()?;
        (found.door == door && found.meeting_id == meeting_id).then_some(found)
    }

    pub(crate) fn check_room_for(&self, user_id: UserId) -> Result<(), Failure> {
        let own = self.by_id().values().filter(|other| other.session.user_id() == user_id).count();
        if own < MAX_RESOURCES_PER_USER {
            return Ok(());
        }
        let text = format!("a user may have {MAX_RESOURCES_PER_USER} WHIP and WHEP sessions");
        Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, text))
    }

    /// Takes a resource in; its task takes it out again.
    pub(crate) fn start(
        self: &Arc<Self>,
        resource: Resource,
        ends: Ends,
        events: mpsc::Receiver<PeerEvent>,
    ) -> Arc<Resource> {
        let resource = Arc::new(resource);
        self.by_id().insert(resource.id.clone(), Arc::clone(&resource));
        let (resources, running) = (Arc::clone(self), Arc::clone(&resource));
        tokio::spawn(async move {
            running.run(ends, events).await;
            resources.by_id().remove(&running.id);
            let signaling = {
                let mut inner = running.inner.lock().await;
                inner.conversation.media = None;
                Arc::clone(&inner.conversation.signaling)
            };
            signaling.forget(&running.session).await;
        });
        resource
    }

    fn by_id(&self) -> MutexGuard<'_, HashMap<String, Arc<Resource>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resource {
    /// Until it is closed from outside or its peer is gone.
    async fn run(&self, mut ends: Ends, mut events: mpsc::Receiver<PeerEvent>) {
        loop {
            tokio::select! {
                _ = ends.close.changed() => return,
                // Messages are for people; nobody is there to read them.
                Some(_) = ends.out.recv() => {}
                Some(nudge) = ends.nudge.recv() => {
                    let closed = self.inner.lock().await.conversation.refresh(nudge).await;
                    if closed.is_some() {
                        return;
                    }
                }
                event = events.recv() => match event {
                    Some(PeerEvent::Gone(_)) | None => return,
                    Some(_) => {}
                },
            }
        }
    }

    /// Ends it: media at once, the rest by its task.
    pub(crate) async fn end(&self) {
        self.session.close(Close::NORMAL, LeaveReason::Left);
        self.inner.lock().await.conversation.media = None;
    }
}
