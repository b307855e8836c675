//! Everybody who was asked to come, each a task.

use crate::engine::Engine;
use crate::error::LoadError;
use crate::measure;
use crate::plan::{PersonPlan, Verify};
use crate::scenario::Scenario;
use crate::target::{Presence, Target};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};

/// Different reasons that are told while it runs, and kept apart in the report.
const MOST_REASONS: usize = 12;

#[derive(Debug)]
enum Event {
    Joined,
    Left,
    /// Could not join, or was there and lost its connection.
    Failed {
        name: String,
        why: String,
        was_here: bool,
    },
}

/// A role's people.
#[derive(Debug, Default)]
struct Asked {
    /// How many ever.
    next: u32,
    /// Those not asked to leave, oldest first. Who failed stays here: nobody comes in their place.
    here: VecDeque<oneshot::Sender<()>>,
}

#[derive(Debug)]
pub(super) struct People {
    target: Arc<Target>,
    engine: Engine,
    joining: Arc<Semaphore>,
    tell: UnboundedSender<Event>,
    events: UnboundedReceiver<Event>,
    roles: BTreeMap<String, Asked>,
    counts: measure::People,
    /// By reason, how often.
    failures: BTreeMap<String, u32>,
    news: VecDeque<String>,
    publishing: Publishing,
}

/// Rooms in which somebody published.
#[derive(Debug, Clone, Default)]
struct Publishing(Arc<Mutex<BTreeSet<u32>>>);

impl Publishing {
    fn note(&self, room: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(room);
    }

    fn is_in(&self, room: u32) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&room)
    }
}

impl People {
    pub(super) fn new(target: Arc<Target>, engine: Engine, concurrency: usize) -> Self {
        let (tell, events) = unbounded_channel();
        Self {
            target,
            engine,
            joining: Arc::new(Semaphore::new(concurrency.max(1))),
            tell,
            events,
            roles: BTreeMap::new(),
            counts: measure::People::default(),
            failures: BTreeMap::new(),
            news: VecDeque::new(),
            publishing: Publishing::default(),
        }
    }

    pub(super) fn counts(&self) -> measure::People {
        self.counts
    }

