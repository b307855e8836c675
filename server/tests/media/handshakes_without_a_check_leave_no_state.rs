//! 10,000 begun handshakes from addresses without an authenticated check: dropped, counted, not
//! answered, forgotten.

use crate::harness::raw::{self, Check};
use crate::harness::{Call, Server};
use std::net::UdpSocket;
use std::time::Duration;

const HANDSHAKES: usize = 10_000;
const SOCKETS: usize = 200;
/// What a forgotten datagram may cost: allocators keep some pages.
const MOST_KB: u64 = 8 * 1024;

#[test]
fn ten_thousand_of_them() {
    let server = Server::start();
    let call = Call::start(&server);
    let media = Server::candidate(&call.anna.answer);
    let before = (server.metrics(), server.memory_kb());
    let sockets: Vec<UdpSocket> =
        (0..SOCKETS).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let forged =
        Check { username: "a:b", password: "c", nominate: true, transaction: [1; 12] }.bytes();
    for number in 0..HANDSHAKES {
        let socket = &sockets[number % SOCKETS];
        let mut random = [0; 32];
        random[..8].copy_from_slice(&number.to_le_bytes());
        if number < SOCKETS {
            socket.send_to(&forged, media).unwrap();
        }
        socket.send_to(&raw::client_hello(random, &[], 0), media).unwrap();
        if number % 32 == 31 {
            // What the kernel drops would not be counted.
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
    let counted = |reason: &'static str, least: usize| {
        let before = before.0.drops(reason);
        let what = format!("{least} are counted as {reason}");
        server.until_metrics(&what, |now| now.drops(reason) - before >= least as f64);
    };
    counted("unknown_source", HANDSHAKES);
    counted("stun", SOCKETS);
    let metrics = server.metrics();
    assert_eq!(metrics.peers(), 2.0);
    assert_eq!(metrics.sum("weir_handshakes_total", &[]), 2.0);
    let grown = server.memory_kb().saturating_sub(before.1);
    assert!(grown < MOST_KB, "{grown} kB more");
    for socket in &sockets {
        socket.set_nonblocking(true).unwrap();
        // Servers of other tests may still send to who had this port before.
        while let Ok((_, from)) = socket.recv_from(&mut [0; 100]) {
            assert_ne!(from, media, "a stranger was answered");
        }
    }
    call.was_undisturbed();
}
