//! The backend for every Linux: `epoll`, `recvmmsg`, `sendmmsg`.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use weir_wire::train::{Train, TrainBuf};

use crate::api::{
    Backend, BackendKind, BackendStats, Datagram, GATHER_AT_MOST, MAX_DATAGRAMS_PER_CALL, Received,
    SendReport,
};
use crate::gather::Gather;
use crate::recv::deliver;
use crate::send::{BATCH, Sender, Transmit};
use crate::sys::event::Poller;
use crate::sys::mmsg::{ReceiveBatch, send_batch};
use crate::sys::slots::MessageSlots;
use crate::waker::Waker;

pub(crate) struct MmsgBackend {
    io: Io,
    poller: Poller,
    waker: Waker,
    inbox: ReceiveBatch,
    gather: Gather,
    sender: Sender,
    local: SocketAddr,
}

/// What sending needs while the [`Sender`] is borrowed.
struct Io {
    socket: UdpSocket,
    slots: MessageSlots,
    stats: BackendStats,
}

impl MmsgBackend {
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let local = socket.local_addr()?;
        let waker = Waker::new(true)?;
        let poller = Poller::new(socket.as_fd(), waker.as_fd())?;
        let slots = MessageSlots::new(BATCH, local.is_ipv6());
        Ok(Self {
            io: Io { socket, slots, stats: BackendStats::default() },
            poller,
            waker,
            inbox: ReceiveBatch::new(),
            gather: Gather::new(),
            sender: Sender::new(),
            local,
        })
    }
}

impl Backend for MmsgBackend {
    fn receive(
        &mut self,
        timeout: Option<Duration>,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<Received> {
        let stats = &mut self.io.stats;
        let mut received = Received::default();
        // Messages that an earlier call had to leave behind.
        let timeout = if self.inbox.is_empty() { timeout } else { Some(Duration::ZERO) };
        let (slept, timeout) = self.gather.sleep(timeout);
        let mut more = false;
        if slept {
            stats.wait_syscalls += 1;
            stats.receive_syscalls += 1;
            more = self.inbox.fill(self.io.socket.as_fd())? == ReceiveBatch::LEN;
            self.gather.found(!self.inbox.is_empty());
        }
        // Having slept it is known what waits, but for a wake-up.
        if !slept || self.inbox.is_empty() || self.waker.is_pending() {
            stats.wait_syscalls += 1;
            let timeout = if self.inbox.is_empty() { timeout } else { Some(Duration::ZERO) };
            let ready = self.poller.wait(timeout)?;
            if !slept || self.inbox.is_empty() {
                self.gather.woken();
            }
            if ready.waker {
                self.waker.drain();
                stats.wakeups += 1;
                received.woken = true;
            }
            more |= ready.socket;
        }
        while received.datagrams < MAX_DATAGRAMS_PER_CALL {
            if let Some(message) = self.inbox.pop() {
                received.datagrams += deliver(&message, stats, sink);
            } else if more {
                stats.receive_syscalls += 1;
                // A short batch has emptied the socket.
                more = self.inbox.fill(self.io.socket.as_fd())? == ReceiveBatch::LEN;
            } else {
                break;
            }
        }
        Ok(received)
    }

    fn gather(&mut self, time: Duration) {
        self.gather.set(time.min(GATHER_AT_MOST));
    }

    fn send(&mut self, trains: &mut TrainBuf) -> SendReport {
        let report = self.sender.send(trains, &mut self.io);
        self.io.stats.note_sent(&report);
        report
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn kind(&self) -> BackendKind {
        BackendKind::Mmsg
    }

    fn stats(&self) -> BackendStats {
        BackendStats { gso_off: self.sender.gso_off, ..self.io.stats }
    }
}

impl Transmit for Io {
    fn transmit(&mut self, trains: &mut TrainBuf, batch: &[Train], results: &mut [i32]) {
        let calls = send_batch(self.socket.as_fd(), &mut self.slots, trains, batch, results);
        self.stats.send_syscalls += calls;
    }
}
