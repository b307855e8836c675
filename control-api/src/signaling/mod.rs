//! `/ws/signaling` (contract section 8): how people and the media server talk about media.
//!
//! [`Signaling`] knows all connections of this process. Each connection is one task
//! (`connection`) that owns its WebSocket and its PeerConnection's negotiation; what others want
//! of it comes through its `session::Session`. Changes made by REST arrive on the domain's bus.

mod allowance;
mod bus;
mod chat;
pub(crate) mod connection;
pub(crate) mod handshake;
mod join;
mod message;
mod moderation;
pub(crate) mod negotiation;
mod offer;
pub(crate) mod registry;
mod resume;
pub(crate) mod rights;
pub(crate) mod session;
mod slots;
mod view;

pub use handshake::endpoint;
pub(crate) use message::Close;

use crate::App;
use crate::domain::types::{MeetingId, UserId};
use crate::media::{MediaHub, MetricsObserver};
use crate::pulse::Pulse;
use poem::Route;
use registry::Registry;
use session::{LeaveReason, Session};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use weir_sdp::Capabilities;
use weir_sfu_api::{Event, ShardId};

/// Largest message from a client in bytes (contract 8.1). The largest offer of our own client, with
/// 12 audio and 25 video slots, stays below it in every browser (web/e2e/tests/offer-size.test.mjs).
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Messages a client may send in one second (contract 8.1).
pub const MAX_MESSAGES_PER_SECOND: u32 = 50;

/// All signalling connections of this process. Also the home of WHIP and WHEP resources, which
/// are participants without a WebSocket.
#[derive(Debug)]
pub struct Signaling {
    pub(crate) app: App,
    pub(crate) hub: Arc<MediaHub>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) capabilities: Capabilities,
    stopping: AtomicBool,
    /// Of [`Self::follow`].
    pulse: Pulse,
}

impl Signaling {
    /// Signalling over a media hub. [`Self::follow`] must be running.
    #[must_use]
    pub fn new(app: App, hub: Arc<MediaHub>, capabilities: Capabilities) -> Arc<Self> {
        let registry = Arc::new(Registry::new(app.clock.clone()));
        let (stopping, pulse) = (AtomicBool::new(false), Pulse::new());
        Arc::new(Self { app, hub, registry, capabilities, stopping, pulse })
    }

    /// Everything live about meetings: the media hub over the application's shards, this, and the
    /// tasks that keep both informed.
    #[must_use]
    pub fn start(
        app: &App,
        capabilities: Capabilities,
        events: mpsc::Receiver<(ShardId, Event)>,
    ) -> Arc<Self> {
        let observer = Arc::new(MetricsObserver::new(app.clone()));
        let hub = MediaHub::new(Arc::clone(&app.media), observer, app.config.room_peers_per_shard);
        tokio::spawn(Arc::clone(&hub).run(events));
        let signaling = Self::new(app.clone(), hub, capabilities);
        tokio::spawn(Arc::clone(&signaling).follow(app.subscribe()));
        tokio::spawn(crate::domain::presence::watch(Arc::clone(&signaling)));
        signaling
    }

    /// Adds `/ws/signaling`, WHIP and WHEP to the routes of REST.
    #[must_use]
    pub fn mount(self: &Arc<Self>, routes: Route) -> Route {
        let routes = routes.at("/ws/signaling", endpoint(Arc::clone(self)));
        crate::whip::mount(routes, self)
    }

    /// The media hub.
    #[must_use]
    pub fn hub(&self) -> &Arc<MediaHub> {
        &self.hub
    }

    /// Whether the tasks turn that tell connections what happens: the one behind the domain's bus
    /// and the one behind the shards' events.
    pub async fn is_alive(&self, within: Duration) -> bool {
        let (bus, hub) = tokio::join!(self.pulse.beats(within), self.hub.pulse.beats(within));
        bus && hub
    }

    /// Whether new connections are refused because the server ends.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Closes all connections with 1001 and waits for them, at most `within`.
    pub async fn shutdown(&self, within: Duration) {
        self.stopping.store(true, Ordering::Relaxed);
        let end = tokio::time::Instant::now() + within;
        loop {
            // Again in each round: a connection may have been made meanwhile.
            self.registry.close_where(|_| true, Close::STOPPING, LeaveReason::Disconnected);
            if self.registry.is_empty() || tokio::time::Instant::now() >= end {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends connections from which nothing came for so many seconds. Returns how many, and how
    /// many are left.
    pub fn cleanup(&self, idle_seconds: i64) -> (usize, usize) {
        let limit = self.app.clock.now().plus_seconds(idle_seconds.saturating_neg());
        let all = self.registry.all();
        let idle: Vec<_> = all.iter().filter(|session| session.last_active() <= limit).collect();
        for session in &idle {
            session.close(Close::IDLE, LeaveReason::Disconnected);
        }
        (idle.len(), all.len() - idle.len())
    }

    /// Shows a connection in REST and to others; undone by [`Self::forget`].
    pub(crate) fn register(&self, session: &Arc<Session>) {
        self.registry.add(session);
        self.app.live.put(session.view());
        self.app.metrics.sessions.inc();
    }

    /// Tells REST what changed.
    pub(crate) fn publish(&self, session: &Session) {
        self.app.live.change(&session.id, |view| *view = session.view());
    }

    /// Takes a connection out and, when it was its user's last, marks the participant offline.
    pub(crate) async fn forget(&self, session: &Arc<Session>) {
        self.app.live.remove(&session.id);
        self.app.metrics.sessions.dec();
        let last = self.registry.remove(session);
        if session.changing().phase == session::Phase::Waiting {
            self.registry.tell_waiting(session.meeting_id);
        }
        if !last {
            return;
        }
        let (user_id, meeting_id) = (session.user_id(), session.meeting_id);
        if let Err(error) = crate::domain::joining::go_offline(&self.app, user_id, meeting_id).await
        {
            tracing::warn!(%error, user_id, meeting_id, "a participant could not go offline");
        }
        self.look_again(meeting_id, user_id);
    }

    /// Someone who came back at the very moment they went offline is online after all.
    pub(crate) fn look_again(&self, meeting_id: MeetingId, user_id: UserId) {
        for again in self.registry.select(meeting_id, |other| other.user_id() == user_id) {
            again.nudge(session::Nudge::Refresh);
        }
    }
}
