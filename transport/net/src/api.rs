//! What a shard sees of the network.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use std::{fmt, io, str};

use weir_wire::train::TrainBuf;

use crate::waker::Waker;

/// [`Backend::receive`] returns when it has handed over this many datagrams, or a few more: a
/// message that the kernel merged (GRO, at most 128 datagrams) is never torn.
pub const MAX_DATAGRAMS_PER_CALL: usize = 1024;

/// Largest datagram that is handed over, in bytes: a jumbo frame. Media and DTLS keep below
/// 1,500; what is larger is discarded and counted in [`BackendStats::discarded`].
pub const MAX_DATAGRAM_BYTES: usize = 9_216;

/// Longest time by which [`Backend::gather`] puts off a wake-up.
pub const GATHER_AT_MOST: Duration = Duration::from_millis(1);

/// What the server gives [`Backend::gather`] unless told otherwise: with fifty rooms of two it takes half
/// of the CPU (docs/data-path.md) and adds a quarter of a millisecond on average.
pub const GATHER: Duration = Duration::from_micros(500);

/// How a shard's socket is opened.
#[derive(Debug, Clone)]
pub struct SocketConfig {
    /// Address and port to listen on. `[::]` takes IPv4 too, and means `0.0.0.0` where the
    /// machine has no IPv6. Port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// Wanted receive buffer of the socket, in bytes (`SO_RCVBUFFORCE`, else `SO_RCVBUF`, which
    /// `net.core.rmem_max` limits).
    pub recv_buffer_bytes: usize,
    /// Wanted send buffer of the socket, in bytes (`net.core.wmem_max` likewise).
    pub send_buffer_bytes: usize,
}

/// One received datagram. Merged ones were taken apart before.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Sender; an IPv4 address is never given in its IPv6-mapped form.
    pub src: SocketAddr,
    /// The local address it was sent to, which the answer should leave from.
    pub dst: Option<IpAddr>,
    /// Its bytes, 1 to [`MAX_DATAGRAM_BYTES`].
    pub data: &'a [u8],
}

/// What a call of [`Backend::receive`] brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Datagrams handed over.
    pub datagrams: usize,
    /// Whether a [`Waker`] was used since the last call that said so.
    pub woken: bool,
}

/// What a call of [`Backend::send`] achieved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendReport {
    /// Trains given to the call.
    pub trains: usize,
    /// Datagrams the kernel took.
    pub datagrams: usize,
    /// Their bytes, without UDP and IP headers.
    pub bytes: usize,
    /// Datagrams dropped because the socket's send buffer was full (`EAGAIN`, `ENOBUFS`).
    pub dropped_would_block: usize,
    /// Datagrams the kernel refused for another reason (no route, not permitted, too large).
    pub errors: usize,
    /// Trains that were refused as such and sent again as single datagrams.
    pub gso_fallbacks: usize,
}

/// Counters since the backend was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackendStats {
    /// Calls that wait for something to happen (`epoll_wait`; `io_uring_enter`, which receives
    /// too), and sleeps instead of such calls.
    pub wait_syscalls: u64,
    /// Calls of `recvmmsg`; 0 with io_uring.
    pub receive_syscalls: u64,
    /// Calls of `sendmmsg`, or of `io_uring_enter` to send.
    pub send_syscalls: u64,
    /// Messages from the kernel; one may hold several merged datagrams.
    pub received_messages: u64,
    /// Datagrams handed over.
    pub received_datagrams: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Messages or datagrams ignored: truncated, empty, larger than [`MAX_DATAGRAM_BYTES`], or
    /// without a sender.
    pub discarded: u64,
    /// Datagrams that the kernel dropped because the socket's receive buffer was full
    /// (`SO_RXQ_OVFL`, as of the last received message).
    pub kernel_drops: u64,
    /// Wake-ups seen.
    pub wakeups: u64,
    /// Trains taken by [`Backend::send`].
    pub sent_trains: u64,
    /// Datagrams the kernel took.
    pub sent_datagrams: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Sum of [`SendReport::dropped_would_block`].
    pub send_would_block: u64,
    /// Sum of [`SendReport::errors`].
    pub send_errors: u64,
    /// Sum of [`SendReport::gso_fallbacks`].
    pub gso_fallbacks: u64,
    /// Whether `UDP_SEGMENT` has been given up: trains leave as single datagrams.
    pub gso_off: bool,
    /// io_uring: how often the multishot receive had to be armed.
    pub receive_arms: u64,
    /// io_uring: how often it ended because all provided buffers were in use.
    pub buffers_exhausted: u64,
}

