//! A media plane for tests only: one shard that answers like a real one and carries nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use weir_control_api::MediaPlane;
use weir_sfu_api::{
    ApiError, Candidate, Command, DtlsSetup, Event, Fingerprint, GoneReason, HashAlgorithm,
    IceCredentials, MediaAnswer, MediaDescription, PeerId, Reply, ReplyBody, RequestId, RoomId,
    SectionAnswer, ShardId, SsrcGroup, TransportAnswer,
};

/// The fake shard and what it was asked.
pub(crate) struct FakePlane {
    events: mpsc::Sender<(ShardId, Event)>,
    pub(crate) commands: Mutex<Vec<Command>>,
    peers: Mutex<BTreeSet<(RoomId, PeerId)>>,
    /// Sends no statistics, as a shard that hangs.
    pub(crate) silent: AtomicBool,
    /// Refuses joins, as a full shard does.
    pub(crate) full: Mutex<bool>,
}

impl FakePlane {
    pub(crate) fn new(silent: bool) -> (Arc<Self>, mpsc::Receiver<(ShardId, Event)>) {
        let (events, receiver) = mpsc::channel(1024);
        let plane = Self {
            events,
            commands: Mutex::default(),
            peers: Mutex::default(),
            silent: AtomicBool::new(silent),
            full: Mutex::default(),
        };
        let plane = Arc::new(plane);
        tokio::spawn(Arc::clone(&plane).beat());
        (plane, receiver)
    }

    /// Statistics like a shard's, only more often.
    async fn beat(self: Arc<Self>) {
        loop {
            let stats = Event::Stats(Box::default());
            if !self.silent.load(Ordering::Relaxed)
                && let Err(TrySendError::Closed(_)) = self.events.try_send((ShardId(0), stats))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// As if the shard had found this out.
    pub(crate) fn tell(&self, event: Event) {
        self.events.try_send((ShardId(0), event)).unwrap();
    }

    /// What `pick` finds in the commands so far.
    pub(crate) fn asked<T>(&self, pick: impl Fn(&Command) -> Option<T>) -> Vec<T> {
        self.commands.lock().unwrap().iter().filter_map(pick).collect()
    }

    pub(crate) fn joins(&self) -> Vec<Command> {
        self.asked(|command| matches!(command, Command::Join { .. }).then(|| command.clone()))
    }

    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.peers.lock().unwrap().iter().map(|(_, peer)| *peer).collect()
    }

    fn reply(&self, req: RequestId, result: Result<ReplyBody, ApiError>) {
        self.tell(Event::Reply(Reply { req, result }));
    }

    fn answer(&self, req: RequestId, peer: PeerId, desc: Option<&MediaDescription>) {
        let known = self.peers.lock().unwrap().iter().any(|(_, known)| *known == peer);
        if !known {
            return self.reply(req, Err(ApiError::UnknownPeer));
        }
        let sections = desc.map(|desc| desc.sections.as_slice()).unwrap_or_default();
        let media = sections.iter().map(|section| SectionAnswer {
            mid: section.mid,
            ssrcs: section.direction.receives().then_some(SsrcGroup {
                media: 7000 + u32::from(section.index),
                rtx: Some(8000 + u32::from(section.index)),
            }),
            cname: "fake".to_owned(),
            stream_id: "stream".to_owned(),
            track_id: format!("track{}", section.index),
        });
        let transport = TransportAnswer {
            ice: IceCredentials {
                ufrag: format!("u{:03}", req.0),
                pwd: "fakefakefakefakefakefake".to_owned(),
            },
            fingerprint: Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![7; 32] },
            setup: DtlsSetup::Passive,
            candidates: vec![Candidate { addr: "127.0.0.1:8801".parse().unwrap() }],
        };
        let media = MediaAnswer { sections: media.collect() };
        self.reply(req, Ok(ReplyBody::Answer { transport, media }));
    }
}

impl MediaPlane for FakePlane {
    fn shard_count(&self) -> u16 {
        1
    }

    fn send(&self, _shard: ShardId, command: Command) {
        self.commands.lock().unwrap().push(command.clone());
        match command {
            Command::Join { req, peer, room, .. } => {
                if *self.full.lock().unwrap() {
                    self.reply(req, Err(ApiError::Limit("peers per shard")));
                } else {
                    self.peers.lock().unwrap().insert((room, peer));
                    self.reply(req, Ok(ReplyBody::Done));
                }
            }
            Command::Offer { req, peer, description } => {
                self.answer(req, peer, Some(&description));
            }
            Command::IceRestart { req, peer, .. } => self.answer(req, peer, None),
            Command::Leave { peer } => {
                let gone: Vec<(RoomId, PeerId)> = self
                    .peers
                    .lock()
                    .unwrap()
                    .extract_if(.., |(_, known)| *known == peer)
                    .collect();
                for (room, peer) in gone {
                    self.tell(Event::Gone { peer, room, reason: GoneReason::Left });
                }
            }
            Command::CloseRoom { room } => {
                self.peers.lock().unwrap().retain(|(known, _)| *known != room);
            }
            Command::Shutdown { req } => self.reply(req, Ok(ReplyBody::Done)),
            Command::RoomStats { req, .. } => self.reply(req, Err(ApiError::UnknownRoom)),
            Command::PeerStats { req, .. } => self.reply(req, Err(ApiError::UnknownPeer)),
            Command::SetRights { .. }
            | Command::SetMuted { .. }
            | Command::SetView { .. }
            | Command::Span { .. } => {}
        }
    }
}
