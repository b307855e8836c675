//! Requests to shards and the dispatch of what they tell.

use super::MediaObserver;
use super::error::MediaError;
use super::events::PeerEvent;
use super::plane::MediaPlane;
use super::state::{NewPeer, PeerView, State};
use super::view::WantedView;
use super::watching::Addressed;
use crate::pulse::{Beats, Pulse};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use weir_sfu_api::{
    ApiError, Command, Event, GoneReason, MediaAnswer, MediaDescription, PeerId, PeerStats, Reply,
    ReplyBody, RequestId, Rights, RoomId, RoomStats, ShardId, SourceKind, TransportAnswer,
    TransportDescription,
};

/// How long a shard may take to answer. It answers between two batches of packets, so within
/// milliseconds; more means that it is stuck.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// Events a peer's owner may leave unread. Slots change a few times a second at most.
pub const PEER_EVENT_QUEUE: usize = 64;

/// A shard's part of an SDP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// ICE and DTLS.
    pub transport: TransportAnswer,
    /// Slots.
    pub media: MediaAnswer,
}

/// The control plane's end of the forwarding core. Cheap to share, all methods by `&self`.
pub struct MediaHub {
    plane: Arc<dyn MediaPlane>,
    observer: Arc<dyn MediaObserver>,
    state: Mutex<State>,
    /// Of [`Self::run`].
    pub(crate) pulse: Pulse,
}

impl std::fmt::Debug for MediaHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaHub")
            .field("shards", &self.plane.shard_count())
            .finish_non_exhaustive()
    }
}

impl MediaHub {
    /// A hub over a media plane. A room with more than `spill` peers on a shard spills over to another.
    /// Nothing is answered until [`Self::run`] is polled.
    #[must_use]
    pub fn new(
        plane: Arc<dyn MediaPlane>,
        observer: Arc<dyn MediaObserver>,
        spill: NonZeroU32,
    ) -> Arc<Self> {
        let state = Mutex::new(State::new(plane.shard_count(), spill));
        Arc::new(Self { plane, observer, state, pulse: Pulse::new() })
    }

    /// Dispatches events until the channel closes.
    pub async fn run(self: Arc<Self>, mut events: mpsc::Receiver<(ShardId, Event)>) {
        let mut beats = self.pulse.take();
        loop {
            tokio::select! {
                () = Beats::answer(&mut beats) => {}
                event = events.recv() => match event {
                    Some((shard, event)) => self.dispatch(shard, event),
                    None => return,
                },
            }
        }
    }

    fn dispatch(&self, shard: ShardId, event: Event) {
        match event {
            Event::Reply(Reply { req, result }) => {
                let waiting = self.state().pending.remove(&req);
                // Who asked may have given up waiting.
                if let Some((_, reply)) = waiting {
                    let _ = reply.send(result);
                }
            }
            Event::Connected { peer, profile, setup_us } => {
                self.observer.connected(profile, setup_us);
                if let Some(peer) = self.state().peer_mut(peer) {
                    peer.view.connected = true;
                    peer.tell(PeerEvent::Connected);
                }
            }
            Event::Gone { peer, reason, .. } => {
                self.observer.gone(reason);
                if let Some(peer) = self.state().remove(peer) {
                    peer.tell(PeerEvent::Gone(reason));
                }
            }
            Event::TrackUp { track, .. } => self.state().track_up(track),
            Event::TrackDown { room, track } => self.state().track_down(room, track),
            Event::Slots { peer, slots } => self.state().slots(peer, &slots),
            Event::Speakers { room, speakers } => self.state().speakers(room, &speakers),
            Event::LayerDemand { peer, mid, layers } => {
                if let Some(peer) = self.state().peer(peer) {
                    peer.tell(PeerEvent::Layers { mid, layers });
                }
            }
            Event::Renegotiate { peer, ice_restart, reason } => {
                if let Some(peer) = self.state().peer(peer) {
                    peer.tell(PeerEvent::Renegotiate { ice_restart, reason });
                }
            }
            Event::Stats(stats) => self.observer.shard(shard, &stats),
            other => tracing::debug!(?other, "an event nobody handles"),
        }
    }

