//! A thread with a socket that drives one stack, sends stamped frames and keeps what arrives.

use super::frames::{self, Arrival, Kind, Stamp};
use super::stack::{Make, Source, Stack};
use super::{PATIENCE, within};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// 25 frames a second.
const VIDEO_MS: u64 = 40;
const AUDIO_MS: u64 = 20;
/// A key frame comes at least this often, asked for or not.
const KEY_FRAME_EVERY: u32 = 100;
/// How long the thread waits for a datagram before it looks for commands.
const TURN: Duration = Duration::from_millis(5);

type Task = Box<dyn FnOnce(&mut dyn Stack, &UdpSocket) + Send>;

/// What a client has seen.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) connected: bool,
    pub(crate) failed: Option<String>,
    /// By m-line, in the order of arrival.
    pub(crate) frames: BTreeMap<String, Vec<Arrival>>,
    /// What was not as it was sent.
    pub(crate) corrupt: Vec<String>,
    pub(crate) sent: BTreeMap<Source, u32>,
    pub(crate) key_frames_asked: u32,
    /// Of the RTP packets that come, each so many is lost; 0: none is.
    pub(crate) loses_every: u32,
    came: u32,
    /// Raw datagrams both ways, the newest 64, for replays.
    pub(crate) recent: Vec<Vec<u8>>,
}

impl State {
    /// Frames of one sender on any m-line of this kind.
    pub(crate) fn from(&self, sender: u32, is_key: Option<bool>) -> usize {
        let all = self.frames.values().flatten();
        all.filter(|one| one.stamp.sender == sender)
            .filter(|one| is_key.is_none_or(|key| key == one.stamp.is_key))
            .count()
    }
}

/// A running client. Its thread ends with it, without a word to anybody.
pub(crate) struct Client {
    /// What its frames carry: microphone, camera and screen have numbers of their own from here.
    pub(crate) id: u32,
    pub(crate) local: SocketAddr,
    tasks: Sender<Task>,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

/// The sender's number in frames of one source.
pub(crate) fn stamp_of(id: u32, source: Source) -> u32 {
    id * 16 + source as u32
}

impl Client {
    pub(crate) fn start(make: impl Make) -> Self {
        Self::start_at("127.0.0.1:0", make)
    }

    /// With a socket of this address.
    pub(crate) fn start_at(address: &str, make: impl Make) -> Self {
        static IDS: AtomicU32 = AtomicU32::new(1);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let socket = UdpSocket::bind(address).unwrap();
        let local = socket.local_addr().unwrap();
        let (tasks, inbox) = channel();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name(format!("client-{id}"))
            .spawn(move || {
                let stack = make.make(local, Instant::now());
                Driver { id, socket, stack, inbox, shared, sources: BTreeMap::new() }.run();
            })
            .unwrap();
        Self { id, local, tasks, state, thread: Some(thread) }
    }

    /// Runs something in the client's thread.
    pub(crate) fn with<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut dyn Stack, &UdpSocket) -> T + Send + 'static,
    ) -> T {
        let (done, result) = sync_channel(1);
        let task: Task = Box::new(move |stack, socket| {
            let _ = done.send(task(stack, socket));
        });
        self.tasks.send(task).expect("the client's thread has ended");
        result.recv_timeout(PATIENCE).expect("the client's thread does not answer")
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        assert!(
            !self.thread.as_ref().is_some_and(JoinHandle::is_finished),
            "the client's thread has ended"
        );
        lock(&self.state)
    }

    /// Waits for something in what it has seen.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, look: impl FnMut(&State) -> Option<T>) -> T {
        self.within(PATIENCE, what, look)
    }

    #[track_caller]
    pub(crate) fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        mut look: impl FnMut(&State) -> Option<T>,
    ) -> T {
        let begin = Instant::now();
        within(limit + Duration::from_secs(5), what, || {
            let state = self.state();
            assert_eq!(state.corrupt, Vec::<String>::new(), "frames are not what was sent");
            if let Some(failed) = &state.failed {
                panic!("client {} failed while waiting until {what}: {failed}", self.id);
            }
            let found = look(&state);
            if found.is_none() && begin.elapsed() > limit {
                let frames: Vec<_> =
                    state.frames.iter().map(|(mid, all)| (mid, all.len())).collect();
                panic!(
                    "client {} in vain waited {limit:?} until {what}: connected {}, frames by mid \
                     {frames:?}, sent {:?}",
                    self.id, state.connected, state.sent
                );
            }
            found
        })
    }

    /// Ends it as a process that is killed does.
    pub(crate) fn vanish(self) {}
}

