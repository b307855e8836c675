//! Waiting for a socket and a wake-up: `eventfd` and `epoll`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use super::check;

/// An event counter.
pub(crate) fn eventfd(nonblocking: bool) -> io::Result<OwnedFd> {
    let flags = libc::EFD_CLOEXEC | if nonblocking { libc::EFD_NONBLOCK } else { 0 };
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::eventfd(0, flags) })?;
    // SAFETY: the descriptor is new and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What is ready.
#[derive(Default)]
pub(crate) struct Ready {
    pub(crate) socket: bool,
    pub(crate) waker: bool,
}

/// Waits for the socket of a shard and its waker.
pub(crate) struct Poller {
    epoll: OwnedFd,
    /// Whether `epoll_pwait2` (Linux 5.11, nanoseconds) is there.
    pwait2: bool,
}

const SOCKET: u64 = 0;
const WAKER: u64 = 1;

impl Poller {
    pub(crate) fn new(socket: BorrowedFd<'_>, waker: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor is new and nobody else has it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        for (fd, token) in [(socket, SOCKET), (waker, WAKER)] {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
            // SAFETY: `event` lives across the call, which copies it.
            check(unsafe {
                libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event)
            })?;
        }
        Ok(Self { epoll, pwait2: true })
    }

    /// Waits for either or the timeout; a signal ends the wait with nothing ready.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Ready> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
        let count = match self.wait_raw(timeout, &mut events) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        let mut ready = Ready::default();
        for event in events.iter().take(count) {
            // An error state counts as readable: the next receive call clears it.
            match event.u64 {
                SOCKET => ready.socket = true,
                _ => ready.waker = true,
            }
        }
        Ok(ready)
    }

    fn wait_raw(
        &mut self,
        timeout: Option<Duration>,
        events: &mut [libc::epoll_event; 2],
    ) -> io::Result<usize> {
        let fd = self.epoll.as_raw_fd();
        if self.pwait2 {
            // Kernel's timespec: two 64-bit words on every target.
            let spec = timeout.map(|t| {
                let seconds = i64::try_from(t.as_secs()).unwrap_or(i64::MAX);
                [seconds, i64::from(t.subsec_nanos())]
            });
            let spec = spec.as_ref().map_or(ptr::null(), |s| s.as_ptr());
            // SAFETY: `events` has room for two, `spec` is null or points to a timespec that
            // lives across the call; no signal mask.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    fd,
                    events.as_mut_ptr(),
                    2,
                    spec,
                    ptr::null::<libc::sigset_t>(),
                    0usize,
                )
            };
            if count >= 0 {
                return Ok(count as usize);
            }
            let error = io::Error::last_os_error();
            // Old seccomp profiles answer EPERM to calls they do not know.
            if !matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) {
                return Err(error);
            }
            self.pwait2 = false;
        }
        let millis = timeout.map_or(-1, |t| {
            let rounded_up = t.as_nanos().div_ceil(1_000_000);
            i32::try_from(rounded_up).unwrap_or(i32::MAX)
        });
        // SAFETY: `events` has room for two and lives across the call.
        let count = check(unsafe { libc::epoll_wait(fd, events.as_mut_ptr(), 2, millis) })?;
        Ok(count as usize)
    }
}
