//! ICE restart by HTTP (RFC 9725 4.3.3): media goes on, the old credentials are worth nothing.

use crate::harness::client::{Client, stamp_of};
use crate::harness::raw::{Check, is_success};
use crate::harness::stack::Make;
use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish, until};
use std::fmt::Write;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const FRAGMENT: (&str, &str) = ("Content-Type", "application/trickle-ice-sdpfrag");

/// One side's user name fragment and password.
fn credentials(sdp: &str) -> (String, String) {
    let of = |name| Server::attribute(sdp, name).to_owned();
    (of("ice-ufrag"), of("ice-pwd"))
}

/// What a client sends of its new offer: credentials and candidates, of the first m-line.
fn fragment(offer: &str) -> String {
    let mut text = "a=ice-options:trickle ice2\r\n".to_owned();
    let line = offer.lines().find(|line| line.starts_with("m=")).unwrap();
    let (ufrag, pwd) = credentials(offer);
    let mid = Server::attribute(offer, "mid");
    write!(text, "{line}\r\na=mid:{mid}\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n").unwrap();
    for candidate in offer.lines().filter(|line| line.starts_with("a=candidate:")) {
        write!(text, "{candidate}\r\n").unwrap();
    }
    text
}

/// The answer as it is after a restart.
fn renewed(answer: &str, fragment: &str) -> String {
    let (ufrag, pwd) = credentials(fragment);
    let line = |line: &str| match line.split_once(':') {
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{ufrag}\r\n"),
        Some(("a=ice-pwd", _)) => format!("a=ice-pwd:{pwd}\r\n"),
        _ => format!("{line}\r\n"),
    };
    answer.lines().map(line).collect()
}

/// Somebody who knows the credentials of both sides.
struct Checker {
    socket: UdpSocket,
    server: SocketAddr,
    checks: u8,
}

impl Checker {
    fn send(&mut self, offer: &str, answer: &str) -> [u8; 12] {
        let ((client, _), (server, password)) = (credentials(offer), credentials(answer));
        self.checks += 1;
        let transaction = [self.checks; 12];
        let username = format!("{server}:{client}");
        let check =
            Check { username: &username, password: &password, nominate: false, transaction };
        self.socket.send_to(&check.bytes(), self.server).unwrap();
        transaction
    }

    /// Does the server answer a check with these?
    fn is_answered(&mut self, offer: &str, answer: &str) -> bool {
        let transaction = self.send(offer, answer);
        let mut buffer = [0; 2048];
        let end = Instant::now() + Duration::from_millis(500);
        while Instant::now() < end {
            if let Ok((length, _)) = self.socket.recv_from(&mut buffer)
                && is_success(&buffer[..length], &transaction)
            {
                return true;
            }
        }
        false
    }
}

fn restarts(make: impl Make) {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let ben = Person::join(&server, &ben, meeting, Str0m::default(), Wish::WATCH);

    let client = Client::start(make);
    let offer = client.with(|stack, _| {
        BOTH.iter().for_each(|source| stack.publish(*source));
        stack.offer(Instant::now())
    });
    let created = server.whip(meeting, &anna.token, &offer);
    assert_eq!(created.status, 201, "{created:?}");
    let (location, etag) = (created.header("location").unwrap(), created.header("etag").unwrap());
    let answer = created.body.clone();
    let first = answer.clone();
    client.with(move |stack, _| stack.answer(Instant::now(), &first));
    let sees = |count: usize| {
        for source in BOTH {
            let sender = stamp_of(client.id, source);
            let before = ben.client.state().from(sender, None);
            ben.client.until("frames by WHIP have come", |state| {
                (state.from(sender, None) >= before + count).then_some(())
            });
        }
    };
    sees(15);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut checker = Checker { socket, server: Server::candidate(&answer), checks: 0 };
    until("the credentials work", || checker.is_answered(&offer, &answer).then_some(()));

    let bearer = format!("Bearer {}", anna.token);
    let patch = |condition: Option<&str>, body: &str| {
        let mut headers = vec![("Authorization", bearer.as_str()), FRAGMENT];
        headers.extend(condition.map(|tag| ("If-Match", tag)));
        server.request("PATCH", location, &headers, body)
    };
    let new_offer = client.with(|stack, _| {
        stack.restart_ice();
        stack.offer(Instant::now())
    });
    let wish = fragment(&new_offer);
    assert_ne!(credentials(&offer), credentials(&wish));
    assert_eq!(patch(None, &wish).status, 428);
    assert_eq!(patch(Some("\"another\""), &wish).status, 412);
    // Candidates of the session that runs need its tag and change nothing.
    assert_eq!(patch(Some(etag), &fragment(&offer)).status, 204);
    let restarted = patch(Some("*"), &wish);
    assert_eq!(restarted.status, 200, "{restarted:?}");
    let new_etag = restarted.header("etag").unwrap();
    assert_ne!(new_etag, etag);
    let new_answer = renewed(&answer, &restarted.body);
    assert_ne!(credentials(&answer), credentials(&new_answer));
    // Until the client has a new path, the old one carries media (RFC 8445 9).
    let begin = new_answer.clone();
    client.with(move |stack, _| stack.answer(Instant::now(), &begin));

    // The client itself uses the new ones: that ends the old.
    until("the old credentials are dead", || (!checker.is_answered(&offer, &answer)).then_some(()));
    let drops = server.metrics().drops("stun");
    checker.send(&offer, &answer);
    server.until_metrics("the old check is counted", |metrics| metrics.drops("stun") > drops);
    sees(50);
    until("the new credentials work", || {
        checker.is_answered(&new_offer, &new_answer).then_some(())
    });
    assert_eq!(patch(Some(etag), &wish).status, 412, "the old session's tag");
    // No second handshake: the association goes on.
    assert_eq!(server.metrics().sum("weir_handshakes_total", &["result=\"ok\""]), 2.0);

    let headers = [("Authorization", bearer.as_str()), ("If-Match", new_etag)];
    assert_eq!(server.request("DELETE", location, &headers, "").status, 200);
    server.until_metrics("its peer is gone", |metrics| metrics.peers() == 1.0);
}

#[test]
fn of_rtc() {
    restarts(Rtc::default());
}

#[test]
fn of_str0m() {
    restarts(Str0m::default());
}
