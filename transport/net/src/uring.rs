//! The io_uring backend: multishot `recvmsg` into provided buffers, sends in batches.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use weir_wire::train::TrainBuf;

use crate::api::{
    Backend, BackendKind, BackendStats, Datagram, GATHER_AT_MOST, Received, SendReport,
    SocketConfig,
};
use crate::send::Sender;
use crate::sys::ring::{Ring, RingParts};
use crate::sys::socket::bind;
use crate::waker::Waker;

pub(crate) struct UringBackend {
    ring: Ring,
    sender: Sender,
    local: SocketAddr,
}

impl UringBackend {
    pub(crate) fn new(parts: RingParts, socket: UdpSocket) -> io::Result<Self> {
        let local = socket.local_addr()?;
        // io_uring waits for a blocking descriptor and reports EAGAIN of a non-blocking one.
        let waker = Waker::new(false)?;
        let ring = Ring::new(parts, socket, waker, local.is_ipv6());
        Ok(Self { ring, sender: Sender::new(), local })
    }
}

impl Backend for UringBackend {
    fn receive(
        &mut self,
        timeout: Option<Duration>,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<Received> {
        self.ring.receive(timeout, sink)
    }

    fn gather(&mut self, time: Duration) {
        self.ring.gather(time.min(GATHER_AT_MOST));
    }

    fn send(&mut self, trains: &mut TrainBuf) -> SendReport {
        let report = self.sender.send(trains, &mut self.ring);
        self.ring.stats.note_sent(&report);
        report
    }

    fn waker(&self) -> Waker {
        self.ring.waker().clone()
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn kind(&self) -> BackendKind {
        BackendKind::IoUring
    }

    fn stats(&self) -> BackendStats {
        BackendStats { gso_off: self.sender.gso_off, ..self.ring.stats }
    }
}

/// Tries everything the backend does on a socket of the loopback interface.
pub(crate) fn probe() -> Result<(), String> {
    // A message that was sent arrives at once; this bounds a machine that is very busy.
    const PATIENCE: Duration = Duration::from_secs(2);
    let parts = RingParts::new()?;
    let loopback =
        |listen| bind(&SocketConfig { listen, recv_buffer_bytes: 0, send_buffer_bytes: 0 });
    let socket = loopback(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .or_else(|_| loopback(SocketAddr::from((Ipv6Addr::LOCALHOST, 0))))
        .map_err(|e| format!("binding a socket for the test: {e}"))?;
    let mut backend =
        UringBackend::new(parts, socket).map_err(|e| format!("setting up the test: {e}"))?;
    backend
        .receive(Some(Duration::ZERO), &mut |_| ())
        .map_err(|e| format!("io_uring_enter (multishot recvmsg): {e}"))?;
    let to = backend.local_addr();
    let mut trains = TrainBuf::default();
    let deadline = Instant::now() + PATIENCE;
    // Two rounds: a multishot receive goes on after its first message.
    for text in [b"first".as_slice(), b"second"] {
        trains.push(to, Some(to.ip()), text);
        let report = backend.send(&mut trains);
        if report.datagrams != 1 {
            return Err("sendmsg through io_uring failed".into());
        }
        let mut right = false;
        while !right {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("multishot recvmsg received nothing".into());
            }
            backend
                .receive(Some(left), &mut |d| {
                    right |= d.data == text && d.src == to && d.dst == Some(to.ip());
                })
                .map_err(|e| format!("multishot recvmsg: {e}"))?;
        }
    }
    Ok(())
}
