//! Noise, truncated, oversized and replayed datagrams, and forged checks: from strangers and from
//! the address of somebody who is in the meeting.

use crate::harness::raw::{self, Check};
use crate::harness::{Call, Person, Server};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// xorshift64*: the same noise in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Some at a time: what the kernel drops says nothing about the server.
fn paced(at: usize) {
    if at % 32 == 31 {
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn send(socket: &UdpSocket, to: SocketAddr, datagrams: &[Vec<u8>]) {
    for (at, datagram) in datagrams.iter().enumerate() {
        // The largest are too large for the loopback's MTU with some kernels: not sent then.
        let _ = socket.send_to(datagram, to);
        paced(at);
    }
}

/// Noise with first bytes of all protocols (RFC 7983), of all sizes.
fn noise(seed: u64) -> Vec<Vec<u8>> {
    let mut noise = Noise(seed);
    let mut all = vec![Vec::new()];
    for first in
        [0, 1, 2, 3, 4, 16, 19, 20, 22, 23, 25, 63, 64, 79, 80, 127, 128, 129, 191, 192, 255]
    {
        for _ in 0..60 {
            let length = noise.below(1_500);
            let mut datagram = noise.bytes(length);
            datagram.insert(0, first);
            all.push(datagram);
        }
        for length in [1_600, 4_000, 9_000, 60_000] {
            let mut datagram = noise.bytes(length);
            datagram.insert(0, first);
            all.push(datagram);
        }
    }
    all
}

/// Checks with everything right but one thing.
fn forged(person: &Person) -> Vec<Vec<u8>> {
    let ufrag = Server::attribute(&person.answer, "ice-ufrag");
    let pwd = Server::attribute(&person.answer, "ice-pwd");
    let client = Server::attribute(&person.offer, "ice-ufrag");
    let check = |username: &str, password: &str| {
        Check { username, password, nominate: true, transaction: [7; 12] }.bytes()
    };
    let good = check(&format!("{ufrag}:{client}"), pwd);
    let mut all = vec![
        check(&format!("{ufrag}:{client}"), "0123456789012345678901"),
        check(&format!("nobody:{client}"), pwd),
        check(ufrag, ""),
        check("", pwd),
        check(&"u".repeat(600), pwd),
    ];
    // Truncated anywhere, and with one bit turned anywhere before FINGERPRINT: that may be absent,
    // and behind it the check is a good one.
    let signed = good.len() - 8;
    all.extend((0..signed).map(|end| good[..end].to_vec()));
    for at in 0..signed {
        let mut turned = good.clone();
        turned[at] ^= 0x10;
        all.push(turned);
    }
    all
}

#[test]
fn from_strangers() {
    let server = Server::start();
    let call = Call::start(&server);
    let media = Server::candidate(&call.anna.answer);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let before = server.metrics();
    send(&stranger, media, &noise(1));
    send(&stranger, media, &forged(&call.anna));
    // What Anna sent and got, her checks among it, from elsewhere.
    let recent = call.anna.client.state().recent.clone();
    send(&stranger, media, &recent);

    call.was_undisturbed();
    let grown = |reason: &'static str| {
        let before = before.drops(reason);
        server.until_metrics(reason, move |metrics| metrics.drops(reason) > before);
    };
    grown("stun");
    grown("unknown_source");
    assert_eq!(server.metrics().peers(), 2.0);
    // Nobody is answered, but for errors that an agent with the right name would want to know.
    stranger.set_nonblocking(true).unwrap();
    let mut buffer = [0; 2_000];
    while let Ok((length, _)) = stranger.recv_from(&mut buffer) {
        assert!(!raw::is_success(&buffer[..length], &[7; 12]), "a forged check was answered");
    }
    assert!(!server.process.log().contains("panicked"), "{}", server.process.log());
}

#[test]
fn from_somebody_in_the_meeting() {
    let server = Server::start();
    let call = Call::start(&server);
    let media = Server::candidate(&call.anna.answer);
    let before = server.metrics();
    let recent = call.anna.client.state().recent.clone();
    assert!(recent.len() >= 64);
    let mut hostile = noise(2);
    hostile.extend(forged(&call.anna));
    let mut random = Noise(3);
    for datagram in &recent {
        // Replayed, cut short, with a bit turned, with something added.
        hostile.push(datagram.clone());
        hostile.push(datagram[..random.below(datagram.len())].to_vec());
        let mut turned = datagram.clone();
        turned[random.below(datagram.len())] ^= 1;
        hostile.push(turned);
        hostile.push([datagram.clone(), random.bytes(700)].concat());
    }
    call.anna.client.with(move |_, socket| send(socket, media, &hostile));

    call.was_undisturbed();
    for reason in ["unclassified", "stun", "dtls", "unauthentic", "replayed"] {
        let before = before.drops(reason);
        server.until_metrics(reason, |metrics| metrics.drops(reason) > before);
    }
    assert_eq!(server.metrics().peers(), 2.0);
    assert!(!server.process.log().contains("panicked"), "{}", server.process.log());
}
