//! An io_uring with one socket and one waker.

use std::collections::VecDeque;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, Probe, cqueue, opcode, squeue};
use weir_wire::train::{Train, TrainBuf};

use super::buffers::BufferRing;
use super::slots::{MessageSlots, empty_header};
use crate::addr::NAME_BYTES;
use crate::api::{BackendStats, Datagram, MAX_DATAGRAMS_PER_CALL, Received};
use crate::cmsg::CONTROL_BYTES;
use crate::gather::Gather;
use crate::recv::{RawMessage, deliver};
use crate::send::{BATCH, Transmit};
use crate::waker::Waker;

/// Room for a batch of sends and the two requests that stay.
const SUBMISSIONS: u32 = 128;
/// Room for a completion of every buffer and of a batch of sends.
const COMPLETIONS: u32 = 1024;
const GROUP: u16 = 0;
/// Completions that end the gathering of more (see [`Gather`]).
const GATHERED: usize = 64;
/// A wait without timeout.
const FOR_EVER: Duration = Duration::from_secs(3_600);

// What a completion belongs to; lower values are a send's place in its batch.
const RECEIVE: u64 = u64::MAX;
const WAKE: u64 = u64::MAX - 1;
const CANCEL: u64 = u64::MAX - 2;

/// Ends of the multishot receive with an error and without a message, in a row, that mean it
/// will never work.
const RECEIVE_FAILURES: u32 = 16;

/// The ring before it has a socket: everything that can fail.
pub(crate) struct RingParts {
    ring: IoUring,
    buffers: BufferRing,
}

impl RingParts {
    /// Sets up the ring and its buffers. The error says which step failed.
    pub(crate) fn new() -> Result<Self, String> {
        let ring = build().map_err(|e| step("io_uring_setup", &e))?;
        let mut probe = Probe::new();
        ring.submitter()
            .register_probe(&mut probe)
            .map_err(|e| step("io_uring_register (operations)", &e))?;
        for (name, code) in [
            ("recvmsg", opcode::RecvMsgMulti::CODE),
            ("sendmsg", opcode::SendMsg::CODE),
            ("read", opcode::Read::CODE),
            ("async_cancel", opcode::AsyncCancel2::CODE),
        ] {
            if !probe.is_supported(code) {
                return Err(format!("this kernel's io_uring has no {name}"));
            }
        }
        if !ring.params().is_feature_ext_arg() || !ring.params().is_feature_nodrop() {
            return Err("this kernel's io_uring lacks EXT_ARG or NODROP".into());
        }
        let buffers = BufferRing::new(&ring.submitter(), GROUP)
            .map_err(|e| step("io_uring_register (buffer ring)", &e))?;
        Ok(Self { ring, buffers })
    }
}

fn step(what: &str, error: &io::Error) -> String {
    format!("{what}: {error}")
}

/// The ring starts disabled, so that it belongs to the thread that uses it first and not to the
/// one that opens it.
fn build() -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder.setup_r_disabled().setup_submit_all().setup_cqsize(COMPLETIONS);
    let mut best = builder.clone();
    // Linux 6.1.
    best.setup_single_issuer().setup_defer_taskrun();
    match best.build(SUBMISSIONS) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => builder.build(SUBMISSIONS),
        other => other,
    }
}

/// Memory that the kernel reads and writes while requests are under way.
struct Memory {
    buffers: BufferRing,
    slots: MessageSlots,
    /// Lengths of name and control messages, for the multishot receive.
    receive: libc::msghdr,
    /// Where the waker's counter is read to.
    counter: u64,
    /// Trains whose sends could not be completed because the ring failed.
    hostage: TrainBuf,
}

/// An io_uring that receives from and sends to one socket.
pub(crate) struct Ring {
    ring: ManuallyDrop<IoUring>,
    memory: ManuallyDrop<Box<Memory>>,
    socket: UdpSocket,
    waker: Waker,
    /// Completions of receives and wake-ups that came while a send was waited for.
    early: VecDeque<cqueue::Entry>,
    enabled: bool,
    receiving: bool,
    reading: bool,
    /// Set when the ring refused to work while it held sends.
    broken: bool,
    failures: u32,
    gather: Gather,
    pub(crate) stats: BackendStats,
}

// SAFETY: the raw pointers (in `Memory::receive`: null; in the io_uring: its own mappings) are
// not tied to a thread. Which thread may use the ring is checked by the kernel.
unsafe impl Send for Ring {}