    /// Puts a peer into its room. Events about it come through the returned channel. It leaves
    /// when the handle is dropped, also when this call is cancelled.
    ///
    /// # Errors
    /// A limit of the shard, or no answer.
    pub async fn join(
        self: &Arc<Self>,
        new: NewPeer,
    ) -> Result<(PeerHandle, mpsc::Receiver<PeerEvent>), MediaError> {
        let (events, receiver) = mpsc::channel(PEER_EVENT_QUEUE);
        let (room, rights, slots) = (new.room, new.rights, new.slots);
        let (peer, shard, span) = self.state().add(new, events);
        let handle = PeerHandle { hub: Arc::clone(self), peer };
        span.into_iter().for_each(|(shard, command)| self.plane.send(shard, command));
        let command = |req| Command::Join { req, peer, room, rights, slots };
        match self.ask(shard, command).await? {
            ReplyBody::Done => {
                let views = self.state().views_of(peer);
                views.into_iter().for_each(|view| self.send_view(view));
                Ok((handle, receiver))
            }
            _ => Err(MediaError::OutOfTurn),
        }
    }

    /// Applies an offer.
    ///
    /// # Errors
    /// The shard refuses it or does not answer.
    pub async fn offer(
        &self,
        peer: PeerId,
        description: MediaDescription,
    ) -> Result<Answer, MediaError> {
        let shard = self.shard_of(peer)?;
        let description = Box::new(description);
        let body = self.ask(shard, |req| Command::Offer { req, peer, description }).await?;
        answer(body)
    }

    /// Restarts ICE without changing media.
    ///
    /// # Errors
    /// As [`Self::offer`].
    pub async fn ice_restart(
        &self,
        peer: PeerId,
        transport: TransportDescription,
    ) -> Result<Answer, MediaError> {
        let shard = self.shard_of(peer)?;
        let transport = Box::new(transport);
        let body = self.ask(shard, |req| Command::IceRestart { req, peer, transport }).await?;
        answer(body)
    }

    /// Changes what a peer may do.
    pub fn set_rights(&self, peer: PeerId, rights: Rights) {
        let shard = {
            let mut state = self.state();
            let Some(peer) = state.peer_mut(peer) else { return };
            peer.view.rights = rights;
            peer.shard
        };
        self.plane.send(shard, Command::SetRights { peer, rights });
    }

    /// What a peer wants to see from now on. Its policy becomes [`weir_sfu_api::SlotPolicy::Speakers`].
    pub fn set_view(&self, peer: PeerId, wanted: WantedView) {
        let view = self.state().set_view(peer, wanted);
        if let Some(view) = view {
            self.send_view(view);
        }
    }

    fn send_view(&self, (shard, peer, view): Addressed) {
        self.plane.send(shard, Command::SetView { peer, view });
    }

    /// Tells that a peer switched one of its sources off or on.
    pub fn set_muted(&self, peer: PeerId, source: SourceKind, muted: bool) {
        let shard = self.state().shard_of_peer(peer);
        if let Some(shard) = shard {
            self.plane.send(shard, Command::SetMuted { peer, source, muted });
        }
    }

    /// Removes a peer. Its owner is told with [`PeerEvent::Gone`].
    pub fn leave(&self, peer: PeerId) {
        let gone = self.state().remove(peer);
        if let Some(gone) = gone {
            gone.tell(PeerEvent::Gone(GoneReason::Left));
            self.plane.send(gone.shard, Command::Leave { peer });
        }
    }

    /// Removes all peers a user has in a room.
    pub fn leave_user(&self, room: RoomId, user_id: i64) {
        let peers: Vec<PeerId> = self
            .state()
            .room_peers(room)
            .filter(|peer| peer.view.user_id == user_id)
            .map(|peer| peer.view.peer)
            .collect();
        peers.into_iter().for_each(|peer| self.leave(peer));
    }

    /// Removes a room with all its peers.
    pub fn close_room(&self, room: RoomId) {
        let (shards, peers) = {
            let state = self.state();
            let shards = state.shards_of_room(room);
            (shards, state.room_peers(room).map(|peer| peer.view.peer).collect::<Vec<_>>())
        };
        for peer in peers {
            let gone = self.state().remove(peer);
            if let Some(gone) = gone {
                gone.tell(PeerEvent::Gone(GoneReason::RoomClosed));
            }
        }
        for shard in shards {
            self.plane.send(shard, Command::CloseRoom { room });
        }
    }

