//! Shard threads: each drives one [`Shard`] with one [`Backend`], and nothing is shared between
//! them.

use crate::config::{Backend as Choice, Config};
use anyhow::Context as _;
use rand::TryRng as _;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;
use weir_control_api::MediaPlane;
use weir_net::{Backend, BackendChoice, SocketConfig, Waker};
use weir_session::Certificate;
use weir_sfu::{Batch, Clock, Input, Output, Seed, Shard, ShardConfig};
use weir_sfu_api::{Command, Event, ShardId, ShardStats};

/// Commands waiting for one shard: each is answered within a batch, so this is a thousand people
/// who act in the same moment, many times over.
const COMMANDS: usize = 65_536;
/// Batches from other shards waiting for one: 10 ms of a batch each from ten shards.
const BORDER: usize = 1_024;
/// Of those taken up between two batches of datagrams.
const BORDER_PER_TURN: usize = 64;
/// Emptied batches kept for the next ones.
const SPARE: usize = 64;
/// A full inbox of another shard is tried again after this time.
const BORDER_AGAIN: Duration = Duration::from_millis(1);
/// Events waiting for the control plane.
const EVENTS: usize = 65_536;
/// Commands taken up between two batches of datagrams, so that media never waits for them.
const COMMANDS_PER_TURN: usize = 256;
/// How long a port in use is waited for at the start.
const PORT_WAIT: Duration = Duration::from_secs(3);
/// Kernel buffers: 4 MB hold 60 ms of 500 Mbit/s.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Commands to one running shard.
struct Link {
    commands: SyncSender<Command>,
    waker: Waker,
}

/// All shards, as the control plane sees them.
struct Plane {
    links: Vec<Link>,
}

impl MediaPlane for Plane {
    fn shard_count(&self) -> u16 {
        u16::try_from(self.links.len()).unwrap_or(u16::MAX)
    }

    fn send(&self, shard: ShardId, command: Command) {
        let Some(link) = self.links.get(usize::from(shard.0)) else { return };
        match link.commands.try_send(command) {
            Ok(()) => link.waker.wake(),
            Err(TrySendError::Full(_)) => tracing::error!(%shard, "command queue full, dropped"),
            Err(TrySendError::Disconnected(_)) => tracing::debug!(%shard, "shard has ended"),
        }
    }
}

/// What the shards tell.
pub(crate) type Events = mpsc::Receiver<(ShardId, Event)>;

/// The running threads.
pub(crate) struct ShardsHandle {
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Waker>,
    stop: Arc<AtomicBool>,
}

