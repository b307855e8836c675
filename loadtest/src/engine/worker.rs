//! A thread with an epoll and its connections.

use super::clock::Clock;
use super::handle::State;
use super::socket::Port;
use super::{ConnectionPlan, Ended, LocalTrack, Negotiated};
use crate::measure::Snapshot;
use crate::media::Media;
use quinn_udp::UdpSocketState;
use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, mpsc};
use tokio::sync::{oneshot, watch};
use weir_session::Certificate;
use weir_sfu_api::IceCredentials;

const WAKER: mio::Token = mio::Token(0);

/// All that a worker needs for a new connection.
pub(super) struct Opening {
    pub(super) id: u64,
    pub(super) plan: ConnectionPlan,
    pub(super) tracks: Vec<LocalTrack>,
    pub(super) media: Vec<Media>,
    pub(super) socket: UdpSocket,
    pub(super) state: UdpSocketState,
    pub(super) ice: IceCredentials,
    pub(super) seed: u64,
    pub(super) told: watch::Sender<State>,
}

/// What workers are told.
pub(super) enum Command {
    Open(Box<Opening>),
    Connect(u64, Box<Negotiated>),
    Candidate(u64, SocketAddr),
    Layers(u64, usize, Vec<bool>),
    Close(u64),
    Snapshot(Option<String>, oneshot::Sender<Snapshot>),
    Stop,
}

pub(super) struct Worker {
    poll: mio::Poll,
    inbox: mpsc::Receiver<Command>,
    clock: Clock,
    certificate: Certificate,
    peers: HashMap<u64, (Port, watch::Sender<State>)>,
}

impl Worker {
    pub(super) fn new(
        inbox: mpsc::Receiver<Command>,
        clock: Clock,
        certificate: Certificate,
    ) -> std::io::Result<(Self, Arc<mio::Waker>)> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKER)?);
        Ok((Self { poll, inbox, clock, certificate, peers: HashMap::new() }, waker))
    }

    pub(super) fn run(mut self) {
        let mut events = mio::Events::with_capacity(256);
        loop {
            if self.poll.poll(&mut events, None).is_err() {
                continue;
            }
            while let Ok(command) = self.inbox.try_recv() {
                match command {
                    Command::Open(opening) => {
                        let port = Port::new(opening.socket, opening.state);
                        self.peers.insert(opening.id, (port, opening.told));
                    }
                    Command::Close(id) => {
                        if let Some((_, told)) = self.peers.remove(&id) {
                            told.send_replace(State::Ended(Ended::Closed));
                        }
                    }
                    Command::Snapshot(_, reply) => {
                        let _ = reply.send(Snapshot::default());
                    }
                    Command::Stop => return,
                    _ => {}
                }
            }
        }
    }
}
