//! A shard on its own thread and a real socket: the server's loop without its control plane.

use crate::Error;
use crate::sink::socket;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use weir_net::{Backend, BackendChoice, BackendStats, GATHER, Waker};
use weir_sfu::{Input, Output, Shard};
use weir_sfu_api::{Command, Reply, ShardStats};

/// Names of the threads that work for the shard: its own and those the kernel makes for its ring.
pub const THREADS: [&str; 2] = ["shard", "iou-"];

/// A shard on its thread.
pub struct Running {
    addr: SocketAddr,
    waker: Waker,
    over: Arc<AtomicBool>,
    thread: JoinHandle<(BackendStats, ShardStats)>,
    commands: Sender<Command>,
    replies: Receiver<Reply>,
}

impl Running {
    /// The inner error: this machine does not have the backend.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(shard: Shard, choice: BackendChoice) -> Result<Result<Self, String>, Error> {
        Self::start_gathering(shard, choice, GATHER)
    }

    /// With another time than the server's default to gather what comes (see [`Backend::gather`]).
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_gathering(
        shard: Shard,
        choice: BackendChoice,
        gather: Duration,
    ) -> Result<Result<Self, String>, Error> {
        Self::start_at(shard, choice, gather, Ipv4Addr::LOCALHOST)
    }

    /// With another address to listen at.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_at(
        shard: Shard,
        choice: BackendChoice,
        gather: Duration,
        ip: Ipv4Addr,
    ) -> Result<Result<Self, String>, Error> {
        let (opened, ready) = sync_channel(1);
        let (commands, inbox) = channel();
        let (outbox, replies) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = std::thread::Builder::new().name("shard".to_owned()).spawn(move || {
            // The backend belongs to the thread that uses it.
            match weir_net::open(choice, &socket(ip)) {
                Ok((mut backend, _)) => {
                    backend.gather(gather);
                    let _ = opened.send(Ok((backend.local_addr(), backend.waker())));
                    Loop { shard, backend, inbox, outbox, stats: ShardStats::default() }.run(&stop)
                }
                Err(error) => {
                    let _ = opened.send(Err(error.to_string()));
                    (BackendStats::default(), ShardStats::default())
                }
            }
        })?;
        Ok(match ready.recv()? {
            Ok((addr, waker)) => Ok(Self { addr, waker, over, thread, commands, replies }),
            Err(reason) => {
                let _ = thread.join();
                Err(reason)
            }
        })
    }

    /// Where its socket is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Gives the shard a command.
    ///
    /// # Errors
    /// When its thread has ended.
    pub fn command(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command)?;
        self.waker.wake();
        Ok(())
    }

    /// The next answer to a command, if one is there.
    pub fn reply(&self) -> Option<Reply> {
        self.replies.try_recv().ok()
    }

    /// Ends it; what the backend and, in the last second before, the shard counted.
    ///
    /// # Errors
    /// When the thread panicked.
    pub fn stop(self) -> Result<(BackendStats, ShardStats), Error> {
        self.over.store(true, Ordering::Relaxed);
        self.waker.wake();
        self.thread.join().map_err(|_| "the shard panicked".into())
    }
}

struct Loop {
    shard: Shard,
    backend: Box<dyn Backend>,
    inbox: Receiver<Command>,
    outbox: Sender<Reply>,
    stats: ShardStats,
}

impl Loop {
    fn run(mut self, over: &AtomicBool) -> (BackendStats, ShardStats) {
        let mut deadline = self.drain();
        while !over.load(Ordering::Relaxed) {
            let wait = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let mut woke = None;
            let shard = &mut self.shard;
            let received = self.backend.receive(wait, &mut |datagram| {
                let now = *woke.get_or_insert_with(Instant::now);
                let (src, dst, data) = (datagram.src, datagram.dst, datagram.data);
                shard.handle_input(now, Input::Datagram { src, dst, data });
            });
            if received.is_err() {
                break;
            }
            let now = Instant::now();
            loop {
                self.shard.handle_input(now, Input::BatchEnd);
                deadline = self.flush();
                if !self.shard.wants_flush() {
                    break;
                }
            }
            while let Ok(command) = self.inbox.try_recv() {
                self.shard.handle_input(Instant::now(), Input::Command(command));
                deadline = self.flush();
            }
            if deadline.is_some_and(|at| at <= Instant::now()) {
                self.shard.handle_input(Instant::now(), Input::Timeout);
                deadline = self.flush();
            }
        }
        (self.backend.stats(), self.stats)
    }

    fn flush(&mut self) -> Option<Instant> {
        let deadline = self.drain();
        let backend = self.backend.as_mut();
        self.shard.send_trains(|trains| {
            backend.send(trains);
        });
        deadline
    }

    /// Passes answers on and keeps the newest numbers; when the shard wants to be woken.
    fn drain(&mut self) -> Option<Instant> {
        use weir_sfu_api::Event;
        loop {
            match self.shard.poll_output() {
                Output::Timeout(next) => return next.map(|(at, _)| at),
                Output::Event(Event::Reply(reply)) => {
                    let _ = self.outbox.send(reply);
                }
                Output::Event(Event::Stats(stats)) => self.stats = *stats,
                Output::Event(_) => {}
            }
        }
    }
}
