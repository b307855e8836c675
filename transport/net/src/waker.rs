//! Waking a shard that waits for datagrams.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys;

/// Ends a waiting [`Backend::receive`](crate::Backend::receive) from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    event: File,
    /// Set by the first wake-up, cleared when the shard has seen it: the others need no call.
    pending: AtomicBool,
}

impl Waker {
    pub(crate) fn new(nonblocking: bool) -> io::Result<Self> {
        let event = sys::event::eventfd(nonblocking)?.into();
        Ok(Self(Arc::new(Shared { event, pending: AtomicBool::new(false) })))
    }

    /// Makes the backend's present or next `receive` return with `woken`. What the caller wrote
    /// before is visible to the shard afterwards. Several calls may become one wake-up.
    pub fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel) {
            // Fails only if 2^64 - 2 wake-ups wait to be read.
            let _ = (&self.0.event).write(&1u64.to_ne_bytes());
        }
    }

    /// Whether a wake-up has not been seen yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.0.pending.load(Ordering::Acquire)
    }

    /// Empties the event counter of a non-blocking waker.
    pub(crate) fn drain(&self) {
        let _ = (&self.0.event).read(&mut [0; 8]);
        self.seen();
    }

    /// The counter has been read: the next wake-up writes again.
    pub(crate) fn seen(&self) {
        self.0.pending.swap(false, Ordering::AcqRel);
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}