impl Drop for Client {
    fn drop(&mut self) {
        let (closed, _) = channel();
        self.tasks = closed;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the client's thread panicked");
        }
    }
}

/// A test that fails while it looks poisons nothing for the thread.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One source being sent.
struct Sending {
    begin: Instant,
    next: u32,
    key_wanted: bool,
}

struct Driver {
    id: u32,
    socket: UdpSocket,
    stack: Box<dyn Stack>,
    inbox: Receiver<Task>,
    shared: Arc<Mutex<State>>,
    sources: BTreeMap<Source, Sending>,
}

impl Driver {
    fn run(mut self) {
        let mut buffer = vec![0; 65_536];
        loop {
            loop {
                match self.inbox.recv_timeout(Duration::ZERO) {
                    Ok(task) => task(&mut *self.stack, &self.socket),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            let wake = self.turn();
            let wait = wake.saturating_duration_since(Instant::now()).min(TURN);
            self.socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).unwrap();
            // A closed port at the other end is told as an error: nothing to read then.
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                self.remember(&buffer[..length]);
                if self.loses(&buffer[..length]) {
                    continue;
                }
                self.stack.datagram(Instant::now(), from, &buffer[..length]);
            }
        }
    }

    /// Everything that is due now; gives the next time.
    fn turn(&mut self) -> Instant {
        let now = Instant::now();
        let polled = self.stack.poll(now);
        for (to, datagram) in &polled.datagrams {
            self.remember(datagram);
            let _ = self.socket.send_to(datagram, to);
        }
        let mut wake = polled.wake;
        let connected = polled.connected;
        {
            let mut state = lock(&self.shared);
            state.connected = connected;
            state.failed = state.failed.take().or(polled.failed);
            for one in polled.received {
                match frames::read(one.kind, &one.frame) {
                    Ok(stamp) => {
                        state.frames.entry(one.mid).or_default().push(Arrival { stamp, at: now });
                    }
                    Err(what) => state.corrupt.push(format!("mid {}: {what}", one.mid)),
                }
            }
            state.key_frames_asked += polled.key_frames.len() as u32;
        }
        for source in polled.key_frames {
            if let Some(sending) = self.sources.get_mut(&source) {
                sending.key_wanted = true;
            }
        }
        if connected {
            for source in self.stack.answered() {
                wake = wake.min(self.send_due(source, now));
            }
        }
        wake
    }

    fn send_due(&mut self, source: Source, now: Instant) -> Instant {
        let sending = self.sources.entry(source).or_insert_with(|| Sending {
            begin: now,
            next: 0,
            key_wanted: true,
        });
        let every = if source.kind() == Kind::Audio { AUDIO_MS } else { VIDEO_MS };
        let mut sent = false;
        loop {
            let number = sending.next;
            let media_ms = u64::from(number) * every;
            let due = sending.begin + Duration::from_millis(media_ms);
            if due > now {
                if sent {
                    lock(&self.shared).sent.insert(source, number);
                }
                return due;
            }
            let is_key = source.kind() == Kind::Video
                && (sending.key_wanted || number.is_multiple_of(KEY_FRAME_EVERY));
            sending.key_wanted &= !is_key;
            let stamp = Stamp { sender: stamp_of(self.id, source), number, is_key };
            let frame = match source.kind() {
                Kind::Audio => frames::audio(stamp),
                Kind::Video => frames::video(stamp, frames::FULL),
            };
            self.stack.send(now, source, media_ms, &frame);
            sending.next += 1;
            sent = true;
        }
    }

    /// Whether the network between loses this one.
    fn loses(&self, datagram: &[u8]) -> bool {
        // RFC 7983 and RFC 5761.
        let rtp = matches!(datagram, [128..192, second, ..] if !(192..224).contains(second));
        let mut state = lock(&self.shared);
        if !rtp || state.loses_every == 0 {
            return false;
        }
        state.came += 1;
        state.came.is_multiple_of(state.loses_every)
    }

    fn remember(&self, datagram: &[u8]) {
        let mut state = lock(&self.shared);
        if state.recent.len() >= 64 {
            state.recent.remove(0);
        }
        state.recent.push(datagram.to_vec());
    }
}