impl ShardsHandle {
    /// Ends the threads and waits for them. Peers should have been closed by command before.
    pub(crate) fn join(self) {
        self.stop.store(true, Ordering::Relaxed);
        for waker in &self.wakers {
            waker.wake();
        }
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Starts one thread per shard.
///
/// # Errors
/// A socket or the chosen backend cannot be opened.
pub(crate) fn start(
    config: &Config,
) -> anyhow::Result<(Arc<dyn MediaPlane>, Events, ShardsHandle)> {
    let profiles: Vec<_> = config.media.srtp_profiles.iter().map(|one| one.kind()).collect();
    let certificate = Certificate::generate()
        .context("making the DTLS certificate")?
        .with_srtp_profiles(&profiles);
    let base = Instant::now();
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let clock = Clock::new(base, unix);
    let (events, receiver) = mpsc::channel(EVENTS);
    let mut links = Vec::new();
    let mut threads = Vec::new();
    let mut wakers = Vec::new();
    let stop = Arc::new(AtomicBool::new(false));
    let ends: Vec<_> = (0..config.media.shard_count().get())
        .map(|_| sync_channel::<(ShardId, Batch)>(BORDER))
        .collect();
    let far: Vec<_> = ends.iter().map(|(sender, _)| sender.clone()).collect();
    let mut near: VecDeque<_> = ends.into_iter().map(|(_, receiver)| receiver).collect();
    let all_wakers = Arc::new(OnceLock::new());
    for number in 0..config.media.shard_count().get() {
        let (commands, inbox) = sync_channel(COMMANDS);
        let (opened, ready) = sync_channel(1);
        let socket = SocketConfig {
            listen: config.media.shard_addr(number),
            recv_buffer_bytes: SOCKET_BUFFER_BYTES,
            send_buffer_bytes: SOCKET_BUFFER_BYTES,
        };
        let choice = match config.media.backend {
            Choice::Auto => BackendChoice::Auto,
            Choice::IoUring => BackendChoice::IoUring,
            Choice::Mmsg => BackendChoice::Mmsg,
        };
        let gather = Duration::from_micros(config.media.gather_us.into());
        let announced = config.media.announced_ips.clone();
        let http_is_loopback = config.http.is_loopback();
        let id = ShardId(number);
        let seed = seed().context("reading the system's randomness")?;
        let (certificate, events) = (certificate.clone(), events.clone());
        let stop = Arc::clone(&stop);
        let near = near.pop_front().context("one border for each shard")?;
        let border =
            Border { near, far: far.clone(), wakers: Arc::clone(&all_wakers), spare: Vec::new() };
        let thread = std::thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(move || {
                // The backend belongs to this thread.
                let (mut backend, fallback) = match open(choice, &socket) {
                    Ok(opened) => opened,
                    Err(error) => {
                        let _ = opened.send(Err(error));
                        return;
                    }
                };
                backend.gather(gather);
                let candidates = candidates(&announced, backend.local_addr(), http_is_loopback);
                let _ = opened.send(Ok((backend.waker(), backend.local_addr(), backend.kind())));
                let shard = Shard::new(ShardConfig { id, seed, certificate, candidates, clock });
                let runner = Runner {
                    id,
                    shard,
                    backend,
                    fallback: fallback.is_some(),
                    inbox,
                    border,
                    events,
                    stop,
                    waiting: VecDeque::new(),
                    sent: weir_net::SendReport::default(),
                    busy: Duration::ZERO,
                    busy_since: base,
                };
                let run = std::panic::AssertUnwindSafe(|| runner.run());
                if std::panic::catch_unwind(run).is_err() {
                    // Its peers are lost in any case; a supervisor starts afresh.
                    tracing::error!(shard = %id, "shard ended by a panic, the server stops");
                    std::process::exit(70);
                }
            })
            .context("starting a shard's thread")?;
        threads.push(thread);
        let (waker, addr, kind) = ready
            .recv()
            .context("a shard's thread ended")?
            .with_context(|| format!("media.listen: opening shard {number}"))?;
        tracing::info!(shard = number, %addr, backend = %kind, "shard listens");
        wakers.push(waker.clone());
        links.push(Link { commands, waker });
    }
    let _ = all_wakers.set(wakers.clone());
    Ok((Arc::new(Plane { links }), receiver, ShardsHandle { threads, wakers, stop }))
}

/// Opens the backend. A server that ended a moment ago may still hold the port: the kernel takes a
/// ring apart after its process is gone.
fn open(
    choice: BackendChoice,
    socket: &SocketConfig,
) -> Result<(Box<dyn Backend>, Option<String>), weir_net::NetError> {
    let end = Instant::now() + PORT_WAIT;
    loop {
        match weir_net::open(choice, socket) {
            Err(weir_net::NetError::Bind { source, .. })
                if source.kind() == std::io::ErrorKind::AddrInUse && Instant::now() < end =>
            {
                #[expect(clippy::disallowed_methods, reason = "start-up only, nothing runs yet")]
                std::thread::sleep(Duration::from_millis(50));
            }
            result => return result,
        }
    }
}

/// Fresh randomness for one shard.
fn seed() -> anyhow::Result<Seed> {
    let mut rng = rand::rngs::SysRng;
    let mut secret = [0; 32];
    rng.try_fill_bytes(&mut secret)?;
    Ok(Seed { public: rng.try_next_u64()?, secret })
}

/// Where clients reach the socket: announced addresses; else the one it is bound to; else those
/// of the interfaces, or loopback when the HTTP listener is for this machine only.
fn candidates(announced: &[IpAddr], local: SocketAddr, http_is_loopback: bool) -> Vec<SocketAddr> {
    let port = local.port();
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let ips: Vec<IpAddr> = if !announced.is_empty() {
        announced.to_vec()
    } else if !local.ip().is_unspecified() {
        vec![local.ip()]
    } else if http_is_loopback {
        loopback.to_vec()
    } else {
        let all = weir_net::interface_addresses().unwrap_or_default();
        let outside: Vec<IpAddr> = all.iter().copied().filter(|ip| !ip.is_loopback()).collect();
        if outside.is_empty() { loopback.to_vec() } else { outside }
    };
    ips.into_iter()
        // A socket without IPv6 is not reached by it.
        .filter(|ip| local.is_ipv6() || ip.is_ipv4())
        .map(|ip| SocketAddr::new(ip, port))
        .collect()
}

/// The ways between shards: bounded queues of batches, and who to wake.
struct Border {
    near: Receiver<(ShardId, Batch)>,
    far: Vec<SyncSender<(ShardId, Batch)>>,
    /// Set once all shards run.
    wakers: Arc<OnceLock<Vec<Waker>>>,
    spare: Vec<Batch>,
}

impl Border {
    /// Sends `batch` and leaves an empty one in its place; false when the queue is full.
    fn send(&mut self, from: ShardId, to: ShardId, batch: &mut Batch) -> bool {
        let Some(far) = self.far.get(usize::from(to.0)) else { return true };
        let full = std::mem::replace(batch, self.spare.pop().unwrap_or_default());
        match far.try_send((from, full)) {
            Ok(()) => {
                let wakers = self.wakers.get();
                if let Some(waker) = wakers.and_then(|wakers| wakers.get(usize::from(to.0))) {
                    waker.wake();
                }
                true
            }
            Err(TrySendError::Full((_, full))) => {
                self.keep(std::mem::replace(batch, full));
                false
            }
            Err(TrySendError::Disconnected(_)) => true,
        }
    }

    fn keep(&mut self, mut batch: Batch) {
        if self.spare.len() < SPARE {
            batch.clear();
            self.spare.push(batch);
        }
    }
}

/// One shard's loop.
struct Runner {
    id: ShardId,
    shard: Shard,
    backend: Box<dyn Backend>,
    /// The preferred backend was not to be had.
    fallback: bool,
    inbox: Receiver<Command>,
    border: Border,
    events: mpsc::Sender<(ShardId, Event)>,
    /// Looked at once per wake-up.
    stop: Arc<AtomicBool>,
    /// Events that found no room.
    waiting: VecDeque<Event>,
    sent: weir_net::SendReport,
    busy: Duration,
    busy_since: Instant,
}

impl Runner {
    /// Read a batch, handle all, drain all, send a batch; until told to stop.
    fn run(mut self) {
        self.shard.handle_input(Instant::now(), Input::Timeout);
        let mut deadline = self.drain();
        loop {
            let before = Instant::now();
            let wait = deadline.map(|at| at.saturating_duration_since(before));
            self.busy += before.saturating_duration_since(self.busy_since);
            let shard = &mut self.shard;
            let mut woke = None;
            let received = self.backend.receive(wait, &mut |datagram| {
                let now = *woke.get_or_insert_with(Instant::now);
                shard.handle_input(
                    now,
                    Input::Datagram { src: datagram.src, dst: datagram.dst, data: datagram.data },
                );
            });
            let now = Instant::now();
            self.busy_since = woke.unwrap_or(now);
            if let Err(error) = received {
                tracing::error!(shard = %self.id, %error, "receiving failed");
                #[expect(
                    clippy::disallowed_methods,
                    reason = "no busy loop while the kernel recovers"
                )]
                std::thread::sleep(Duration::from_millis(10));
            }
            loop {
                self.shard.handle_input(now, Input::BatchEnd);
                deadline = self.drain();
                if !self.shard.wants_flush() {
                    break;
                }
            }
            self.take_border(&mut deadline);
            if !self.take_commands(&mut deadline) || self.stop.load(Ordering::Relaxed) {
                return;
            }
            if deadline.is_some_and(|at| at <= Instant::now()) {
                self.shard.handle_input(Instant::now(), Input::Timeout);
                deadline = self.drain();
            }
        }
    }

