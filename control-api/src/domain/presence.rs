//! Who is in a meeting by REST alone. A join by REST takes a place; without a WebSocket or media
//! to follow, nobody would ever give it back.

use super::bus::DomainEvent;
use super::joining;
use super::types::{MeetingId, UserId};
use crate::signaling::Signaling;
use crate::{App, Result, store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use weir_sfu_api::RoomId;

/// How often is looked within [`crate::ApiConfig::absence`]: so much longer may a stay last.
const LOOKS: u32 = 6;

/// One person in one meeting.
type Key = (MeetingId, UserId);

/// Since when the store has people in meetings of whom nothing else is seen. No larger than the
/// number of people online.
#[derive(Debug, Default)]
pub(crate) struct Absences {
    since: Mutex<HashMap<Key, Instant>>,
}

impl Absences {
    /// Someone joined, once more maybe: their time begins anew.
    pub(crate) fn joined(&self, meeting_id: MeetingId, user_id: UserId) {
        self.since().remove(&(meeting_id, user_id));
    }

    /// Takes the list of those who are absent now; gives those who have been for `most`.
    fn overdue(&self, absent: &[Key], now: Instant, most: Duration) -> Vec<Key> {
        let mut since = self.since();
        let known = std::mem::take(&mut *since);
        let mut overdue = Vec::new();
        for key in absent {
            let first = known.get(key).copied().unwrap_or(now);
            if now.saturating_duration_since(first) >= most {
                overdue.push(*key);
            } else {
                since.insert(*key, first);
            }
        }
        overdue
    }

    fn since(&self) -> MutexGuard<'_, HashMap<Key, Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that who is absent for too long leaves. Runs as long as the server does.
pub(crate) async fn watch(signaling: Arc<Signaling>) {
    let app = &signaling.app;
    let mut look =
        tokio::time::interval((app.config.absence / LOOKS).max(Duration::from_millis(1)));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if let Err(error) = expire(app, &signaling).await {
            tracing::warn!(%error, "cannot look for people who are absent");
        }
    }
}

async fn expire(app: &App, signaling: &Signaling) -> Result<()> {
    let is_absent = |key: &Key| !is_here(signaling, *key);
    let mut people = store::participants::all_present(&app.db).await?;
    // One look for all: a meeting of a thousand would be gone through for each of them.
    let connected = signaling.registry.everybody();
    people.retain(|key| !connected.contains(key) && is_absent(key));
    for key in app.absences.overdue(&people, Instant::now(), app.config.absence) {
        let (meeting_id, user_id) = key;
        // They may have come while the others were seen to.
        if is_absent(&key) && joining::go_offline(app, user_id, meeting_id).await? {
            tracing::debug!(meeting_id, user_id, "left, never having connected");
            app.admissions.forget(meeting_id, user_id);
            signaling.look_again(meeting_id, user_id);
            if is_absent(&key) {
                app.announce(DomainEvent::ParticipantLeft { meeting_id, user_id });
            }
        }
    }
    Ok(())
}

/// Has a connection, or one that may come back, or media by whatever door.
fn is_here(signaling: &Signaling, (meeting_id, user_id): Key) -> bool {
    let connected =
        !signaling.registry.select(meeting_id, |session| session.user_id() == user_id).is_empty();
    connected
        || u64::try_from(meeting_id).is_ok_and(|room| signaling.hub.has_user(RoomId(room), user_id))
}

#[cfg(test)]
mod tests {
    use super::Absences;
    use std::time::{Duration, Instant};

    #[test]
    fn whoever_is_seen_or_joins_again_begins_anew() {
        let absences = Absences::default();
        let start = Instant::now();
        let most = Duration::from_secs(60);
        let overdue = |absent: &[(i64, i64)], seconds| {
            absences.overdue(absent, start + Duration::from_secs(seconds), most)
        };
        let (ada, ben, cleo) = ((1, 1), (1, 2), (2, 1));
        assert!(overdue(&[ada, ben, cleo], 0).is_empty());
        // Ben is here for a while.
        assert!(overdue(&[ada, cleo], 30).is_empty());
        absences.joined(2, 1);
        assert!(overdue(&[ada, ben, cleo], 40).is_empty());
        assert_eq!(overdue(&[ada, ben, cleo], 60), [ada]);
        assert!(overdue(&[ben, cleo], 99).is_empty());
        assert_eq!(overdue(&[ben, cleo], 100), [ben, cleo]);
        assert!(overdue(&[], 200).is_empty());
        assert!(absences.since().is_empty());
    }
}
