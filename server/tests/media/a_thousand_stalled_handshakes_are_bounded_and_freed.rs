//! 1,000 peers with good tokens and good checks begin a handshake and stop: their state is bounded
//! and goes when the handshake's time is over.

use crate::harness::client::Client;
use crate::harness::raw::{self, Check};
use crate::harness::{Call, Rtc, Server, Source, until};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const PEERS: usize = 1_000;
/// Sessions one guest may have.
const PER_GUEST: usize = 16;
/// Peers that are at it at the same time.
const AT_ONCE: usize = 50;
/// One stalled handshake: rtc-dtls's endpoint, both flights, an offer and an answer, a session.
/// Measured: 15.
const MOST_KB_EACH: u64 = 60;
/// A datagram without an answer is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const DATAGRAM: usize = 2_000;

struct Stalled {
    socket: UdpSocket,
    media: SocketAddr,
    username: String,
    password: String,
    number: usize,
}

impl Stalled {
    fn new(offer: &str, answer: &str, number: usize) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(AGAIN_AFTER)).unwrap();
        Self {
            socket,
            media: Server::candidate(answer),
            username: format!(
                "{}:{}",
                Server::attribute(answer, "ice-ufrag"),
                Server::attribute(offer, "ice-ufrag")
            ),
            password: Server::attribute(answer, "ice-pwd").to_owned(),
            number,
        }
    }

    /// Sends until the answer comes: the kernel may drop either.
    fn ask<T>(&self, what: &str, datagram: &[u8], wanted: impl Fn(&[u8]) -> Option<T>) -> T {
        until(what, || {
            self.socket.send_to(datagram, self.media).unwrap();
            let mut buffer = [0; DATAGRAM];
            while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                // Servers of other tests may still send to who had this port before.
                let found = (from == self.media).then(|| wanted(&buffer[..length])).flatten();
                if found.is_some() {
                    return found;
                }
            }
            None
        })
    }

    /// An authenticated check, a ClientHello, the same with the cookie; then the server's flight
    /// comes and stays without an answer.
    fn begin(&self) {
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&self.number.to_le_bytes());
        let check = Check {
            username: &self.username,
            password: &self.password,
            nominate: true,
            transaction,
        };
        self.ask("the check is answered", &check.bytes(), |answer| {
            raw::is_success(answer, &transaction).then_some(())
        });
        let mut random = [9; 32];
        random[..8].copy_from_slice(&self.number.to_le_bytes());
        let cookie = self.ask("the cookie comes", &raw::client_hello(random, &[], 0), raw::cookie);
        self.ask("the server's flight comes", &raw::client_hello(random, &cookie, 1), |answer| {
            // ServerHello.
            (answer.first() == Some(&22) && answer.get(13) == Some(&2)).then_some(())
        });
    }
}

#[test]
fn while_a_meeting_goes_on() {
    let server = Server::start();
    let call = Call::start(&server);
    let eve = server.user("eve");
    let meeting = server.meeting(&eve);
    let offer = Client::start(Rtc::default()).with(|stack, _| {
        stack.publish(Source::Microphone);
        stack.publish(Source::Camera);
        stack.offer(Instant::now())
    });
    let before = server.memory_kb();
    let mut token = String::new();
    let (mut begun, mut peak) = (0, before);
    while begun < PEERS {
        let mut batch = Vec::new();
        for number in begun..(begun + AT_ONCE).min(PEERS) {
            if number % PER_GUEST == 0 {
                token = server.guest_token(&eve, meeting, &format!("guest {number}"));
            }
            let made = server.whip(meeting, &token, &offer);
            assert_eq!(made.status, 201, "{made:?}");
            batch.push(Stalled::new(&offer, &made.body, number));
        }
        for stalled in &batch {
            stalled.begin();
        }
        begun += batch.len();
        peak = peak.max(server.memory_kb());
    }
    let grown = peak.saturating_sub(before);
    assert!(grown < PEERS as u64 * MOST_KB_EACH, "{grown} kB more");

    let metrics = server.until_metrics("all of them are freed", |metrics| metrics.peers() == 2.0);
    assert_eq!(
        metrics.sum("weir_peers_gone_total", &["reason=\"handshake_failed\""]),
        PEERS as f64
    );
    server.until_metrics("their sessions too", |metrics| {
        metrics.rooms() == 1.0 && metrics.sum("weir_signaling_sessions", &[]) == 2.0
    });
    call.was_undisturbed();
    assert!(!server.process.log().contains("panicked"), "{}", server.process.log());
}