    /// What other shards say.
    fn take_border(&mut self, deadline: &mut Option<Instant>) {
        for _ in 0..BORDER_PER_TURN {
            let Ok((from, batch)) = self.border.near.try_recv() else { return };
            let input = Input::Border { from, batch: &batch };
            self.shard.handle_input(Instant::now(), input);
            self.border.keep(batch);
            *deadline = self.drain();
        }
        // More may wait: come back at once after a look at the socket.
        *deadline = Some(Instant::now());
    }

    /// False when the control plane is gone.
    fn take_commands(&mut self, deadline: &mut Option<Instant>) -> bool {
        for _ in 0..COMMANDS_PER_TURN {
            match self.inbox.try_recv() {
                Ok(command) => {
                    self.shard.handle_input(Instant::now(), Input::Command(command));
                    *deadline = self.drain();
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        // More may wait: come back at once after a look at the socket.
        *deadline = Some(Instant::now());
        true
    }

    /// Passes events on and sends trains; gives the next deadline.
    fn drain(&mut self) -> Option<Instant> {
        let deadline = loop {
            match self.shard.poll_output() {
                Output::Event(Event::Stats(mut stats)) => {
                    self.complete(&mut stats);
                    self.waiting.push_back(Event::Stats(stats));
                }
                Output::Event(event) => self.waiting.push_back(event),
                Output::Timeout(next) => break next.map(|(at, _)| at),
            }
        };
        while let Some(event) = self.waiting.pop_front() {
            match self.events.try_send((self.id, event)) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full((_, event))) => {
                    // The control plane is behind: keep what it must know, it catches up.
                    if !matches!(event, Event::Stats(_)) {
                        self.waiting.push_front(event);
                    }
                    break;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => break,
            }
        }
        let (backend, sent) = (&mut self.backend, &mut self.sent);
        self.shard.send_trains(|trains| {
            let report = backend.send(trains);
            sent.dropped_would_block += report.dropped_would_block;
            sent.errors += report.errors;
        });
        let (border, id) = (&mut self.border, self.id);
        let mut again = None;
        self.shard.send_border(|to, batch| {
            let sent = border.send(id, to, batch);
            if !sent {
                again = Instant::now().checked_add(BORDER_AGAIN);
            }
            sent
        });
        [deadline, again].into_iter().flatten().min()
    }

    /// What the shard cannot know of itself.
    fn complete(&mut self, stats: &mut ShardStats) {
        stats.send_would_block = self.sent.dropped_would_block as u64;
        stats.send_errors = self.sent.errors as u64;
        stats.backend = match self.backend.kind() {
            weir_net::BackendKind::IoUring => "io_uring",
            weir_net::BackendKind::Mmsg => "mmsg",
        };
        stats.fallback = self.fallback;
        let busy = std::mem::take(&mut self.busy);
        stats.load = busy.as_secs_f64().min(1.0);
    }
}
