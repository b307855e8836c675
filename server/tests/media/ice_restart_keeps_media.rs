//! New ICE credentials in an offer: media goes on, on the same DTLS association.

use crate::harness::stack::Make;
use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};
use std::time::{Duration, Instant};

const BOTH: &[Source] = &[Source::Microphone, Source::Camera];

/// `seamless`: the client uses the old path until it has a new one (RFC 8445 9).
fn restarts(make: impl Make, seamless: bool, other: impl Make) {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let mut anna = Person::join(&server, &anna, meeting, make, Wish::CALL);
    let ben = Person::join(&server, &ben, meeting, other, Wish::CALL);
    ben.watches(&anna, BOTH, 15);
    anna.watches(&ben, BOTH, 15);

    let before = Server::attribute(&anna.answer, "ice-ufrag").to_owned();
    let begin = Instant::now();
    let offer = anna.offer_after(|stack| stack.restart_ice());
    let after = Server::attribute(&anna.answer, "ice-ufrag");
    assert_ne!(before, after, "the server's credentials are new too: {offer}");

    ben.watches(&anna, BOTH, 50);
    anna.watches(&ben, BOTH, 50);
    for source in BOTH {
        for (one, of) in [(&ben, &anna), (&anna, &ben)] {
            let gap = one.longest_gap(of, *source, begin);
            assert!(gap < Duration::from_secs(3), "{source:?} of {} stood {gap:?}", of.user.name);
        }
        // So does the server.
        if seamless {
            ben.has_all_of(&anna, *source);
            anna.has_all_of(&ben, *source);
        }
    }
    // No second handshake.
    assert_eq!(server.metrics().sum("weir_handshakes_total", &["result=\"ok\""]), 2.0);
    assert_eq!(server.metrics().peers(), 2.0);
}

#[test]
fn of_rtc() {
    restarts(Rtc::default(), false, Str0m::default());
}

#[test]
fn of_str0m() {
    restarts(Str0m::default(), true, Rtc::default());
}