impl BackendStats {
    /// All system calls on the media path.
    #[must_use]
    pub fn syscalls(&self) -> u64 {
        self.wait_syscalls + self.receive_syscalls + self.send_syscalls
    }

    pub(crate) fn note_sent(&mut self, report: &SendReport) {
        self.sent_trains += report.trains as u64;
        self.sent_datagrams += report.datagrams as u64;
        self.sent_bytes += report.bytes as u64;
        self.send_would_block += report.dropped_would_block as u64;
        self.send_errors += report.errors as u64;
        self.gso_fallbacks += report.gso_fallbacks as u64;
    }
}

/// A shard's socket.
///
/// A backend may be opened on one thread and moved to another, but from its first
/// [`receive`](Self::receive) or [`send`](Self::send) on it belongs to that thread, where it
/// should be dropped too: the kernel then serves an io_uring to its owner only and refuses
/// others (`EEXIST`).
pub trait Backend: Send {
    /// Waits for datagrams, a wake-up or the timeout (`None`: for ever) and hands each datagram
    /// to `sink`, at most about [`MAX_DATAGRAMS_PER_CALL`] a call. May return early with nothing.
    ///
    /// # Errors
    /// Only when the socket or ring cannot be used any more.
    fn receive(
        &mut self,
        timeout: Option<Duration>,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<Received>;

    /// From now on puts off waking up until `time` (0 to [`GATHER_AT_MOST`]; more counts as that) after
    /// the last time, so that what comes meanwhile is received in one go. Nothing waits longer than that
    /// for it, and nothing when it took the caller that long to come back. Zero, as at first: never.
    fn gather(&mut self, time: Duration);

    /// Sends all trains without blocking, and clears the buffer. What the kernel does not take
    /// is dropped and counted; a refused destination does not stop the others.
    fn send(&mut self, trains: &mut TrainBuf) -> SendReport;

    /// A handle with which any thread ends a [`receive`](Self::receive) that waits.
    fn waker(&self) -> Waker;

    /// The address the socket is bound to, with the port that the kernel chose.
    fn local_addr(&self) -> SocketAddr;

    /// Which backend this is.
    fn kind(&self) -> BackendKind;

    /// Counters since opening.
    fn stats(&self) -> BackendStats;
}

/// Which backend to open (`media.backend`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// io_uring if the machine allows it, else mmsg.
    #[default]
    Auto,
    /// io_uring or an error.
    IoUring,
    /// `epoll`, `recvmmsg` and `sendmmsg`.
    Mmsg,
}

impl str::FromStr for BackendChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "io_uring" => Ok(Self::IoUring),
            "mmsg" => Ok(Self::Mmsg),
            other => Err(format!("`{other}` is none of auto, io_uring, mmsg")),
        }
    }
}

/// Which backend is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendKind {
    /// io_uring.
    IoUring,
    /// `epoll`, `recvmmsg` and `sendmmsg`.
    Mmsg,
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IoUring => "io_uring",
            Self::Mmsg => "mmsg",
        })
    }
}

/// Why no backend could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The UDP address cannot be had: in use, not local, or not permitted. Change
    /// `media.listen`.
    #[error("cannot listen on UDP {listen}: {source}")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// The kernel's answer.
        source: io::Error,
    },
    /// io_uring was asked for by name and this machine does not offer it. Use `auto` or `mmsg`.
    #[error("io_uring cannot be used here: {reason}")]
    IoUring {
        /// What the probe found.
        reason: String,
    },
    /// The socket is bound but the rest of the backend could not be made (file descriptors,
    /// memory).
    #[error("cannot set up the network backend: {0}")]
    Setup(#[source] io::Error),
}