    /// Why people failed, most first.
    pub(super) fn failures(&self) -> Vec<(String, u32)> {
        let mut all: Vec<(String, u32)> =
            self.failures.iter().map(|(why, count)| (why.clone(), *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }

    /// How many of a role are there, come, or were there until they failed.
    pub(super) fn asked(&self, role: &str) -> u32 {
        let here = self.roles.get(role).map_or(0, |asked| asked.here.len());
        u32::try_from(here).unwrap_or(u32::MAX)
    }

    /// The first of all, alone; an error is what hinders everybody.
    pub(super) async fn scout(
        &mut self,
        role: &str,
        plan: Option<PersonPlan>,
    ) -> Result<(), LoadError> {
        let Some(mut plan) = plan else { return Ok(()) };
        plan.waits = true;
        let asked = self.roles.entry(role.to_owned()).or_default();
        asked.next += 1;
        self.counts.started += 1;
        let name = plan.name.clone();
        let (room, publishes) = (plan.room, !plan.publish.is_empty());
        match self.target.join(&self.engine, plan).await {
            Ok(presence) => {
                if publishes {
                    self.publishing.note(room);
                }
                let (leave, told) = oneshot::channel();
                asked.here.push_back(leave);
                self.counts.present += 1;
                tokio::spawn(stay(presence, name, told, self.tell.clone()));
                Ok(())
            }
            Err(error) => {
                self.counts.failed += 1;
                Err(error)
            }
        }
    }

    /// Asks one more of a role to come.
    pub(super) fn come(&mut self, role: &str, scenario: &Scenario, verify: Verify) {
        let asked = self.roles.entry(role.to_owned()).or_default();
        let Some(mut plan) = scenario.person(role, asked.next, verify) else { return };
        asked.next += 1;
        self.counts.started += 1;
        let (leave, told) = oneshot::channel();
        asked.here.push_back(leave);
        let (target, engine) = (Arc::clone(&self.target), self.engine.clone());
        let (joining, tell) = (Arc::clone(&self.joining), self.tell.clone());
        let publishing = self.publishing.clone();
        tokio::spawn(async move {
            let name = plan.name.clone();
            let (room, publishes) = (plan.room, !plan.publish.is_empty());
            let joined = {
                // The semaphore is never closed.
                let _permit = joining.acquire().await;
                plan.waits = !publishing.is_in(room);
                target.join(&engine, plan).await
            };
            match joined {
                Ok(presence) => {
                    if publishes {
                        publishing.note(room);
                    }
                    let _ = tell.send(Event::Joined);
                    stay(presence, name, told, tell).await;
                }
                Err(error) => {
                    let why = error.to_string();
                    let _ = tell.send(Event::Failed { name, why, was_here: false });
                }
            }
        });
    }

    /// Asks the one of a role who came first to leave; `false` when there is none.
    pub(super) fn leave_oldest(&mut self, role: &str) -> bool {
        let oldest = self.roles.get_mut(role).and_then(|asked| asked.here.pop_front());
        oldest.is_some_and(|leave| {
            // Who failed before cannot hear it, and is replaced all the same.
            let _ = leave.send(());
            true
        })
    }

    /// The one who came last.
    pub(super) fn leave_newest(&mut self, role: &str) {
        if let Some(leave) = self.roles.get_mut(role).and_then(|asked| asked.here.pop_back()) {
            let _ = leave.send(());
        }
    }

    /// Everybody is to leave.
    pub(super) fn all_leave(&mut self) {
        for asked in self.roles.values_mut() {
            for leave in asked.here.drain(..) {
                let _ = leave.send(());
            }
        }
    }

    /// Waits until nobody is there any more.
    pub(super) async fn empty(&mut self) {
        while self.counts.present > 0 {
            self.event().await;
        }
    }

    /// People should be there, have been there, and none is.
    pub(super) fn is_deserted(&self) -> bool {
        let counts = self.counts;
        let asked = self.roles.values().any(|asked| !asked.here.is_empty());
        asked
            && counts.present == 0
            && counts.failed > 0
            && counts.failed + counts.left == counts.started
    }

    /// Takes the next thing that happened.
    pub(super) async fn event(&mut self) {
        // We hold a sender: the channel is never closed.
        let Some(event) = self.events.recv().await else { return };
        match event {
            Event::Joined => self.counts.present += 1,
            Event::Left => {
                self.counts.present = self.counts.present.saturating_sub(1);
                self.counts.left += 1;
            }
            Event::Failed { name, why, was_here } => {
                self.counts.failed += 1;
                if was_here {
                    self.counts.present = self.counts.present.saturating_sub(1);
                }
                self.note(&name, why, was_here);
            }
        }
    }

    fn note(&mut self, name: &str, why: String, was_here: bool) {
        let known = self.failures.contains_key(&why);
        if !known && self.failures.len() >= MOST_REASONS {
            *self.failures.entry("other reasons".to_owned()).or_default() += 1;
            return;
        }
        if !known {
            let what = if was_here { "lost its connection" } else { "could not join" };
            self.news.push_back(format!("{name} {what}: {why}"));
        }
        *self.failures.entry(why).or_default() += 1;
    }

    /// A line for the user, each reason once.
    pub(super) fn news(&mut self) -> Option<String> {
        self.news.pop_front()
    }
}

async fn stay(
    mut presence: Presence,
    name: String,
    told: oneshot::Receiver<()>,
    tell: UnboundedSender<Event>,
) {
    let event = tokio::select! {
        why = presence.ended() => Event::Failed { name, why, was_here: true },
        _ = told => {
            presence.leave().await;
            Event::Left
        }
    };
    let _ = tell.send(event);
}
