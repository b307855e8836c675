//! The backend for every Linux: `epoll`, `recvmmsg`, `sendmmsg`.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use weir_wire::train::{Train, TrainBuf};

use crate::api::{
    Backend, BackendKind, BackendStats, Datagram, MAX_DATAGRAMS_PER_CALL, Received, SendReport,
};
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
        stats.wait_syscalls += 1;
        let ready = self.poller.wait(timeout)?;
        if ready.waker {
            self.waker.drain();
            stats.wakeups += 1;
            received.woken = true;
        }
        let mut more = ready.socket;
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