    /// A room's numbers.
    ///
    /// # Errors
    /// The room does not exist or the shard does not answer.
    pub async fn room_stats(&self, room: RoomId) -> Result<RoomStats, MediaError> {
        let shards = self.state().shards_of_room(room);
        let mut sum: Option<RoomStats> = None;
        for shard in shards {
            match self.ask(shard, |req| Command::RoomStats { req, room }).await {
                Ok(ReplyBody::Room(stats)) => sum.get_or_insert_default().add(&stats),
                Ok(_) => return Err(MediaError::OutOfTurn),
                // Of several shards one may have nobody left.
                Err(MediaError::Refused(ApiError::UnknownRoom)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sum.ok_or(ApiError::UnknownRoom)?)
    }

    /// A peer's numbers.
    ///
    /// # Errors
    /// The peer does not exist or the shard does not answer.
    pub async fn peer_stats(&self, peer: PeerId) -> Result<PeerStats, MediaError> {
        let shard = self.shard_of(peer)?;
        match self.ask(shard, |req| Command::PeerStats { req, peer }).await? {
            ReplyBody::Peer(stats) => Ok(*stats),
            _ => Err(MediaError::OutOfTurn),
        }
    }

    /// Closes every peer on every shard and waits for it, at most `within`.
    pub async fn shutdown(&self, within: Duration) {
        let mut waiting = Vec::new();
        for shard in 0..self.plane.shard_count() {
            waiting.push(self.request(ShardId(shard), |req| Command::Shutdown { req }).1);
        }
        let all = async {
            for reply in waiting {
                let _ = reply.await;
            }
        };
        if tokio::time::timeout(within, all).await.is_err() {
            tracing::warn!("a shard did not shut down in time");
        }
    }

    /// The peers of a room, by joining.
    #[must_use]
    pub fn room_peers(&self, room: RoomId) -> Vec<PeerView> {
        self.state().room_peers(room).map(|peer| peer.view.clone()).collect()
    }

    /// Whether a user has a peer in a room.
    #[must_use]
    pub fn has_user(&self, room: RoomId, user_id: i64) -> bool {
        !self.state().peers_of_user(room, user_id).is_empty()
    }

    /// A peer by its public spelling.
    #[must_use]
    pub fn peer_by_public_id(&self, peer_id: &str) -> Option<PeerView> {
        self.state().by_public_id(peer_id).map(|peer| peer.view.clone())
    }

    /// Rooms and peers now.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.state().counts()
    }

    fn shard_of(&self, peer: PeerId) -> Result<ShardId, MediaError> {
        Ok(self.state().shard_of_peer(peer).ok_or(ApiError::UnknownPeer)?)
    }

    fn request(
        &self,
        shard: ShardId,
        command: impl FnOnce(RequestId) -> Command,
    ) -> (RequestId, oneshot::Receiver<Result<ReplyBody, ApiError>>) {
        let (reply, receiver) = oneshot::channel();
        let request = self.state().request(shard, reply);
        self.plane.send(shard, command(request));
        (request, receiver)
    }

    async fn ask(
        &self,
        shard: ShardId,
        command: impl FnOnce(RequestId) -> Command,
    ) -> Result<ReplyBody, MediaError> {
        let (request, receiver) = self.request(shard, command);
        let _forget = Forget { hub: self, request };
        match tokio::time::timeout(REPLY_TIMEOUT, receiver).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) | Err(_) => Err(MediaError::NoAnswer),
        }
    }

    /// The lock is held for look-ups only, never across an await or a call to the plane.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A peer in a room, for as long as this lives.
#[derive(Debug)]
pub struct PeerHandle {
    hub: Arc<MediaHub>,
    peer: PeerId,
}

impl PeerHandle {
    /// The peer.
    #[must_use]
    pub fn id(&self) -> PeerId {
        self.peer
    }
}

impl Drop for PeerHandle {
    fn drop(&mut self) {
        self.hub.leave(self.peer);
    }
}

fn answer(body: ReplyBody) -> Result<Answer, MediaError> {
    match body {
        ReplyBody::Answer { transport, media } => Ok(Answer { transport, media }),
        _ => Err(MediaError::OutOfTurn),
    }
}

/// Who asks may be cancelled at any await: the pending entry then goes too.
struct Forget<'a> {
    hub: &'a MediaHub,
    request: RequestId,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.hub.state().pending.remove(&self.request);
    }
}
