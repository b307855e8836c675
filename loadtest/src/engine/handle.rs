//! What the rest of the program holds: the engine, and a connection.

use super::clock::Clock;
use super::worker::{Command, Opening, Worker};
use super::{ConnectionPlan, Ended, EngineConfig, LocalDescription, LocalTrack, Negotiated, files};
use crate::error::LoadError;
use crate::measure::Snapshot;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};
use weir_session::Certificate;
use weir_sfu_api::IceCredentials;

/// Asked of the kernel for each socket; it gives what `net.core.rmem_max` allows.
const RECEIVE_BUFFER: usize = 1 << 20;
/// Enough for a key frame of each layer.
const SEND_BUFFER: usize = 1 << 20;

/// Where a connection stands, as its worker tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Connected,
    Ended(Ended),
}

struct Link {
    commands: mpsc::Sender<Command>,
    waker: Arc<mio::Waker>,
}

impl Link {
    fn send(&self, command: Command) -> bool {
        self.commands.send(command).is_ok() && self.waker.wake().is_ok()
    }
}

struct Shared {
    links: Vec<Arc<Link>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    certificate: Certificate,
    config: EngineConfig,
    next: AtomicU64,
    drops: Mutex<super::drops::Drops>,
}

/// All clients of this process. A cheap handle.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Starts the worker threads, and raises the limit of open files as far as it goes.
    ///
    /// # Errors
    /// When threads, epoll or randomness are refused.
    pub fn start(config: EngineConfig) -> Result<Self, LoadError> {
        let local = |what: &str, error: String| LoadError::Local(format!("{what}: {error}"));
        files::raise();
        let certificate = Certificate::generate()
            .map_err(|error| local("cannot make a certificate", error.to_string()))?;
        let clock = Clock::start();
        let mut links = Vec::new();
        let mut threads = Vec::new();
        for number in 0..config.threads.max(1) {
            let (commands, inbox) = mpsc::channel();
            let (worker, waker) = Worker::new(inbox, clock, certificate.clone())
                .map_err(|error| local("cannot open an epoll", error.to_string()))?;
            let thread = std::thread::Builder::new()
                .name(format!("media-{number}"))
                .spawn(move || worker.run())
                .map_err(|error| local("cannot start a thread", error.to_string()))?;
            links.push(Arc::new(Link { commands, waker }));
            threads.push(thread);
        }
        let shared = Shared {
            links,
            threads: Mutex::new(threads),
            certificate,
            config,
            next: AtomicU64::new(0),
            drops: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A connection that does nothing yet but has a socket, credentials and SSRCs.
    ///
    /// # Errors
    /// When no socket can be opened, with the limit of open files in words, or recorded media cannot be
    /// read ([`LoadError::Usage`]).
    // Async by contract: opening may one day have to wait for its worker.
    #[allow(clippy::unused_async)]
    pub async fn open(&self, plan: ConnectionPlan) -> Result<Connection, LoadError> {
        let shared = &self.shared;
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        let socket = UdpSocket::bind((shared.config.bind, 0)).map_err(|e| files::explain(&e))?;
        let port = socket.local_addr().map_err(|e| files::explain(&e))?.port();
        let state = super::socket::prepare(&socket, RECEIVE_BUFFER, SEND_BUFFER)
            .map_err(|e| files::explain(&e))?;
        let mut lots = StdRng::seed_from_u64(
            shared.config.seed ^ id.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        );
        let tracks: Vec<LocalTrack> = plan
            .publish
            .iter()
            .map(|track| LocalTrack {
                plan: track.clone(),
                ssrcs: track.layers.iter().map(|_| (ssrc(&mut lots), ssrc(&mut lots))).collect(),
            })
            .collect();
        let mut media = Vec::new();
        for track in &plan.publish {
            media.push(crate::media::Media::of(track)?);
        }
        let ice = credentials();
        let candidates = addresses(shared.config.bind);
        let local = LocalDescription {
            ice: ice.clone(),
            fingerprint: shared.certificate.fingerprint().clone(),
            candidates: candidates.into_iter().map(|ip| SocketAddr::new(ip, port)).collect(),
            tracks: tracks.clone(),
        };
        let (sender, state_of) = watch::channel(State::Waiting);
        let seed = lots.random();
        let opening = Opening { id, plan, tracks, media, socket, state, ice, seed, told: sender };
        let link = shared.links[id as usize % shared.links.len()].clone();
        if !link.send(Command::Open(Box::new(opening))) {
            return Err(LoadError::Local("the engine has stopped".to_owned()));
        }
        shared.drops.lock().expect("nobody panics with it").watch(port);
        Ok(Connection { local, id, link, state: state_of })
    }

    /// Everything counted so far.
    pub async fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.collect(None).await;
        let mut drops = self.shared.drops.lock().expect("nobody panics with it");
        snapshot.counters.own_drops = drops.look();
        snapshot
    }

    /// Likewise of the connections of one role. Drops in our own sockets are told of all together alone.
    pub async fn snapshot_of(&self, role: &str) -> Snapshot {
        self.collect(Some(role)).await
    }

    async fn collect(&self, role: Option<&str>) -> Snapshot {
        let mut waiting = Vec::new();
        for link in &self.shared.links {
            let (reply, answer) = oneshot::channel();
            if link.send(Command::Snapshot(role.map(str::to_owned), reply)) {
                waiting.push(answer);
            }
        }
        let mut all = Snapshot::default();
        for answer in waiting {
            if let Ok(part) = answer.await {
                super::tally::merge(&mut all, &part);
            }
        }
        all
    }

    /// Ends all connections, with close_notify, and the threads.
    pub fn shutdown(self) {
        for link in &self.shared.links {
            link.send(Command::Stop);
        }
        let threads = std::mem::take(&mut *self.shared.threads.lock().expect("nobody panics"));
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

/// A handle to a connection; it is closed when dropped.
pub struct Connection {
    /// What to put in the offer or the answer.
    pub local: LocalDescription,
    id: u64,
    link: Arc<Link>,
    state: watch::Receiver<State>,
}

impl Connection {
    /// Offer and answer are known: begins with checks. A second call takes the sections anew (a
    /// renegotiation) and leaves the transport alone.
    pub fn connect(&self, negotiated: Negotiated) {
        self.link.send(Command::Connect(self.id, Box::new(negotiated)));
    }

    /// One more address of the server.
    pub fn add_candidate(&self, candidate: SocketAddr) {
        self.link.send(Command::Candidate(self.id, candidate));
    }

    /// Which layers of [`LocalDescription::tracks`]`[track]` are wanted, in the plan's order; those not told are.
    /// All without.
    pub fn set_layers(&self, track: usize, wanted: Vec<bool>) {
        self.link.send(Command::Layers(self.id, track, wanted));
    }

    /// Keys are there, media flows. At once when that was so already.
    ///
    /// # Errors
    /// When it ended before.
    pub async fn connected(&mut self) -> Result<(), Ended> {
        let state = self.state.wait_for(|state| *state != State::Waiting).await;
        match state.as_deref() {
            Ok(State::Ended(why)) => Err(why.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(Ended::Closed),
        }
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> Ended {
        match self.state.wait_for(|state| matches!(state, State::Ended(_))).await.as_deref() {
            Ok(State::Ended(why)) => why.clone(),
            _ => Ended::Closed,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.link.send(Command::Close(self.id));
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("local", &self.local).finish_non_exhaustive()
    }
}

fn ssrc(lots: &mut StdRng) -> u32 {
    lots.random_range(1..u32::MAX)
}

/// 48 and 144 bits of the system's randomness.
fn credentials() -> IceCredentials {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rng = rand::rng();
    let mut word = |len: usize| -> String {
        (0..len).map(|_| char::from(CHARS[rng.random_range(0..CHARS.len())])).collect()
    };
    IceCredentials { ufrag: word(8), pwd: word(24) }
}

/// Our addresses: the one bound to, or those that the routing table has us use.
fn addresses(bind: IpAddr) -> Vec<IpAddr> {
    if !bind.is_unspecified() {
        return vec![bind];
    }
    // Connecting a UDP socket sends nothing. The targets are of documentation (RFC 5737, RFC 3849).
    let (any, outside, loopback): (IpAddr, IpAddr, IpAddr) = if bind.is_ipv4() {
        (bind, Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::LOCALHOST.into())
    } else {
        (bind, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(), Ipv6Addr::LOCALHOST.into())
    };
    let routed = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((outside, 9))?;
        socket.local_addr()
    });
    let mut all: Vec<IpAddr> = routed.ok().map(|addr| addr.ip()).into_iter().collect();
    if !all.contains(&loopback) {
        all.push(loopback);
    }
    all
}