impl Ring {
    pub(crate) fn new(parts: RingParts, socket: UdpSocket, waker: Waker, ipv6: bool) -> Self {
        let mut receive = empty_header().msg_hdr;
        receive.msg_namelen = NAME_BYTES as u32;
        receive.msg_controllen = CONTROL_BYTES as _;
        let memory = Memory {
            buffers: parts.buffers,
            slots: MessageSlots::new(BATCH, ipv6),
            receive,
            counter: 0,
            hostage: TrainBuf::default(),
        };
        Self {
            ring: ManuallyDrop::new(parts.ring),
            memory: ManuallyDrop::new(Box::new(memory)),
            socket,
            waker,
            early: VecDeque::with_capacity(COMPLETIONS as usize),
            enabled: false,
            receiving: false,
            reading: false,
            broken: false,
            failures: 0,
            gather: Gather::new(),
            stats: BackendStats::default(),
        }
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// See [`Backend::gather`](crate::Backend::gather).
    pub(crate) fn gather(&mut self, time: Duration) {
        self.gather.set(time);
    }

    /// Waits and hands over datagrams, see [`Backend::receive`](crate::Backend::receive).
    pub(crate) fn receive(
        &mut self,
        timeout: Option<Duration>,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<Received> {
        self.enable()?;
        // What a panic of the sink kept from being published.
        self.memory.buffers.publish();
        if self.early.is_empty() && self.ring.completion().is_empty() {
            self.arm()?;
            self.stats.wait_syscalls += 1;
            self.wait(timeout)?;
        }
        let mut received = Received::default();
        let mut outcome = Ok(());
        while received.datagrams < MAX_DATAGRAMS_PER_CALL {
            let Some(done) = self.early.pop_front().or_else(|| self.ring.completion().next())
            else {
                break;
            };
            match done.user_data() {
                RECEIVE => match self.take(&done, sink) {
                    Ok(datagrams) => received.datagrams += datagrams,
                    Err(error) => outcome = Err(error),
                },
                WAKE => {
                    self.reading = false;
                    if done.result() > 0 {
                        self.waker.seen();
                        self.stats.wakeups += 1;
                        received.woken = true;
                    }
                }
                _ => {}
            }
        }
        self.memory.buffers.publish();
        outcome.map(|()| received)
    }

    /// Hands over the message of one completion and gives its buffer back.
    fn take(
        &mut self,
        done: &cqueue::Entry,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<usize> {
        if !cqueue::more(done.flags()) {
            self.receiving = false;
        }
        let mut datagrams = 0;
        let memory = &mut **self.memory;
        if let Some(id) = cqueue::buffer_select(done.flags()) {
            let len = usize::try_from(done.result()).unwrap_or(0);
            // Given back first, so that a sink that panics loses no buffer; the kernel sees that
            // only when it is published.
            memory.buffers.give(id);
            // SAFETY: this completion handed out the buffer; nothing is published before the
            // borrow ends.
            let buffer = unsafe { memory.buffers.get(id, len) };
            match RecvMsgOut::parse(buffer, &memory.receive) {
                Ok(out) => {
                    let message = RawMessage {
                        name: out.name_data(),
                        control: out.control_data(),
                        payload: out.payload_data(),
                        truncated: out.is_payload_truncated() || out.is_control_data_truncated(),
                    };
                    datagrams = deliver(&message, &mut self.stats, sink);
                }
                Err(()) => self.stats.discarded += 1,
            }
            self.failures = 0;
        }
        match -done.result() {
            ..=0 => {}
            libc::ENOBUFS => self.stats.buffers_exhausted += 1,
            // A signal, or an error that an ICMP message left in the socket: arm again, but not
            // for ever.
            errno => {
                self.failures += 1;
                if self.failures >= RECEIVE_FAILURES {
                    return Err(io::Error::from_raw_os_error(errno));
                }
            }
        }
        Ok(datagrams)
    }

    /// Makes the ring this thread's.
    fn enable(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("the io_uring has failed"));
        }
        if !self.enabled {
            self.ring.submitter().register_enable_rings()?;
            self.enabled = true;
        }
        Ok(())
    }

    /// Queues the receive and the read of the waker's counter where they have ended.
    fn arm(&mut self) -> io::Result<()> {
        if !self.receiving {
            let fd = Fd(self.socket.as_raw_fd());
            let header = &raw const self.memory.receive;
            let entry = opcode::RecvMsgMulti::new(fd, header, GROUP).build().user_data(RECEIVE);
            // SAFETY: header and buffers live in `memory`, which outlives the request.
            unsafe { self.push(&entry)? };
            self.receiving = true;
            self.stats.receive_arms += 1;
        }
        if !self.reading {
            let fd = Fd(self.waker.as_fd().as_raw_fd());
            let counter = (&raw mut self.memory.counter).cast();
            let entry =
                opcode::Read::new(fd, counter, size_of::<u64>() as u32).build().user_data(WAKE);
            // SAFETY: the counter lives in `memory`, which outlives the request.
            unsafe { self.push(&entry)? };
            self.reading = true;
        }
        Ok(())
    }

    /// Queues a request.
    ///
    /// # Safety
    /// What it points to lives until its last completion.
    unsafe fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: the caller's promise.
        if unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit()?;
            // SAFETY: the caller's promise.
            unsafe { self.ring.submission().push(entry) }
                .map_err(|_| io::Error::from_raw_os_error(libc::EBUSY))?;
        }
        Ok(())
    }

    /// Submits what is queued and waits for a completion or the timeout.
    fn wait(&mut self, mut timeout: Option<Duration>) -> io::Result<()> {
        // Linux 6.12: the kernel itself lets completions gather before it wakes us.
        let native = self.ring.params().is_feature_min_timeout();
        if !native {
            let (slept, left) = self.gather.sleep(timeout);
            timeout = left;
            if slept {
                self.stats.wait_syscalls += 1;
                self.enter(1, 0, Duration::ZERO)?;
                let found = !self.ring.completion().is_empty();
                self.gather.found(found);
                if found {
                    return Ok(());
                }
                self.stats.wait_syscalls += 1;
            }
        }
        let rest = self.gather.rest(timeout).filter(|_| native);
        let micros = rest.map_or(0, |rest| u32::try_from(rest.as_micros()).unwrap_or(0));
        // More than this need not gather: what is there is enough for a good batch.
        let want = if micros > 0 { GATHERED } else { 1 };
        let result = self.enter(want, micros, timeout.map_or(FOR_EVER, |t| t.min(FOR_EVER)));
        self.gather.woken();
        result
    }

    /// Submits what is queued and waits for `want` completions; after `micros` for one, and for that until
    /// the timeout.
    fn enter(&self, want: usize, micros: u32, timeout: Duration) -> io::Result<()> {
        let spec = Timespec::from(timeout);
        let args = SubmitArgs::new().timespec(&spec).min_wait_usec(micros);
        ignore_transient(self.ring.submitter().submit_with_args(want, &args))
    }

    /// Waits until `pending` sends are done, keeping other completions for later.
    fn complete(&mut self, mut pending: usize, results: &mut [i32]) -> io::Result<()> {
        let mut want = 0;
        while pending > 0 {
            self.stats.send_syscalls += 1;
            ignore_transient(self.ring.submitter().submit_and_wait(want))?;
            // Sends that do not block are done when they have been submitted.
            want = 1;
            for done in self.ring.completion() {
                let place = usize::try_from(done.user_data()).ok();
                if let Some(result) = place.and_then(|i| results.get_mut(i)) {
                    *result = done.result();
                    pending -= 1;
                } else {
                    self.early.push_back(done);
                }
            }
        }
        Ok(())
    }

    /// Ends the requests that stay, so that the kernel lets go of the memory.
    fn quiesce(&mut self) -> io::Result<()> {
        let cancel = opcode::AsyncCancel2::new(CancelBuilder::any()).build().user_data(CANCEL);
        // SAFETY: the request points to nothing.
        unsafe { self.push(&cancel)? };
        // About a second; a cancellation takes one round.
        for _ in 0..100 {
            while let Some(done) = self.early.pop_front().or_else(|| self.ring.completion().next())
            {
                match done.user_data() {
                    RECEIVE if !cqueue::more(done.flags()) => self.receiving = false,
                    WAKE => self.reading = false,
                    _ => {}
                }
            }
            if !self.receiving && !self.reading {
                return Ok(());
            }
            self.wait(Some(Duration::from_millis(10)))?;
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl Transmit for Ring {
    fn transmit(&mut self, trains: &mut TrainBuf, batch: &[Train], results: &mut [i32]) {
        if let Err(error) = self.enable() {
            results.fill(-error.raw_os_error().unwrap_or(libc::EPIPE));
            return;
        }
        let fd = Fd(self.socket.as_raw_fd());
        let headers = self.memory.slots.prepare(trains, batch);
        let (count, first) = (headers.len().min(results.len()), headers.as_ptr());
        let mut queued = 0;
        let mut outcome = Ok(());
        for i in 0..count {
            // SAFETY: `i` is below the number of headers.
            let header = unsafe { &raw const (*first.add(i)).msg_hdr };
            let entry = opcode::SendMsg::new(fd, header)
                .flags(libc::MSG_DONTWAIT as u32)
                .build()
                .user_data(i as u64);
            // SAFETY: the headers and what they point to live in `memory` and `trains`; both stay
            // until `complete` has seen every send, or are kept below if it cannot.
            outcome = unsafe { self.push(&entry) };
            if outcome.is_err() {
                break;
            }
            queued += 1;
        }
        let completed = self.complete(queued, results);
        if completed.is_err() {
            // The kernel may still read the bytes: keep them until the ring is gone.
            self.broken = true;
            mem::swap(&mut self.memory.hostage, trains);
        }
        if let Err(error) = outcome.and(completed) {
            tracing::error!(%error, "io_uring does not take sends");
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let idle = !self.enabled || (!self.broken && self.quiesce().is_ok());
        // Closing does not end requests at once, so that memory goes only after all have ended.
        // A leak is left when the ring is broken or dropped on a thread that does not own it.
        // SAFETY: dropped once, here, and not used afterwards. The ring goes before the buffers
        // that are registered with it.
        unsafe { ManuallyDrop::drop(&mut self.ring) };
        if idle {
            // SAFETY: dropped once, here, and not used afterwards; no request is left.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        }
    }
}

fn ignore_transient(result: io::Result<usize>) -> io::Result<()> {
    match result {
        Err(error)
            if !matches!(
                error.raw_os_error(),
                Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY)
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}
