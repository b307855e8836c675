//! UDP in and out, the only place where Weir's media path meets the kernel.
//!
//! One shard is one thread with one socket and one [`Backend`]: [`Backend::receive`] waits and
//! hands over datagrams, [`Backend::send`] lets a buffer of trains leave. Two backends exist with
//! the same behaviour: io_uring (multishot `recvmsg` into a ring of provided buffers) and mmsg
//! (`epoll`, `recvmmsg`, `sendmmsg`). Both take merged datagrams (`UDP_GRO`) apart on the way in
//! and send trains in one piece (`UDP_SEGMENT`) on the way out. [`open`] chooses.
//!
//! `unsafe` code lives in `src/sys` alone.

mod addr;
mod api;
mod cmsg;
mod gather;
mod mmsg;
mod open;
mod recv;
mod send;
#[expect(unsafe_code, reason = "system calls, rings shared with the kernel")]
mod sys;
mod uring;
mod waker;

pub use api::{
    Backend, BackendChoice, BackendKind, BackendStats, Datagram, GATHER, GATHER_AT_MOST,
    MAX_DATAGRAM_BYTES, MAX_DATAGRAMS_PER_CALL, NetError, Received, SendReport, SocketConfig,
};
pub use open::{open, probe_io_uring};
pub use sys::interfaces::interface_addresses;
pub use sys::socket::bind;
pub use waker::Waker;
