//! What the tests of both backends share.
#![allow(unreachable_pub, dead_code, reason = "each test file uses a part")]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use weir_net::{Backend, BackendChoice, BackendKind, SocketConfig, open, probe_io_uring};

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A datagram with its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub src: SocketAddr,
    pub dst: Option<IpAddr>,
    pub data: Vec<u8>,
}

pub fn config(listen: &str) -> SocketConfig {
    SocketConfig {
        listen: listen.parse().unwrap(),
        recv_buffer_bytes: 4 << 20,
        send_buffer_bytes: 4 << 20,
    }
}

/// The backend under test; `None` (skip) where io_uring is not allowed and not required by
/// `WEIR_REQUIRE`.
pub fn backend(choice: BackendChoice, listen: &str) -> Option<Box<dyn Backend>> {
    if choice == BackendChoice::IoUring
        && let Err(reason) = probe_io_uring()
    {
        let required = std::env::var("WEIR_REQUIRE").unwrap_or_default();
        assert!(!required.contains("io_uring"), "io_uring is required: {reason}");
        eprintln!("skipped, no io_uring here: {reason}");
        return None;
    }
    let (backend, fallback) = open(choice, &config(listen)).unwrap();
    assert_eq!(fallback, None);
    let kind = if choice == BackendChoice::Mmsg { BackendKind::Mmsg } else { BackendKind::IoUring };
    assert_eq!(backend.kind(), kind);
    Some(backend)
}

/// Receives until `count` datagrams are there.
pub fn collect(backend: &mut dyn Backend, count: usize) -> Vec<Got> {
    let (mut got, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while got.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} datagrams", got.len());
        let before = got.len();
        let received = backend
            .receive(Some(Duration::from_millis(50)), &mut |d| {
                got.push(Got { src: d.src, dst: d.dst, data: d.data.to_vec() });
            })
            .unwrap();
        assert_eq!(received.datagrams, got.len() - before);
    }
    got
}

/// An ordinary socket of the other side.
pub fn peer(listen: &str) -> UdpSocket {
    let socket = UdpSocket::bind(listen).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// The next datagram at an ordinary socket.
pub fn next(peer: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buf = vec![0; 65_536];
    let (len, from) = peer.recv_from(&mut buf).unwrap();
    buf.truncate(len);
    (buf, from)
}

/// Whether this machine has the IPv6 loopback address.
pub fn ipv6() -> bool {
    UdpSocket::bind("[::1]:0").is_ok()
}

/// Bytes that tell their place.
pub fn pattern(seed: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| (seed * 31 + i * 7 + i / 251) as u8).collect()
}
